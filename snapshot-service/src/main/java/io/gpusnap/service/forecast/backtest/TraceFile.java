package io.gpusnap.service.forecast.backtest;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a trace of one's own: lines {@code step,model,bytes,replicas} after a header of exactly that, steps of five minutes
 * counted from 0. A step that a model has no line for is like the one before it.
 */
final class TraceFile {
    private static final String HEADER = "step,model,bytes,replicas";
    private static final int LONGEST_STEPS = 1_000_000;

    private TraceFile() {}

    private record Line(int step, long bytes, int replicas) {}

    /** @throws IllegalArgumentException with the line that is wrong */
    static Trace read(Path file) throws IOException {
        Map<String, List<Line>> models = new LinkedHashMap<>();
        int last = 0;
        try (BufferedReader in = Files.newBufferedReader(file)) {
            if (!HEADER.equals(in.readLine())) {
                throw new IllegalArgumentException(file + " must begin with the line " + HEADER);
            }
            int number = 1;
            for (String text = in.readLine(); text != null; text = in.readLine()) {
                number++;
                String[] parts = text.split(",", -1);
                Line line = line(file, number, parts);
                models.computeIfAbsent(parts[1], name -> new ArrayList<>()).add(line);
                last = Math.max(last, line.step());
            }
        }
        if (models.isEmpty()) {
            throw new IllegalArgumentException(file + " has no line after the first");
        }
        int steps = last + 1;
        return new Trace(
                String.valueOf(file.getFileName()),
                TraceGenerator.STEP,
                models.entrySet().stream()
                        .map(model -> new Trace.Model(
                                model.getKey(), model.getValue().getFirst().bytes(), replicas(model.getValue(), steps)))
                        .toList());
    }

    private static Line line(Path file, int number, String[] parts) {
        try {
            Line line = new Line(Integer.parseInt(parts[0]), Long.parseLong(parts[2]), Integer.parseInt(parts[3]));
            if (parts.length == 4
                    && line.step() >= 0
                    && line.step() < LONGEST_STEPS
                    && line.bytes() > 0
                    && line.replicas() >= 0) {
                return line;
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException(file + " line " + number + " is not " + HEADER, e);
        }
        throw new IllegalArgumentException(file + " line " + number + " is not " + HEADER + " with 0 <= step < "
                + LONGEST_STEPS + ", bytes > 0 and replicas >= 0");
    }

    private static int[] replicas(List<Line> lines, int steps) {
        int[] replicas = new int[steps];
        int[] given = new int[steps];
        java.util.Arrays.fill(given, -1);
        lines.forEach(line -> given[line.step()] = line.replicas());
        for (int step = 0; step < steps; step++) {
            replicas[step] = given[step] >= 0 ? given[step] : step == 0 ? 0 : replicas[step - 1];
        }
        return replicas;
    }
}
