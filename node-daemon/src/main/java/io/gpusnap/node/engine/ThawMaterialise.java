package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.check.LogFiles;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ContainerPart;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.HostImageReader;
import java.io.IOException;
import java.nio.file.Path;

/** What CRIU restores from is on scratch again, every chunk of it verified, and the folders and files it expects are there. */
final class ThawMaterialise extends EngineStage {

    private final ThawSession session;
    private final Path images;

    ThawMaterialise(ThawSession session) {
        super("materialise", session.times());
        this.session = session;
        this.images = session.runtime().scratch(session.request().operation());
    }

    @Override
    public boolean interruptible() {
        return true;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        Manifest manifest = session.manifest();
        session.renewClaim(context);
        session.beginAhead(context);
        context.progress().setTotalBytes(manifest.host().filesBytes());
        Folders.delete(images);
        Scratch.make(images);
        HostImageReader.materialise(manifest.host().files(), images, session.sources(), runtime.transfer(context));
        Path root = session.root(context);
        for (ContainerPart part : manifest.container().stream().toList()) {
            for (ContainerPart.WrittenFile file : part.files()) {
                LogFiles.put(root, file, images.resolve(file.image()), manifest.process());
            }
        }
        LogFiles.prepare(root, manifest.process());
        LogFiles.prepareSocketFolders(root, manifest.process());
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }

    @Override
    void undo(StageContext context) throws IOException {
        session.endAhead();
        Folders.delete(images);
    }
}
