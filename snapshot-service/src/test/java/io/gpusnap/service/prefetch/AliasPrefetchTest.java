package io.gpusnap.service.prefetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** Two nodes that share a bucket; version 1 is only in the bucket by now, and version 2 serves on one of the nodes. */
@ServiceTest
class AliasPrefetchTest {
    @Autowired
    private Api api;

    @Autowired
    private Moves moves;

    @Autowired
    private ColdPlaces places;

    private FakeSharedStore bucket;
    private FakeDaemon serving;
    private FakeDaemon other;
    private String stable;
    private String old;

    @BeforeEach
    void givenAVersionBeforeThatIsColdWhereTheAliasServes() {
        Catalogue first = Catalogue.create(api);
        bucket = new FakeSharedStore();
        other = FakeDaemon.start(api, bucket);
        serving = FakeDaemon.start(api, bucket);
        old = other.save(first, 21);
        String aliases = "/api/v1/models/" + first.model() + "/aliases";
        stable = aliases + "/stable";
        api.once()
                .post(aliases, Map.of("name", "stable", "version", first.version(), "reason", "first"))
                .expect(201);
        api.once()
                .post("/api/v1/models/" + first.model() + "/versions", Map.of("name", "v2"))
                .expect(201);
        Catalogue second = new Catalogue(api, first.model(), "v2");
        String now = serving.save(second, 22);
        api.with("If-Match", "*")
                .patch(stable, Map.of("version", "v2", "reason", "better"))
                .expect(200);
        api.once()
                .post("/api/v1/restores", Map.of("snapshotId", now, "nodeId", serving.id()))
                .expect(202);
        serving.work();
        moves.copy(new Moves.Copy(
                SnapshotId.of(old),
                NodeId.of(other.id()),
                new StoreId(bucket.id()),
                null,
                TransferPriority.NORMAL,
                "the test wants it"));
        other.work();
    }

    @Test
    void aRollbackBringsTheVersionBeforeToWhereTheAliasServes() {
        api.with("If-Match", "*")
                .post(stable + "/rollback", Map.of("reason", "customers complain"))
                .expect(200);

        assertThat(serving.work()).isOne();
        assertThat(serving.done()).endsWith("TRANSFER " + old);
        assertThat(serving.own()).contains(old);
        assertThat(other.work()).isZero();
        JsonNode copies = api.get("/api/v1/snapshots/" + old).json().path("locations");
        assertThat(copies).anySatisfy(copy -> {
            assertThat(copy.path("nodeId").asString("")).isEqualTo(serving.id());
            assertThat(copy.path("state").asString()).isEqualTo("PRESENT");
            assertThat(copy.path("reason").asString("")).startsWith("Alias stable of");
        });
        assertThat(api.get("/api/v1/snapshots/" + old + "/placement/explain")
                        .expect(200)
                        .json()
                        .path("copies")
                        .valueStream())
                .extracting(
                        copy -> copy.path("nodeId").asString("the bucket"),
                        copy -> copy.path("reason").asString())
                .containsExactlyInAnyOrder(
                        tuple(other.id(), "It was saved there."),
                        tuple("the bucket", "the test wants it"),
                        tuple(
                                serving.id(),
                                "Alias stable of " + stable.split("/")[4]
                                        + " stands for v1 now, and its replicas came back on this node."));
    }

    @Test
    void whatIsHotThereAlreadyIsNotBroughtAgain() {
        api.with("If-Match", "*").post(stable + "/rollback", Map.of()).expect(200);
        serving.work();

        api.with("If-Match", "*").patch(stable, Map.of("version", "v2")).expect(200);

        assertThat(serving.work()).isZero();
        assertThat(other.work()).isZero();
    }

    @Test
    void aNodeThatIsClosedTakesNobodysPlace() {
        // given a node where the version came back earlier than on the one that is closed now
        FakeDaemon earlier = FakeDaemon.start(api, bucket);
        String model = stable.split("/")[4];
        comesBack(new Catalogue(api, model, "v2"), earlier, 23);
        comesBack(new Catalogue(api, model, "v2"), serving, 24);
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + serving.id(), Map.of("schedulable", false))
                .expect(200);

        assertThat(places.of(model, "v2", "v1", 1))
                .extracting(place -> place.node().toString())
                .containsExactly(earlier.id());
    }

    private void comesBack(Catalogue version, FakeDaemon node, int pid) {
        String saved = node.save(version, pid);
        api.once()
                .post("/api/v1/restores", Map.of("snapshotId", saved, "nodeId", node.id()))
                .expect(202);
        node.work();
    }
}
