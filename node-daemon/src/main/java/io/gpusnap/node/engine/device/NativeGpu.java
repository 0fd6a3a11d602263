package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.DeviceDigest;
import io.gpusnap.gpu.DeviceSpan;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.FileItem;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.gpu.GpuSnapLibrary;
import io.gpusnap.gpu.GpuTarget;
import io.gpusnap.gpu.HeldMemory;
import io.gpusnap.gpu.Mover;
import io.gpusnap.gpu.ProcessMemory;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.gpu.StillThreads;
import io.gpusnap.gpu.Storage;
import io.gpusnap.gpu.StorageInfo;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The GPU port over libgpusnap. */
final class NativeGpu implements GpuPort {

    private final GpuSnapLibrary library;
    private final Mover mover;
    private final ProcessMemory processMemory;
    private final Storage storage;

    NativeGpu(GpuSnapLibrary library) {
        this.library = library;
        this.mover = library.mover();
        this.processMemory = library.processMemory();
        this.storage = library.storage();
    }

    @Override
    public DriverInfo driver() throws GpuException {
        return library.driver();
    }

    @Override
    public List<GpuInfo> devices() throws GpuException {
        return library.gpus();
    }

    @Override
    public ProcessState state(int pid) throws GpuException {
        return library.process(pid).state();
    }

    @Override
    public void lock(int pid, Duration timeout) throws GpuException {
        library.process(pid).lock(timeout);
    }

    @Override
    public void checkpoint(int pid) throws GpuException {
        library.process(pid).checkpoint();
    }

    @Override
    public void restore(int pid, Map<String, String> uuidPairs) throws GpuException {
        library.process(pid).restore(uuidPairs);
    }

    @Override
    public StillThreads still(int pid) throws GpuException {
        return library.process(pid).still();
    }

    @Override
    public void unlock(int pid) throws GpuException {
        library.process(pid).unlock();
    }

    @Override
    public void writeProcess(int pid, long address, MemorySegment from) throws GpuException {
        processMemory.write(pid, address, from);
    }

    @Override
    public TargetPort open(int pid, Duration timeout) throws GpuException {
        return new NativeTarget(library.openTarget(pid, timeout));
    }

    @Override
    public AheadMemory ahead(List<Allocation> allocations) throws GpuException {
        return library.ahead(allocations);
    }

    @Override
    public void copy(int gpuOrdinal, Direction direction, List<CopyItem> items) throws GpuException {
        mover.copy(gpuOrdinal, direction, items);
    }

    @Override
    public List<DeviceDigest> copyAndDigest(int gpuOrdinal, List<CopyItem> items) throws GpuException {
        return mover.copyAndDigest(gpuOrdinal, items);
    }

    @Override
    public List<DeviceDigest> digest(int gpuOrdinal, List<DeviceSpan> spans) throws GpuException {
        return mover.digest(gpuOrdinal, spans);
    }

    @Override
    public StorageInfo storage(boolean compatibility, Optional<Path> cufile, Path folder) throws GpuException {
        return storage.query(compatibility, cufile, Optional.of(folder));
    }

    @Override
    public List<DeviceDigest> readAndDigest(int gpuOrdinal, List<FileItem> items) throws GpuException {
        return storage.read(gpuOrdinal, items);
    }

    @Override
    public void fillZero(int gpuOrdinal, long deviceAddress, long sizeBytes) throws GpuException {
        mover.fillZero(gpuOrdinal, deviceAddress, sizeBytes);
    }

    private record NativeTarget(GpuTarget target) implements TargetPort {

        @Override
        public TargetStatus status() throws GpuException {
            return target.query();
        }

        @Override
        public void quiesce(Duration timeout) throws GpuException {
            target.quiesce(timeout);
        }

        @Override
        public List<Allocation> allocations() throws GpuException {
            return target.allocations();
        }

        @Override
        public List<RebuildableRange> hints() throws GpuException {
            return target.hints();
        }

        @Override
        public Set<Integer> gpus() throws GpuException {
            return Set.copyOf(target.gpus());
        }

        @Override
        public long importNext() throws GpuException {
            return target.importNext();
        }

        @Override
        public void unimportMemory() throws GpuException {
            target.unimport();
        }

        @Override
        public List<HeldMemory> hold() throws GpuException {
            return List.of(target.hold());
        }

        @Override
        public void giveBack(List<HeldMemory> held) throws GpuException {
            for (HeldMemory one : held) {
                target.giveBack(one);
            }
        }

        @Override
        public void giveAhead(List<AheadMemory> ahead) throws GpuException {
            for (AheadMemory one : ahead) {
                target.giveAhead(one);
            }
        }

        @Override
        public void release() throws GpuException {
            if (target.query().state() != TargetState.RELEASED) {
                target.release();
            }
        }

        @Override
        public void remap() throws GpuException {
            target.remap();
        }

        @Override
        public void resume() throws GpuException {
            target.resume();
        }

        @Override
        public void close() {
            target.close();
        }
    }
}
