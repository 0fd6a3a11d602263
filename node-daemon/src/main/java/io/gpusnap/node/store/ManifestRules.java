package io.gpusnap.node.store;

import io.gpusnap.node.store.Manifest.Allocation;
import io.gpusnap.node.store.Manifest.HostFile;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** What a well-formed manifest must satisfy beyond its shape. */
final class ManifestRules {

    static final Pattern ADDRESS = Pattern.compile("0x[0-9a-f]{1,16}");
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,254}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final Set<String> SCHEMAS = Set.of(
            Manifest.CONTAINER_SCHEMA,
            Manifest.SCHEMA,
            Manifest.FOURTH_SCHEMA,
            Manifest.THIRD_SCHEMA,
            Manifest.SECOND_SCHEMA,
            Manifest.FIRST_SCHEMA);
    private static final Set<String> WITHOUT_GAPS = Set.of(Manifest.SECOND_SCHEMA, Manifest.FIRST_SCHEMA);
    private static final Set<String> OPEN_MODES = Set.of("r", "w", "a", "rw");

    private ManifestRules() {}

    static boolean knows(String schema) {
        return SCHEMAS.contains(schema);
    }

    static void check(Manifest manifest) throws ManifestException {
        require(knows(manifest.schema()), "schema is not " + Manifest.SCHEMA);
        require(
                manifest.digestAlgorithm().equals(TreeDigester.ALGORITHM),
                "digestAlgorithm is not " + TreeDigester.ALGORITHM);
        long vramBytes = checkDevice(manifest);
        long hostBytes = add(
                "host",
                checkFiles(manifest.host().files()),
                HostAreaRules.check(manifest.host().areas(), !WITHOUT_GAPS.contains(manifest.schema())));
        checkTotals(manifest, vramBytes, hostBytes);
        checkProcess(manifest.process());
        require(
                Manifest.hasContainer(manifest.schema()) == manifest.container().isPresent(),
                "only " + Manifest.CONTAINER_SCHEMA + " has a container part");
        if (manifest.container().isPresent()) {
            ContainerRules.check(manifest.container().get(), manifest.host().files());
        }
        for (Manifest.Library library : manifest.compatibility().libraries()) {
            require(SHA256.matcher(library.sha256()).matches(), "library " + library.path() + " has no SHA-256");
        }
    }

    private static long checkDevice(Manifest manifest) throws ManifestException {
        require(manifest.device().driverBytes() >= 0, "device.driverBytes is negative");
        Set<Integer> ordinals = new HashSet<>();
        Set<Integer> inUse = new HashSet<>();
        Set<String> uuids = new HashSet<>();
        for (Manifest.Gpu gpu : manifest.compatibility().gpus()) {
            require(gpu.ordinal() >= 0 && ordinals.add(gpu.ordinal()), "GPU " + gpu.ordinal() + " is named twice");
            require(uuids.add(gpu.uuid()), "GPU " + gpu.uuid() + " is named twice");
            require(gpu.memoryBytes() > 0, "GPU " + gpu.ordinal() + " has no memory");
            if (gpu.inUse()) {
                inUse.add(gpu.ordinal());
            }
        }
        boolean first = manifest.schema().equals(Manifest.FIRST_SCHEMA);
        List<Integer> tasks = manifest.device().taskIds();
        require(first == tasks.isEmpty(), "device.taskIds is empty");
        require(
                manifest.process().taskIds().containsAll(tasks)
                        && tasks.stream().distinct().count() == tasks.size(),
                "device.taskIds are not tasks of the process: " + tasks);
        Set<Long> ids = new HashSet<>();
        long total = 0;
        for (Allocation allocation : manifest.device().allocations()) {
            String where = "allocation " + allocation.id();
            require(ids.add(allocation.id()), where + " is named twice");
            require(ADDRESS.matcher(allocation.address()).matches(), where + " has no hex address");
            require(inUse.contains(allocation.gpuOrdinal()), where + " is on a GPU that is not named, or not in use");
            checkSum(where, allocation.sizeBytes(), allocation.chunks());
            checkFixed(where, allocation.chunks());
            total = add(where, total, allocation.sizeBytes());
        }
        return total;
    }

    private static long checkFiles(List<HostFile> files) throws ManifestException {
        Set<String> names = new HashSet<>();
        long total = 0;
        for (HostFile file : files) {
            require(
                    FILE_NAME.matcher(file.name()).matches() && !file.name().contains(".."),
                    "host file has a name that is not plain");
            String where = "host file " + file.name();
            require(names.add(file.name()), where + " is named twice");
            require(file.mode() >= 0 && file.mode() <= 0777, where + " has no permission bits");
            checkSum(where, file.sizeBytes(), file.chunks());
            total = add(where, total, file.sizeBytes());
        }
        return total;
    }

    static void checkFixed(String where, List<ChunkRef> chunks) throws ManifestException {
        for (int i = 0; i < chunks.size() - 1; i++) {
            require(
                    chunks.get(i).sizeBytes() == TreeDigester.MAX_CHUNK_BYTES,
                    where + " has a short chunk before its last");
        }
    }

    static void checkSum(String where, long sizeBytes, List<ChunkRef> chunks) throws ManifestException {
        require(sizeBytes >= 0, where + " has a negative size");
        long sum = 0;
        for (ChunkRef chunk : chunks) {
            sum = add(where, sum, chunk.sizeBytes());
        }
        require(sum == sizeBytes, where + " has " + sizeBytes + " bytes, its chunks " + sum);
    }

    private static void checkTotals(Manifest manifest, long vramBytes, long hostBytes) throws ManifestException {
        Manifest.Totals totals = manifest.totals();
        require(totals.vramBytes() == vramBytes, "totals.vramBytes is not the allocations' sum");
        require(totals.hostBytes() == hostBytes, "totals.hostBytes is not the files' and areas' sum");
        require(
                totals.logicalBytes() == add("totals", vramBytes, hostBytes),
                "totals.logicalBytes is not vramBytes + hostBytes");
        require(totals.chunksTotal() == manifest.chunks().count(), "totals.chunksTotal is not the number of chunks");
        require(
                totals.chunksZero()
                        == manifest.chunks().filter(ChunkRef::isZero).count(),
                "totals.chunksZero is not the number of zero chunks");
        require(
                totals.chunksStored() >= 0 && totals.chunksStored() <= totals.chunksTotal() - totals.chunksZero(),
                "totals.chunksStored is out of range");
        require(
                totals.storedBytes() >= 0 && totals.storedBytes() <= totals.logicalBytes(),
                "totals.storedBytes is out of range");
    }

    private static void checkProcess(Manifest.ProcessImage process) throws ManifestException {
        require(process.pid() > 0, "process.pid is not positive");
        require(process.workingDirectory().startsWith("/"), "process.workingDirectory is not absolute");
        for (Manifest.OpenFile file : process.openFiles()) {
            require(plainPath(file.path()), "process.openFiles has a path that is not absolute and plain");
            require(OPEN_MODES.contains(file.mode()), "process.openFiles has mode " + file.mode());
            require(file.sizeBytes() >= 0, "process.openFiles has a negative size");
        }
        for (String path : process.unixSockets()) {
            require(plainPath(path), "process.unixSockets has a path that is not absolute and plain");
        }
        for (Manifest.ListeningSocket socket : process.listeningSockets()) {
            require(socket.port() > 0 && socket.port() <= 65535, "process.listeningSockets has port " + socket.port());
        }
    }

    /** The daemon may create what these name, so nothing in them may lead elsewhere. */
    static boolean plainPath(String path) {
        return path.startsWith("/") && path.indexOf('\0') < 0 && !(path + "/").contains("/../");
    }

    static long add(String where, long a, long b) throws ManifestException {
        try {
            return Math.addExact(a, b);
        } catch (ArithmeticException e) {
            throw new ManifestException(where + ": sizes overflow", e);
        }
    }

    static void require(boolean holds, String otherwise) throws ManifestException {
        if (!holds) {
            throw new ManifestException("manifest refused: " + otherwise);
        }
    }
}
