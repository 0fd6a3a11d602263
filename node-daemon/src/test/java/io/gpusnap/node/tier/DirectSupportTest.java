package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DirectSupportTest {

    private final DirectSupport support = new DirectSupport();

    @Test
    void aFileSystemOnWhichItNeverWorkedIsNotAskedAgain() {
        assertThat(support.possible()).isTrue();
        support.failed();
        assertThat(support.possible()).isFalse();
    }

    @Test
    void oneBadFileDoesNotTakeItFromAllOthers() {
        support.worked();
        support.failed();
        assertThat(support.possible()).isTrue();
    }

    @Test
    void whatWorksAfterAllIsUsedAgain() {
        support.failed();
        // a read that was under way when another one failed
        support.worked();
        assertThat(support.possible()).isTrue();
    }
}
