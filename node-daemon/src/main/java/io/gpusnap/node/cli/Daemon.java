package io.gpusnap.node.cli;

import io.gpusnap.node.agent.Agent;
import io.gpusnap.node.agent.AgentIdentity;
import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.config.ServiceSettings;
import io.gpusnap.node.metrics.MetricsServer;
import io.gpusnap.node.metrics.OperationMetrics;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationSpec;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running daemon: agent and metrics over one opened node. */
final class Daemon implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    private final LocalNode node;
    private final Agent agent;
    private final Optional<MetricsServer> metrics;
    private final Duration stopGrace;

    private Daemon(LocalNode node, Agent agent, Optional<MetricsServer> metrics, Duration stopGrace) {
        this.node = node;
        this.agent = agent;
        this.metrics = metrics;
        this.stopGrace = stopGrace;
    }

    static Daemon start(NodeSettings settings, ServiceSettings service, LocalNode node) throws CommandException {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Agent agent = new Agent(
                new AgentIdentity(settings.nodeName(), Version.current()),
                new NodeApiClient(service.url()),
                service.token().value(),
                node.journal(),
                node.access(),
                new OperationMetrics(registry, Daemon::engineOf),
                settings.parallelOperations());
        node.access().know(new ServicePeers(agent));
        DaemonPages pages = new DaemonPages(agent, node.access(), registry);
        Optional<MetricsServer> server = Optional.empty();
        if (settings.metricsListen().isPresent()) {
            server = Optional.of(listen(settings.metricsListen().get(), pages));
        }
        agent.start();
        LOG.atInfo()
                .addKeyValue(LogKeys.NODE, settings.nodeName())
                .addKeyValue(LogKeys.SERVICE, service.url())
                .log("node daemon started");
        return new Daemon(node, agent, server, settings.stopGrace());
    }

    /** Stops work as far as the grace allows. */
    @Override
    public void close() {
        try {
            agent.stop(stopGrace);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        metrics.ifPresent(MetricsServer::close);
        node.close();
    }

    private static MetricsServer listen(InetSocketAddress address, DaemonPages pages) throws CommandException {
        try {
            return MetricsServer.start(address, pages.pages());
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "CONFIGURATION",
                    "metrics.listen " + address + " cannot be used: " + e.getMessage(),
                    "set it to a free address of this machine, or to off");
        }
    }

    private static String engineOf(OperationSpec spec) {
        return switch (spec.request()) {
            case Task.Save save -> save.engine();
            case Task.Thaw thaw -> thaw.engine();
            default -> "none";
        };
    }
}
