package io.gpusnap.service.restore;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;
import java.util.Objects;

/** How long ways back should take and how fast nodes are, out of a version's last thaws. Pure. */
final class Forecast {
    private final List<Surroundings.Thaw> thaws;
    private final long assumedBytesPerSecond;

    Forecast(List<Surroundings.Thaw> thaws, long assumedBytesPerSecond) {
        this.thaws = thaws;
        this.assumedBytesPerSecond = assumedBytesPerSecond;
    }

    /**
     * Seconds from now to a healthy process.
     *
     * @param waiting operations that the node does first; each is taken to last as long as this one
     * @param missingBytes that have to come from elsewhere first
     */
    ExpectedTime of(Offer offer, NodeId node, int waiting, long missingBytes) {
        double[] here = seconds(node);
        double[] anywhere =
                thaws.stream().mapToDouble(Surroundings.Thaw::seconds).sorted().toArray();
        ExpectedTime.Basis basis;
        double thaw;
        int samples;
        if (here.length > 0) {
            basis = ExpectedTime.Basis.MEASURED_HERE;
            thaw = median(here);
            samples = here.length;
        } else if (anywhere.length > 0) {
            basis = ExpectedTime.Basis.MEASURED_ELSEWHERE;
            thaw = median(anywhere);
            samples = anywhere.length;
        } else {
            basis = ExpectedTime.Basis.ASSUMED;
            thaw = (double) offer.logicalBytes() / assumedBytesPerSecond;
            samples = 0;
        }
        double queue = waiting * thaw;
        double fetch = (double) missingBytes / assumedBytesPerSecond;
        return new ExpectedTime(
                queue + fetch + thaw,
                List.of(
                        new ExpectedTime.Part("queue", queue),
                        new ExpectedTime.Part("fetch", fetch),
                        new ExpectedTime.Part("thaw", thaw)),
                basis,
                samples);
    }

    /** Median rate at which the node filled devices; 0 when it never did. */
    double bytesPerSecond(NodeId node) {
        double[] rates = thaws.stream()
                .filter(thaw -> thaw.node().equals(node))
                .map(Surroundings.Thaw::bytesPerSecond)
                .filter(Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        return rates.length == 0 ? 0 : median(rates);
    }

    private double[] seconds(NodeId node) {
        return thaws.stream()
                .filter(thaw -> thaw.node().equals(node))
                .mapToDouble(Surroundings.Thaw::seconds)
                .sorted()
                .toArray();
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
