package io.gpusnap.service.testing;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/** The manifest of a process with one allocation and one host file. */
public final class TestManifest {
    private static final String DIGEST = "ab".repeat(32);

    private final String text;

    private TestManifest(String text) {
        this.text = text;
    }

    public static TestManifest of(JsonNode saveTask) {
        return of(
                saveTask.path("save").path("snapshotId").asString(),
                saveTask.path("save").path("engine").asString());
    }

    public static TestManifest of(String snapshotId, String engine) {
        return new TestManifest("""
                {"schema":"gpusnap.manifest/5","snapshotId":"%s","engine":"%s","digestAlgorithm":"sha256-tree-4k",
                 "device":{"driverBytes":0,"allocations":[{"id":1,"address":"0x7f0000000000","sizeBytes":8388608,"gpuOrdinal":0,
                  "chunks":[{"digest":"%s","sizeBytes":4194304},{"digest":"zero","sizeBytes":4194304}]}]},
                 "host":{"files":[{"name":"pages-1.img","sizeBytes":4096,"mode":384,"chunks":[{"digest":"%s","sizeBytes":4096}]}],"areas":[]},
                 "totals":{"vramBytes":8388608,"hostBytes":4096,"logicalBytes":8392704,"storedBytes":4198400,
                  "chunksTotal":3,"chunksStored":2,"chunksZero":1}}
                """.formatted(snapshotId, engine, DIGEST, DIGEST));
    }

    /** The same with another text, for manifests that are wrong. */
    public TestManifest but(UnaryOperator<String> change) {
        return new TestManifest(change.apply(text));
    }

    /** The same with what a current daemon says of its machine: driver 580.1, one H100, image llm@sha256:1. */
    public TestManifest withCompatibility() {
        return but(text -> text.replace("\"digestAlgorithm\"", """
                "compatibility":{"architecture":"x86_64","kernelRelease":"6.18.44","cpuModel":"cpu","cpuFeatures":["avx2","sse"],
                 "gpus":[{"ordinal":0,"uuid":"GPU-0","name":"Simulated H100","memoryBytes":8589934592,"computeCapability":"9.0","inUse":true}],
                 "cudaDriverVersion":13000,"driverBuild":"580.1","simulated":true,"libraries":[],"mounts":["/","/models"],
                 "image":"llm@sha256:1"},"digestAlgorithm\""""));
    }

    public String text() {
        return text;
    }

    public String digest() {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    public static Map<String, Object> totals() {
        Map<String, Object> totals = new LinkedHashMap<>();
        totals.put("vramBytes", 8388608);
        totals.put("hostBytes", 4096);
        totals.put("logicalBytes", 8392704);
        totals.put("storedBytes", 4198400);
        totals.put("chunksTotal", 3);
        totals.put("chunksStored", 2);
        totals.put("chunksZero", 1);
        return totals;
    }

    /** As a completion has it; the process did not go on. */
    public Map<String, Object> saveResult() {
        return Map.of(
                "manifest",
                text,
                "manifestDigest",
                digest(),
                "totals",
                totals(),
                "pauseSeconds",
                1.5,
                "workloadAlive",
                false,
                "movedBytes",
                3_000_000);
    }
}
