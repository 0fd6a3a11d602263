package io.gpusnap.node.process;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds a pod's container by the names that the kubelet gave its control group. A caller names a pod and a container, never a
 * process: what is found belongs to them.
 */
public final class Containers {

    private static final Pattern UID =
            Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", Pattern.CASE_INSENSITIVE);
    private static final Pattern POD = Pattern.compile("(?:.*-)?pod(" + UID.pattern() + ")", Pattern.CASE_INSENSITIVE);

    private final ProcFs proc;

    public Containers(ProcFs proc) {
        this.proc = proc;
    }

    /**
     * What has this container id.
     *
     * @param ofPod whether it belongs to the pod that was named
     */
    public record Found(Container container, boolean ofPod) {}

    /**
     * @param podUid as the API server writes it; a control group may have it with underscores
     * @param containerId of the runtime, without its scheme
     */
    public Optional<Found> find(String podUid, String containerId) {
        for (int pid : proc.pids()) {
            List<String> groups = proc.controlGroups(pid);
            if (proc.ownPid(pid) == 1
                    && pid != 1
                    && groups.stream().anyMatch(group -> isOfContainer(group, containerId))) {
                boolean ofPod = groups.stream().anyMatch(group -> isOfPod(group, podUid));
                Optional<Found> found = proc.stat(pid)
                        .filter(stat -> !stat.isDead())
                        .map(stat -> new Found(new Container(stat.id()), ofPod));
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    /** First processes of containers of these pods that are placeholders and wait for a thaw. */
    public List<ProcessId> waiting(Collection<String> podUids) {
        return proc.pids().stream()
                .flatMap(pid -> proc.stat(pid).stream())
                .filter(stat -> PlaceholderState.of(proc, stat.id())
                        .filter(state -> state == PlaceholderState.WAITING)
                        .isPresent())
                .map(ProcessStat::id)
                .filter(init -> proc.ownPid(init.pid()) == 1)
                .filter(init -> proc.controlGroups(init.pid()).stream()
                        .anyMatch(group -> podUids.stream().anyMatch(pod -> isOfPod(group, pod))))
                .toList();
    }

    /** Whether a name has the form of a pod's UID. */
    static boolean isUid(String name) {
        return UID.matcher(name).matches();
    }

    /** The pod whose control group the process is in: the outermost, since what is below it the pod may have named itself. */
    Optional<String> podOf(int pid) {
        return proc.controlGroups(pid).stream()
                .flatMap(Containers::parts)
                .map(POD::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .findFirst();
    }

    /** Whether processes of the pod run on this machine. */
    boolean isHere(String podUid) {
        return proc.pids().stream()
                .anyMatch(pid -> proc.controlGroups(pid).stream().anyMatch(group -> isOfPod(group, podUid)));
    }

    /** With the cgroupfs driver it is the id; with systemd's, cri-containerd-ID.scope. */
    private static boolean isOfContainer(String group, String containerId) {
        String last = group.substring(group.lastIndexOf('/') + 1);
        return last.equals(containerId) || last.endsWith("-" + containerId + ".scope");
    }

    private static boolean isOfPod(String group, String podUid) {
        String name = "pod" + podUid.toLowerCase(Locale.ROOT);
        return parts(group).anyMatch(part -> part.equals(name) || part.endsWith("-" + name));
    }

    /** Names in its path, as the cgroupfs driver writes them. */
    private static Stream<String> parts(String group) {
        return Stream.of(group.split("/"))
                .map(part -> part.replace('_', '-'))
                .map(part -> part.endsWith(".slice") ? part.substring(0, part.length() - ".slice".length()) : part);
    }
}
