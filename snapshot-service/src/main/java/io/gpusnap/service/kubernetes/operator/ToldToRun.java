package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * What a container is told to run, besides its image: command, arguments, working directory and environment, as its owner wrote
 * them. A thawed process has those that it was once started with, so what is told otherwise is another version. What values come
 * from is looked at, such as the name of a ConfigMap, and not what they are.
 */
final class ToldToRun {
    private static final KubernetesSerialization JSON = new KubernetesSerialization();
    private static final String PLACEHOLDER = "/gpusnap-placeholder";
    private static final String PRELOAD = "LD_PRELOAD";
    private static final String PRELOAD_LIBRARY = "/libgpusnap-preload.so";
    private static final Set<String> OURS =
            Set.of(PodNames.WORKLOAD_VARIABLE, PodNames.WAIT_VARIABLE, PodNames.SOCKET_VARIABLE);
    private static final int DIGEST_BYTES = 4;

    private ToldToRun() {}

    /** Eight digits that are the same with and without what the webhook adds. */
    static String digest(Container container) {
        Container told = new ContainerBuilder()
                .withCommand(command(container.getCommand()))
                .withArgs(container.getArgs())
                .withWorkingDir(container.getWorkingDir())
                .withEnvFrom(container.getEnvFrom())
                .withEnv(container.getEnv().stream()
                        .filter(variable -> !OURS.contains(variable.getName()))
                        .map(ToldToRun::withoutPreload)
                        .filter(variable -> !PRELOAD.equals(variable.getName()) || !"".equals(variable.getValue()))
                        .sorted(Comparator.comparing(EnvVar::getName))
                        .toList())
                .build();
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(JSON.asJson(told).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static List<String> command(List<String> command) {
        return command.size() > 2
                        && command.getFirst().endsWith(PLACEHOLDER)
                        && command.get(1).equals("--")
                ? command.subList(2, command.size())
                : command;
    }

    /** The webhook puts its library before the others. */
    private static EnvVar withoutPreload(EnvVar variable) {
        if (!PRELOAD.equals(variable.getName()) || variable.getValue() == null) {
            return variable;
        }
        String first = variable.getValue().split(":", 2)[0];
        return first.endsWith(PRELOAD_LIBRARY)
                ? new EnvVarBuilder(variable)
                        .withValue(variable.getValue()
                                .substring(Math.min(
                                        first.length() + 1, variable.getValue().length())))
                        .build()
                : variable;
    }
}
