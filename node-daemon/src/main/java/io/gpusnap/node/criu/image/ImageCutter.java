package io.gpusnap.node.criu.image;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes plain memory out of a dump, because CRIU restores memory in one thread. The dump stays as it is: what is left of a
 * page map and its pages is written anew into a folder beside it, once and small. {@link BlockPlan} says what leaves.
 */
public final class ImageCutter {

    private static final Logger LOG = LoggerFactory.getLogger(ImageCutter.class);
    private static final Pattern PAGE_MAP = Pattern.compile("pagemap-([0-9]{1,9})\\.img");
    private static final String FOLDER = "cut";

    private record Task(int id, Path file, PageMap pages, List<Vma> vmas) {}

    private record Cut(Task task, List<CutArea> areas, PageMap.Rest rest) {}

    private final Path dump;
    private final List<Path> images;
    private final Path folder;

    /** @param images files of the dump that CRIU needs */
    public ImageCutter(Path dump, List<Path> images) {
        this.dump = dump;
        this.images = images;
        this.folder = dump.resolve(FOLDER);
    }

    /** A dump that is not as expected stays whole, and so does one that there is no room to cut: neither is a failure. */
    public ImageCut cut() {
        try {
            List<Cut> cuts = plan();
            return cuts.isEmpty() ? new ImageCut(images, List.of()) : carryOut(cuts);
        } catch (StrangeImageException | IOException e) {
            LOG.atWarn().addKeyValue("path", dump).log("the process image stays whole: " + e.getMessage());
            return new ImageCut(images, List.of());
        }
    }

    private List<Cut> plan() throws IOException, StrangeImageException {
        List<Task> tasks = tasks();
        Set<Range> shared = sharedByCopyOnWrite(tasks);
        BlockPlan blocks = new BlockPlan(tasks.isEmpty() ? Collections.emptyNavigableSet() : KernelPages.read(images));
        List<Cut> cuts = new ArrayList<>();
        long restBytes = 0;
        for (Task task : tasks) {
            List<CutArea> areas = blocks.areas(
                    task.id(), pagesFile(task.pages()), task.pages().entries(), plain(task, shared));
            if (!areas.isEmpty()) {
                PageMap.Rest rest = task.pages()
                        .without(areas.stream().flatMap(CutArea::ranges).toList());
                if (rest.kept().isEmpty()) {
                    throw new StrangeImageException("nothing would be left of task " + task.id());
                }
                restBytes += rest.sizeBytes();
                cuts.add(new Cut(task, areas, rest));
            }
        }
        if (restBytes > Files.getFileStore(dump).getUsableSpace()) {
            throw new IOException("there is no room for another " + restBytes + " bytes (scratch.dir)");
        }
        return cuts;
    }

    private List<Task> tasks() throws IOException, StrangeImageException {
        if (Files.exists(dump.resolve("parent"), LinkOption.NOFOLLOW_LINKS)) {
            throw new StrangeImageException("it builds on another dump");
        }
        List<Task> tasks = new ArrayList<>();
        Set<Long> pagesFiles = new HashSet<>();
        for (Path image : images) {
            Matcher name = PAGE_MAP.matcher(image.getFileName().toString());
            if (!name.matches()) {
                continue;
            }
            int id = Integer.parseInt(name.group(1));
            PageMap pages = PageMap.read(image);
            if (!pagesFiles.add(pages.pagesId())) {
                throw new StrangeImageException("two tasks share pages-" + pages.pagesId() + ".img");
            }
            long sizeBytes = Files.size(pagesFile(pages));
            if (sizeBytes != pages.sizeBytes()) {
                throw new StrangeImageException("%s names %d bytes, its pages file has %d"
                        .formatted(image.getFileName(), pages.sizeBytes(), sizeBytes));
            }
            tasks.add(new Task(id, image, pages, Vma.read(dump.resolve("mm-" + id + ".img"))));
        }
        return tasks;
    }

    private Path pagesFile(PageMap pages) {
        return dump.resolve("pages-" + pages.pagesId() + ".img");
    }

    /**
     * Mappings that a fork may have left in several tasks at the same place. CRIU restores those in the parent and lets the
     * children have the same pages; filled in one by one, each task would have a copy of its own.
     */
    private static Set<Range> sharedByCopyOnWrite(List<Task> tasks) {
        Set<Range> seen = new HashSet<>();
        Set<Range> shared = new HashSet<>();
        for (Task task : tasks) {
            for (Vma vma : task.vmas()) {
                if (!seen.add(vma.range())) {
                    shared.add(vma.range());
                }
            }
        }
        return shared;
    }

    private static List<Vma> plain(Task task, Set<Range> shared) {
        return task.vmas().stream()
                .filter(vma -> vma.isPlainMemory()
                        && vma.range().sizeBytes() >= BlockPlan.MIN_VMA_BYTES
                        && !shared.contains(vma.range()))
                .sorted(Comparator.comparingLong(vma -> vma.range().start()))
                .toList();
    }

    private ImageCut carryOut(List<Cut> cuts) throws IOException {
        makeFolder();
        Map<Path, Path> replaced = new HashMap<>();
        List<CutArea> areas = new ArrayList<>();
        for (Cut cut : cuts) {
            Task task = cut.task();
            Path pages = pagesFile(task.pages());
            Path pageMap = folder.resolve(task.file().getFileName());
            Path rest = folder.resolve(pages.getFileName());
            ImageFile.write(pageMap, ImageFile.PAGEMAP, cut.rest().messages());
            copy(pages, cut.rest().kept(), rest);
            sameMode(task.file(), pageMap);
            sameMode(pages, rest);
            replaced.put(task.file(), pageMap);
            replaced.put(pages, rest);
            areas.addAll(cut.areas());
        }
        return new ImageCut(
                images.stream()
                        .map(image -> replaced.getOrDefault(image, image))
                        .toList(),
                areas);
    }

    /** An earlier daemon may have left one behind, half-made. */
    private void makeFolder() throws IOException {
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(
                folder,
                Set.of(
                        PosixFilePermission.OWNER_READ,
                        PosixFilePermission.OWNER_WRITE,
                        PosixFilePermission.OWNER_EXECUTE));
        for (Path file : Folders.list(folder)) {
            Files.delete(file);
        }
    }

    private static void copy(Path from, List<Range> ranges, Path to) throws IOException {
        try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
                FileChannel target = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (Range range : ranges) {
                for (long done = 0; done < range.sizeBytes(); ) {
                    long copied = source.transferTo(range.start() + done, range.sizeBytes() - done, target);
                    if (copied <= 0) {
                        throw new IOException(from + " ended at " + (range.start() + done));
                    }
                    done += copied;
                }
            }
        }
    }

    private static void sameMode(Path from, Path to) throws IOException {
        Files.setPosixFilePermissions(to, Files.getPosixFilePermissions(from, LinkOption.NOFOLLOW_LINKS));
    }
}
