package io.gpusnap.service.platform.id;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdTest {
    @Test
    void laterIdsAreGreaterAsTheDatabaseComparesThem() {
        List<String> ids = Stream.generate(SnapshotId::next)
                .limit(10_000)
                .map(SnapshotId::toString)
                .toList();

        assertThat(ids).isSorted().doesNotHaveDuplicates();
        assertThat(ids.getFirst().charAt(14)).isEqualTo('7');
        assertThat(SnapshotId.next().value().variant()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1-1-1-1-1", "not-a-uuid", "019ab7d2-6c10-7a31-9f0e-3b2a6d5c4e01x"})
    void onlyTheCanonicalFormIsAnId(String text) {
        assertThatThrownBy(() -> NodeId.of(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void upperCaseIsTheSameId() {
        NodeId id = NodeId.next();

        assertThat(NodeId.of(id.toString().toUpperCase(java.util.Locale.ROOT))).isEqualTo(id);
    }
}
