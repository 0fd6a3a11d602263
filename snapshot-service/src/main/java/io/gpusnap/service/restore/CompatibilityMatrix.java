package io.gpusnap.service.restore;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.restore.gate.Demand;
import io.gpusnap.service.restore.gate.Gates;
import io.gpusnap.service.restore.gate.Objection;
import io.gpusnap.service.snapshot.CompatibilityClass;
import io.gpusnap.service.snapshot.CompatibilityClasses;
import io.gpusnap.service.version.ModelVersions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Which node could run which snapshots of a version. */
@Service
public class CompatibilityMatrix {
    private final Offers offers;
    private final CompatibilityClasses classes;
    private final Nodes nodes;
    private final ModelVersions versions;

    CompatibilityMatrix(Offers offers, CompatibilityClasses classes, Nodes nodes, ModelVersions versions) {
        this.offers = offers;
        this.classes = classes;
        this.nodes = nodes;
        this.versions = versions;
    }

    /**
     * A compatibility class of the version.
     *
     * @param snapshotId its newest READY snapshot
     * @param driverBranch the first number of the driver's build
     * @param facts absent where the manifest did not say
     */
    public record ClassView(
            String key,
            Engine engine,
            SnapshotId snapshotId,
            @Nullable String driverBranch,
            @Nullable CompatibilityClass facts) {}

    /** Whether a node could run the class. */
    public record Cell(String key, boolean able, List<Objection> objections) {}

    /** What a node could run. */
    public record Row(NodeId nodeId, String nodeName, List<Cell> classes) {}

    /** All classes of the version, and one page of nodes. */
    public record Matrix(List<ClassView> classes, Page<Row> nodes) {}

    /** @throws io.gpusnap.service.platform.problem.ApiException MODEL_NOT_FOUND, VERSION_NOT_FOUND */
    @Transactional(readOnly = true)
    public Matrix of(String model, String version, PageQuery query) {
        Constraints image =
                Constraints.NONE.inImage(versions.get(model, version).image().orElse(null));
        List<Offer> newest = offers.full(model, version).stream()
                .filter(offer -> offer.age() == 0)
                .toList();
        Map<String, CompatibilityClass> known =
                classes.find(newest.stream().map(Offer::classKey).collect(Collectors.toSet()));
        return new Matrix(
                newest.stream().map(offer -> view(offer, known)).toList(),
                nodes.list(query).map(node -> row(node, newest, known, image)));
    }

    private static ClassView view(Offer offer, Map<String, CompatibilityClass> known) {
        CompatibilityClass facts = known.get(offer.classKey());
        return new ClassView(
                offer.classKey(), offer.engine(), offer.id(), facts == null ? null : facts.driverBranch(), facts);
    }

    private static Row row(Node node, List<Offer> newest, Map<String, CompatibilityClass> known, Constraints image) {
        return new Row(
                node.id(),
                node.name(),
                newest.stream().map(offer -> cell(offer, node, known, image)).toList());
    }

    private static Cell cell(Offer offer, Node node, Map<String, CompatibilityClass> known, Constraints image) {
        List<Objection> objections = Gates.objections(
                new Demand(offer.engine(), Optional.ofNullable(known.get(offer.classKey())), offer.needs())
                        .inContainer(offer.isOfContainer()),
                node,
                image);
        return new Cell(offer.classKey(), objections.isEmpty(), objections);
    }
}
