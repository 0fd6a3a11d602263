package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What kubelet and container runtime make of a pod: a real process in namespaces of its own, with command, environment and mounts
 * as the pod has them, in a control group by which a daemon finds it. {@code gpusnap-test-container} is the runtime, the
 * image this machine's root.
 */
final class PodContainer implements AutoCloseable {
    private static final Pattern ANNOTATION = Pattern.compile("metadata\\.annotations\\['(.+)']");
    private static final Pattern ANSWER = Pattern.compile("\"answer\":\\s*\"([0-9a-f]+)\"");

    private final String id;
    private final Path folder;
    private final Path group;
    private final Process runtime;
    private final StringBuffer log = new StringBuffer();
    private final Thread reader;
    private final long first;

    private PodContainer(String id, Path folder, Path group, Process runtime) {
        this.id = id;
        this.folder = folder;
        this.group = group;
        this.runtime = runtime;
        this.reader = Thread.ofVirtual().start(this::read);
        this.first = soon().until(() -> runtime.children().findFirst(), Optional::isPresent)
                .orElseThrow()
                .pid();
    }

    /**
     * @param address of the pod
     * @param workFolder that the image has
     */
    static PodContainer start(Pod pod, GpuNode node, String address, Path workFolder) throws IOException {
        String id = UUID.randomUUID().toString().replace("-", "").repeat(2);
        Path folder =
                Files.createDirectories(node.memory().resolve("containers").resolve(id));
        Path group = hierarchy()
                .resolve("gpusnap-story-" + ProcessHandle.current().pid())
                .resolve("kubepods-burstable-pod" + pod.getMetadata().getUid().replace('-', '_') + ".slice")
                .resolve("cri-containerd-" + id + ".scope");
        Container container = pod.getSpec().getContainers().getFirst();
        List<String> command = new ArrayList<>(List.of(
                node.natives().resolveSibling("bin/gpusnap-test-container").toString(),
                "--folder",
                folder.toString(),
                "--group",
                group.toString(),
                "--host",
                pod.getMetadata().getName(),
                "--address",
                address,
                "--bind",
                node.natives().getParent().toString(),
                "--bind",
                node.devices().toString(),
                "--make",
                workFolder.toString()));
        for (VolumeMount mount : container.getVolumeMounts()) {
            command.addAll(List.of("--volume", node.volume(pod, mount.getName()) + ":" + mount.getMountPath()));
        }
        // so that only what is in the container gets its environment
        command.addAll(List.of("--", "/usr/bin/env", "-i", "PATH=/usr/bin:/bin"));
        node.deviceEnvironment().forEach((name, value) -> command.add(name + "=" + value));
        container.getEnv().forEach(variable -> command.add(variable.getName() + "=" + value(pod, variable)));
        command.addAll(container.getCommand());
        command.addAll(container.getArgs());
        return new PodContainer(
                id,
                folder,
                group,
                new ProcessBuilder(command)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .start());
    }

    private static String value(Pod pod, EnvVar variable) {
        if (variable.getValue() != null) {
            return variable.getValue();
        }
        String field = variable.getValueFrom().getFieldRef().getFieldPath();
        Matcher annotation = ANNOTATION.matcher(field);
        if (annotation.matches()) {
            return Objects.requireNonNull(pod.getMetadata().getAnnotations().get(annotation.group(1)), field);
        }
        if (field.equals("metadata.uid")) {
            return pod.getMetadata().getUid();
        }
        throw new AssertionError("this kubelet knows no " + field);
    }

    /** A hierarchy of control groups that this machine lets us write to. */
    private static Path hierarchy() {
        for (String place : List.of("/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/pids")) {
            if (Files.isWritable(Path.of(place).resolve("cgroup.procs"))) {
                return Path.of(place);
            }
        }
        throw new IllegalStateException("no hierarchy below /sys/fs/cgroup can be written to");
    }

    private void read() {
        try (var lines = runtime.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                log.append(line).append('\n');
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of the runtime. */
    String id() {
        return id;
    }

    String log() {
        return log.toString();
    }

    /** Names of what runs in it, process 1 first. */
    List<String> processes() throws IOException {
        List<String> names = new ArrayList<>();
        names.add(name(first));
        for (ProcessHandle child : ProcessHandle.of(first).stream()
                .flatMap(ProcessHandle::children)
                .toList()) {
            names.add(name(child.pid()));
        }
        return names;
    }

    private static String name(long pid) throws IOException {
        return Files.readString(Path.of("/proc", Long.toString(pid), "comm")).strip();
    }

    /** As a readiness probe asks it. */
    boolean answers() {
        return get("/ready").contains(" 200 ");
    }

    String answer(String prompt) {
        Matcher answer = ANSWER.matcher(get("/answer?prompt=" + prompt));
        if (!answer.find()) {
            throw new AssertionError("no answer; its log: " + log);
        }
        return answer.group(1);
    }

    /** From inside of its network. */
    private String get(String path) {
        String ask =
                "exec 3<>/dev/tcp/127.0.0.1/8000; printf 'GET %s HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3".formatted(path);
        try {
            Process asking = new ProcessBuilder("nsenter", "--net=/proc/" + first + "/ns/net", "bash", "-c", ask)
                    .redirectErrorStream(true)
                    .start();
            String text = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            asking.waitFor();
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws Exception {
        runtime.destroyForcibly().waitFor();
        reader.join();
        soon().until(() -> ProcessHandle.of(first).isEmpty());
        // it can only be removed when it is empty, and those above it when nothing else is in them
        soon().ignoreExceptions().until(() -> Files.deleteIfExists(group) || !Files.exists(group));
        Files.deleteIfExists(group.getParent());
        group.getParent().getParent().toFile().delete();
        GpuNode.remove(folder);
    }
}
