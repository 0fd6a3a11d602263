package io.gpusnap.node.tier.nfs;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Names of objects by the folders that they lie in, in the order of their paths. No object is looked at. */
final class ShareListing {

    /** What lies in a folder, in no order; nothing where there is no such folder. */
    @FunctionalInterface
    interface Folders {
        List<Path> in(Path folder) throws TierException;
    }

    private final Path root;
    private final Folders folders;

    ShareListing(Path root, Folders folders) {
        this.root = root;
        this.folders = folders;
    }

    /** Where objects of a folder lie; packs have many such places, of which those are left out whose objects all come before this. */
    List<Path> groups(BlobKey.Folder folder, String after) throws TierException {
        Path top = root.resolve(folder.prefix());
        if (folder != BlobKey.Folder.PACKS) {
            return List.of(top);
        }
        List<Path> groups = new ArrayList<>();
        for (Path group : folders.in(top)) {
            String start = root.relativize(group) + "/";
            if (start.compareTo(after) > 0 || after.startsWith(start)) {
                groups.add(group);
            }
        }
        groups.sort(Comparator.naturalOrder());
        return groups;
    }

    List<BlobKey> keys(Path group) throws TierException {
        return folders.in(group).stream()
                .sorted()
                .map(path -> BlobKey.ofListed(root.relativize(path).toString()))
                .flatMap(Optional::stream)
                .toList();
    }
}
