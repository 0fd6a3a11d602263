package io.gpusnap.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose a process is that says it is a pod's. */
class WorkloadsTest {

    private static final String POD = "0a1b2c3d-1111-4222-8333-444455556666";
    private static final String OTHER = "ffffffff-1111-4222-8333-444455556666";

    @TempDir
    Path folder;

    @Test
    void aPodsProcessHasItsUid() throws Exception {
        process(70, 1, POD, "/kubepods/burstable/pod" + POD + "/c1");
        assertThat(workloads().find())
                .singleElement()
                .satisfies(workload -> assertThat(workload.name()).isEqualTo(POD));
    }

    @Test
    void aProcessThatSaysItIsAnotherPodsIsItsOwnPods() throws Exception {
        // given one below systemd's driver, and one below a group that the pod itself has made
        process(
                70,
                1,
                OTHER,
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice/cri-containerd-c1.scope"
                        .formatted(POD.replace('-', '_')));
        process(80, 1, OTHER, "/kubepods/pod" + POD + "/c1/pod" + OTHER + "/c2");
        process(90, 1, OTHER, "/kubepods/pod" + OTHER + "/c3");
        // then
        assertThat(workloads().nameOf(70)).contains(POD);
        assertThat(workloads().nameOf(80)).contains(POD);
        assertThat(workloads().find())
                .filteredOn(workload -> workload.name().equals(OTHER))
                .extracting(workload -> workload.process().pid())
                .containsExactly(90);
    }

    @Test
    void whatAProcessStartsAsAnotherPodsIsNoWorkloadOfItsOwn() throws Exception {
        process(70, 1, POD, "/kubepods/pod" + POD + "/c1");
        process(71, 70, OTHER, "/kubepods/pod" + POD + "/c1");
        assertThat(workloads().find())
                .extracting(workload -> workload.process().pid())
                .containsExactly(70);
    }

    @Test
    void outsideOfPodsNoProcessHasTheNameOfOneThatIsHere() throws Exception {
        process(60, 1, POD, "/user.slice/user-1000.slice");
        assertThat(workloads().nameOf(60)).as("a name like any other").contains(POD);

        process(70, 1, "", "/kubepods/pod" + POD + "/c1");

        assertThat(workloads().nameOf(60)).isEmpty();
        assertThat(workloads().find()).isEmpty();
    }

    @Test
    void otherNamesAreTakenAsTheyAre() throws Exception {
        process(70, 1, "chat", "/kubepods/pod" + POD + "/c1");
        process(80, 1, POD.substring(1), "/user.slice");
        assertThat(workloads().nameOf(70)).contains("chat");
        assertThat(workloads().nameOf(80)).contains(POD.substring(1));
    }

    @Test
    void whatComesBackInAPodMayStillSayThatItIsTheFirstOnes() throws Exception {
        process(70, 1, OTHER, "/kubepods/pod" + POD + "/c1");
        process(80, 1, "chat", "/user.slice");
        assertThat(workloads().mayBe(70, POD)).isTrue();
        assertThat(workloads().mayBe(70, "chat")).isFalse();
        assertThat(workloads().mayBe(80, "chat")).isTrue();
        assertThat(workloads().mayBe(80, POD)).isFalse();
    }

    private Workloads workloads() {
        return new Workloads(ProcFs.at(folder));
    }

    private void process(int pid, int parent, String workload, String group) throws Exception {
        Path process = Files.createDirectories(folder.resolve(Integer.toString(pid)));
        Files.writeString(process.resolve("environ"), "PATH=/bin\0GPUSNAP_WORKLOAD=" + workload + "\0");
        Files.writeString(process.resolve("cgroup"), "3:cpuset:/\n0::" + group + "\n");
        Files.writeString(process.resolve("status"), "Name:\tserver\nNSpid:\t%d\n".formatted(pid));
        Files.writeString(
                process.resolve("stat"),
                "%d (server) S %d 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0\n".formatted(pid, parent));
    }
}
