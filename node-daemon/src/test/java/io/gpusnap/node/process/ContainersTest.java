package io.gpusnap.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainersTest {

    private static final String POD = "0a1b2c3d-1111-4222-8333-444455556666";
    private static final String ID = "4f".repeat(32);

    @TempDir
    Path folder;

    @Test
    void findsTheFirstProcessWithTheCgroupfsDriver() throws Exception {
        process(70, 1, "/kubepods/burstable/pod" + POD + "/" + ID);
        process(71, 2, "/kubepods/burstable/pod" + POD + "/" + ID);
        assertThat(find(POD, ID).container().init().pid()).isEqualTo(70);
        assertThat(find(POD, ID).ofPod()).isTrue();
    }

    @Test
    void findsTheFirstProcessWithSystemdsDriver() throws Exception {
        process(
                70,
                1,
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice/cri-containerd-%s.scope"
                        .formatted(POD.replace('-', '_'), ID));
        assertThat(find(POD, ID).ofPod()).isTrue();
    }

    @Test
    void aPodThatWasMadeAnewIsAnotherOne() throws Exception {
        process(70, 1, "/kubepods/pod" + POD + "/" + ID);
        assertThat(find("ffffffff-1111-4222-8333-444455556666", ID).ofPod()).isFalse();
        assertThat(find(POD.substring(1), ID).ofPod())
                .as("only a part of the UID")
                .isFalse();
    }

    @Test
    void namesThatOnlyLookAlikeAreNotTaken() throws Exception {
        process(70, 1, "/kubepods/pod" + POD + "/" + ID + "0");
        process(71, 1, "/kubepods/pod" + POD + "/" + ID + "/below");
        assertThat(new Containers(ProcFs.at(folder)).find(POD, ID)).isEmpty();
    }

    @Test
    void theMachinesOwnFirstProcessIsNoContainers() throws Exception {
        process(1, 1, "/kubepods/pod" + POD + "/" + ID);
        assertThat(new Containers(ProcFs.at(folder)).find(POD, ID)).isEmpty();
    }

    private Containers.Found find(String pod, String id) {
        return new Containers(ProcFs.at(folder)).find(pod, id).orElseThrow();
    }

    private void process(int pid, int ownPid, String group) throws Exception {
        Path process = Files.createDirectories(folder.resolve(Integer.toString(pid)));
        Files.writeString(process.resolve("cgroup"), "3:cpuset:/\n0::" + group + "\n");
        Files.writeString(process.resolve("status"), "Name:\tx\nNSpid:\t%d\t%d\n".formatted(pid, ownPid));
        Files.writeString(
                process.resolve("stat"), pid + " (gpusnap:waiting) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0\n");
    }
}
