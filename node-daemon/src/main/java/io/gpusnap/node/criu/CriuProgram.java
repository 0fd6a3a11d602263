package io.gpusnap.node.criu;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What it takes to start CRIU where none of its files are: in a container it is reached through a descriptor, and so are its
 * loader and libraries, since the container's own may be any.
 *
 * @param loader the dynamic loader
 * @param libraries folders of its libraries
 * @param program the ELF file itself, not a script that starts it
 */
record CriuProgram(Path loader, List<Path> libraries, Path program) {

    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
    private static final Pattern LIBRARY = Pattern.compile("(?:=> )?(/\\S+) \\(0x[0-9a-f]+\\)");
    private static final int LIST_SECONDS = 20;

    CriuProgram {
        libraries = List.copyOf(libraries);
    }

    /** @throws CriuException when it cannot be told how that program is started */
    static CriuProgram of(String command) throws CriuException, InterruptedException {
        Path file = find(command);
        try {
            if (isElf(file)) {
                return linked(file.toRealPath());
            }
            Path root = file.toRealPath().resolveSibling("root");
            Path program = root.resolve("usr/sbin/criu");
            if (Files.isRegularFile(program) && isElf(program)) {
                return bundled(root, program);
            }
        } catch (IOException e) {
            throw new CriuException("cannot read " + file, e);
        }
        throw new CriuException(
                file
                        + " is neither a program nor the script of a bundle: only those can be started in a container (criu.path)");
    }

    private static Path find(String command) throws CriuException {
        if (command.contains("/")) {
            return Path.of(command);
        }
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("/usr/sbin:/usr/bin");
        return Arrays.stream(path.split(":"))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, command))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new CriuException(command + " is in no folder of PATH"));
    }

    private static boolean isElf(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(ELF.length), ELF);
        }
    }

    /** As bootstrap unpacks it: a package with all that it needs below {@code root}. */
    private static CriuProgram bundled(Path root, Path program) throws IOException, CriuException {
        for (Path folder : Folders.list(root.resolve("usr/lib"), "*-linux-gnu")) {
            for (Path loader : Folders.list(folder, "ld-linux-*.so.*")) {
                return new CriuProgram(loader.toRealPath(), List.of(folder), program);
            }
        }
        throw new CriuException("there is no loader below " + root);
    }

    /** Its own loader knows where it finds what. */
    private static CriuProgram linked(Path program) throws CriuException, IOException, InterruptedException {
        ProcessBuilder listing = new ProcessBuilder(program.toString()).redirectErrorStream(true);
        listing.environment().put("LD_TRACE_LOADED_OBJECTS", "1");
        Process process = listing.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(LIST_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new CriuException("the loader of " + program + " does not end");
        }
        List<Path> files = new ArrayList<>();
        Matcher matcher = LIBRARY.matcher(text);
        while (matcher.find()) {
            files.add(Path.of(matcher.group(1)));
        }
        Optional<Path> loader = files.stream()
                .filter(file -> file.getFileName().toString().startsWith("ld-"))
                .findFirst();
        if (loader.isEmpty()) {
            throw new CriuException("%s names no loader: %s".formatted(program, text.strip()));
        }
        Set<Path> folders = new LinkedHashSet<>();
        for (Path file : files) {
            folders.add(file.toRealPath().getParent());
        }
        return new CriuProgram(loader.get().toRealPath(), List.copyOf(folders), program);
    }
}
