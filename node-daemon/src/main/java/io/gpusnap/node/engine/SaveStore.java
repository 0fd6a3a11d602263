package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.criu.image.CutArea;
import io.gpusnap.node.criu.image.CutBlock;
import io.gpusnap.node.criu.image.ImageCut;
import io.gpusnap.node.criu.image.ImageCutter;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.DeviceStore;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.HostAreaWriter;
import io.gpusnap.node.transfer.HostImageWriter;
import io.gpusnap.node.transfer.Transfer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Everything is hashed, and what the store does not have is written to it. Ends with the pending manifest. */
final class SaveStore extends EngineStage {

    private final SaveSession session;
    private final EngineId engine;

    SaveStore(SaveSession session, EngineId engine) {
        super("store", session.times());
        this.session = session;
        this.engine = engine;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public boolean lasting() {
        return true;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        SnapshotStore store = runtime.store();
        DeviceContent content = SaveSession.recall(context, DeviceContent.class);
        ImageCut image = cutImage();
        long areaBytes = image.areas().stream().mapToLong(CutArea::sizeBytes).sum();
        context.progress().setTotalBytes(content.sizeBytes() + sizeOf(image.files()) + areaBytes);
        Transfer transfer = runtime.transfer(context);
        List<Manifest.Allocation> allocations =
                new DeviceStore(store.memory(), session.pins(), session.owner()).store(content, transfer);
        List<Manifest.HostArea> areas =
                HostAreaWriter.store(sources(image.areas()), session.pins(), store.memory(), transfer);
        List<Manifest.HostFile> files = HostImageWriter.store(image.files(), session.pins(), transfer);
        store.nvme().sync();
        Manifest manifest =
                new ManifestDraft(session, engine, context).build(allocations, new Manifest.Host(files, areas));
        // What is written here must be readable there: a writer's mistake shows now, not at the thaw.
        ReadManifest read = store.writePending(session.snapshot(), ManifestJson.write(manifest));
        context.remember(new StoredManifest(read.digest()));
    }

    private ImageCut cutImage() throws StageException, IOException {
        if (!engine.equals(EngineId.CRIU_CUDA)) {
            return new ImageCut(List.of(), List.of());
        }
        Path folder = session.runtime().scratch(session.request().operation());
        if (!Files.isDirectory(folder)) {
            throw new StageException(
                    FailureCode.DAEMON_RESTARTED,
                    folder
                            + " is gone, and the process's dump with it: a scratch.dir that is mounted in the daemon's container"
                            + " alone ends with that");
        }
        List<Path> images = new ArrayList<>();
        for (Path file : Folders.list(folder)) {
            if (CriuRunner.isImage(file.getFileName().toString())) {
                images.add(file);
            }
        }
        images.sort(null);
        return new ImageCutter(folder, images).cut();
    }

    private static List<HostAreaWriter.Source> sources(List<CutArea> areas) {
        return areas.stream()
                .map(area -> new HostAreaWriter.Source(
                        area.taskId(),
                        area.pages(),
                        area.blocks().stream().map(SaveStore::block).toList()))
                .toList();
    }

    private static HostAreaWriter.Block block(CutBlock block) {
        return new HostAreaWriter.Block(block.runs().stream()
                .map(run ->
                        new HostAreaWriter.Run(new Manifest.MemoryRange(run.address(), run.sizeBytes()), run.offset()))
                .toList());
    }

    private static long sizeOf(List<Path> files) throws IOException {
        long total = 0;
        for (Path file : files) {
            total += Files.size(file);
        }
        return total;
    }
}
