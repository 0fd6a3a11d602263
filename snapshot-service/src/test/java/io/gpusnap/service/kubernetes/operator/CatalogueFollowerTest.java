package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.testing.Api;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** Of what has not changed nothing is heard, however often the clock has the catalogue looked at. */
@KubernetesTest
class CatalogueFollowerTest {
    @Autowired
    private Api api;

    @Autowired
    private KubernetesSettings settings;

    @Autowired
    private Snapshots snapshots;

    @Autowired
    private CatalogueModels models;

    @Autowired
    private Starts starts;

    @Autowired
    private Saves saves;

    @Autowired
    private Watched watched;

    @Autowired
    private DatabaseClock clock;

    @Autowired
    private Operator operator;

    private final String model = "m-" + UUID.randomUUID();
    private CatalogueFollower follower;

    @BeforeEach
    void givenAModelThatWasHeardOf() {
        soon().until(operator::idle);
        follower = new CatalogueFollower(settings, snapshots, models, starts, saves, watched, clock);
        follower.begin();
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
        assertThat(heard()).contains(model);
    }

    /** Models that it has others look at. */
    private List<String> heard() {
        List<Key> keys = new ArrayList<>();
        follower.follow(keys::add);
        return keys.stream()
                .filter(key -> key.kind() == Key.Kind.MODEL)
                .map(Key::name)
                .toList();
    }

    /** What it has others look at until the clock has had the models looked at once more. */
    private List<String> heardInTheNextScan() {
        List<String> all = new ArrayList<>();
        boolean[] scanned = {false};
        soon().until(() -> {
            List<Key> keys = new ArrayList<>();
            follower.follow(keys::add);
            keys.stream()
                    .filter(key -> key.kind() == Key.Kind.MODEL)
                    .map(Key::name)
                    .forEach(all::add);
            scanned[0] |= keys.stream().anyMatch(key -> key.kind() == Key.Kind.PLACEMENT);
            return scanned[0];
        });
        return all;
    }

    @Test
    void aModelIsHeardOfWhenItChangesAndWhenItGoes() {
        assertThat(heardInTheNextScan()).doesNotContain(model);

        api.once()
                .post("/api/v1/models/" + model + "/versions", Map.of("name", "v1"))
                .expect(201);
        assertThat(heardInTheNextScan()).containsOnlyOnce(model);
        api.once()
                .post(
                        "/api/v1/models/" + model + "/aliases",
                        Map.of("name", "stable", "version", "v1", "reason", "first"))
                .expect(201);
        assertThat(heardInTheNextScan()).containsOnlyOnce(model);
        assertThat(heardInTheNextScan()).doesNotContain(model);
    }

    @Test
    void aModelThatRestCallersDeleteIsHeardOf() {
        api.with("If-Match", "*").delete("/api/v1/models/" + model).expect(204);

        assertThat(heardInTheNextScan()).contains(model);
    }
}
