package io.gpusnap.node.engine;

import io.gpusnap.node.engine.check.LogFiles;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.HostImageReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** The process image is on scratch again, every chunk of it verified, and the folders and files it expects are there. */
final class ThawMaterialise extends EngineStage {

    private final ThawSession session;
    private final Path images;

    ThawMaterialise(ThawSession session) {
        super("materialise", session.times());
        this.session = session;
        this.images = session.runtime().scratch(session.request().operation());
    }

    @Override
    void execute(StageContext context)
            throws StageException, TierException, ManifestException, IOException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        Manifest manifest = session.manifest();
        context.progress().setTotalBytes(manifest.totals().hostBytes());
        Scratch.delete(images);
        Files.createDirectories(images);
        HostImageReader.materialise(
                manifest.host().files(), images, runtime.store().nvme(), runtime.transfer(context));
        LogFiles.prepare(manifest.process());
        for (String socket : manifest.process().unixSockets()) {
            prepareSocket(Path.of(socket), manifest.process());
        }
    }

    /** The folder of the preload's sockets lives in a place that a restart of the node empties. */
    private static void prepareSocket(Path socket, Manifest.ProcessImage process) throws IOException {
        Path folder = socket.getParent();
        if (folder != null && !Files.exists(folder)) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Files.setAttribute(folder, "unix:uid", (int) process.uid());
            Files.setAttribute(folder, "unix:gid", (int) process.gid());
        }
    }

    @Override
    void undo(StageContext context) throws IOException {
        Scratch.delete(images);
    }
}
