package io.gpusnap.service.platform.config;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;

/** Says in one line which setting stopped the start. */
public final class BadConfigurationAnalyzer extends AbstractFailureAnalyzer<BadConfigurationException>
        implements Ordered {
    @Override
    protected FailureAnalysis analyze(Throwable root, BadConfigurationException cause) {
        return new FailureAnalysis(cause.property() + ": " + cause.reason(), null, cause);
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }
}
