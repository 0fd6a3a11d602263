package io.gpusnap.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** gpusnap.h, read well enough for its own plain style. */
final class HeaderFile {

    record Field(String name, long offset, long sizeBytes) {}

    record Struct(List<Field> fields, long sizeBytes) {}

    /** Kinds of a signature: "i4", "i8", "p" (pointer), "v" (void); the result first. */
    record Function(List<String> kinds) {}

    private static final Map<String, Long> SIZES = Map.of(
            "uint8_t", 1L, "char", 1L, "uint32_t", 4L, "int32_t", 4L, "uint64_t", 8L, "size_t", 8L, "double", 8L);

    private final String text;

    HeaderFile(Path path) throws IOException {
        text = Files.readString(path).replaceAll("(?s)/\\*.*?\\*/", " ").replaceAll("(?m)^#.*$", " ");
    }

    Map<String, Struct> structs() {
        Map<String, Struct> structs = new LinkedHashMap<>();
        Pattern.compile("typedef struct (\\w+) \\{(.*?)\\} \\1;", Pattern.DOTALL)
                .matcher(text)
                .results()
                .forEach(match -> structs.put(match.group(1), struct(match.group(2))));
        return structs;
    }

    Map<String, Integer> enumerators() {
        Map<String, Integer> values = new HashMap<>();
        Pattern.compile("(GPUSNAP_\\w+) = (\\d+)")
                .matcher(text)
                .results()
                .forEach(match -> values.put(match.group(1), Integer.parseInt(match.group(2))));
        return values;
    }

    Map<String, Function> functions() {
        Map<String, Function> functions = new LinkedHashMap<>();
        Pattern.compile("(?m)^([\\w ]+?[ *]+)(gpusnap_\\w+)\\(([^)]*)\\);")
                .matcher(text)
                .results()
                .forEach(match -> functions.put(match.group(2), function(match)));
        return functions;
    }

    private Function function(MatchResult match) {
        List<String> kinds = new ArrayList<>();
        kinds.add(kind(match.group(1).strip()));
        for (String parameter : match.group(3).split(",")) {
            if (!parameter.strip().equals("void")) {
                kinds.add(kind(parameter.strip().replaceFirst("\\w+$", "").strip()));
            }
        }
        return new Function(List.copyOf(kinds));
    }

    private String kind(String type) {
        if (type.contains("*")) {
            return "p";
        }
        return type.equals("void") ? "v" : "i" + sizeOf(type);
    }

    private Struct struct(String body) {
        List<Field> fields = new ArrayList<>();
        long end = 0;
        long widest = 1;
        for (String declaration : body.split(";")) {
            String line = declaration.strip();
            if (line.isEmpty()) {
                continue;
            }
            boolean pointer = line.contains("*");
            String type = line.substring(0, line.indexOf(' '));
            long size = pointer ? 8 : sizeOf(type);
            for (String name : line.substring(line.lastIndexOf('*') >= 0 ? line.lastIndexOf('*') + 1 : type.length())
                    .split(",")) {
                MatchResult parts = Pattern.compile("(\\w+)(?:\\[(\\d+)\\])?")
                        .matcher(name)
                        .results()
                        .findFirst()
                        .orElseThrow();
                long count = parts.group(2) == null ? 1 : Long.parseLong(parts.group(2));
                long offset = Math.ceilDiv(end, size) * size;
                fields.add(new Field(parts.group(1), offset, size * count));
                end = offset + size * count;
                widest = Math.max(widest, size);
            }
        }
        return new Struct(List.copyOf(fields), Math.ceilDiv(end, widest) * widest);
    }

    private long sizeOf(String type) {
        Long size = SIZES.get(type);
        if (size != null) {
            return size;
        }
        if (text.contains("typedef enum " + type + " ")) {
            return 4;
        }
        throw new IllegalArgumentException("unknown type in gpusnap.h: " + type);
    }
}
