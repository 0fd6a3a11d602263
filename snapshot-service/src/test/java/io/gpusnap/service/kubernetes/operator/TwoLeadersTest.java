package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.FilterType;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import tools.jackson.databind.JsonNode;

/** An instance that was stopped past its lease goes on as if it led, beside the one that does: nothing is done twice. */
@KubernetesTest
class TwoLeadersTest {
    private static final String DRIVER = "580.1";
    private static final int PODS = 6;

    /** Leads whoever else does. */
    private static final class Unaware extends Leadership {
        Unaware(JdbcClient jdbc, KubernetesSettings settings) {
            super(jdbc, settings);
        }

        @Override
        OptionalLong take(String holder) {
            return OptionalLong.of(1);
        }

        @Override
        void release(String holder) {
            // it is not its own
        }
    }

    /** An operator with watches, queue and workers of its own. */
    @EnableTransactionManagement(proxyTargetClass = true)
    @ComponentScan(
            basePackageClasses = Operator.class,
            excludeFilters = {
                @ComponentScan.Filter(type = FilterType.ASSIGNABLE_TYPE, classes = Leadership.class),
                @ComponentScan.Filter(type = FilterType.REGEX, pattern = ".*(Test|IT)(\\$.*)?")
            })
    static class Another {}

    @Autowired
    private ApplicationContext service;

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private KubernetesSettings settings;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private Operator operator;

    private final AnnotationConfigApplicationContext another = new AnnotationConfigApplicationContext();
    private Given given;

    @BeforeEach
    void givenTwoThatLead() {
        given = new Given(api);
        another.setParent(service);
        another.registerBean("leadership", Leadership.class, () -> new Unaware(jdbc, settings));
        another.register(Another.class);
        another.refresh();
        assertThat(another.getBean(Watched.class)).isNotSameAs(service.getBean(Watched.class));
        soon().until(operator::idle);
        soon().until(another.getBean(Operator.class)::idle);
        webhook.install();
    }

    @AfterEach
    void oneLeadsAgain() {
        another.close();
    }

    private long rows(String table, String column) {
        return jdbc.sql("SELECT count(*) FROM " + table + " WHERE " + column + " = ?")
                .param(given.model)
                .query(Long.class)
                .single();
    }

    @Test
    void oneSnapshotIsTakenAndEachPodIsThawedOnceAndToldOnce() {
        // when a pod is warm, then one snapshot is taken of it
        SimulatedNode node = given.node(DRIVER);
        given.snapshotReady(node, DRIVER);
        Given.quiet(operator);
        assertThat(given.podSnapshots()).hasSize(1);
        assertThat(node.poll(0).status()).as("nothing else is asked of it").isEqualTo(204);
        assertThat(rows("snapshot", "model_name")).isEqualTo(1);

        // when others are made at once
        List<Pod> pods = IntStream.range(0, PODS)
                .mapToObj(i -> given.kubelet.submit(Kubelet.pod(given.namespace, "pod-" + i, "llm", Given.IMAGE)))
                .toList();
        for (Pod pod : pods) {
            String name = pod.getMetadata().getName();
            given.gateIsOpen(name);
            given.kubelet.bind(name, node.name());
            given.kubelet.running(name, false);
        }

        // then each is thawed once
        Map<String, Integer> thawed = new HashMap<>();
        for (int i = 0; i < PODS; i++) {
            JsonNode task = Given.claim(node);
            String uid = task.at("/thaw/container/podUid").asString();
            thawed.merge(uid, 1, Integer::sum);
            node.thawed(task, 5000 + i, uid).expect(204);
        }
        assertThat(thawed).hasSize(PODS);
        for (Pod pod : pods) {
            soon().until(() ->
                    PodPatches.hasStarted(given.kubelet.get(pod.getMetadata().getName())));
        }
        Given.quiet(operator);
        Given.quiet(another.getBean(Operator.class));
        assertThat(node.poll(0).status()).isEqualTo(204);
        assertThat(rows("restore", "model_name")).isEqualTo(PODS);

        // and says so once
        for (Pod pod : pods) {
            soon().untilAsserted(() -> assertThat(given.kubelet.events(pod))
                    .filteredOn(event -> event.startsWith("Normal Restored: "))
                    .hasSize(1));
            assertThat(given.kubelet.events(pod))
                    .filteredOn(event -> event.startsWith("Normal SnapshotFound: "))
                    .hasSizeLessThanOrEqualTo(1);
            assertThat(given.kubelet.events(pod)).noneMatch(event -> event.startsWith("Warning"));
        }
    }
}
