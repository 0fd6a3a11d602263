package io.gpusnap.service.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import externalscaler.ExternalScalerGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** One connection to the scaler, as KEDA has it. */
final class Keda implements AutoCloseable {
    private final ManagedChannel channel;

    Keda(ScalerServer server) {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port())
                .usePlaintext()
                .build();
    }

    ExternalScalerGrpc.ExternalScalerBlockingStub calls() {
        return ExternalScalerGrpc.newBlockingStub(channel).withDeadlineAfter(Duration.ofSeconds(60));
    }

    ExternalScalerGrpc.ExternalScalerStub streams() {
        return ExternalScalerGrpc.newStub(channel);
    }

    @Override
    public void close() throws InterruptedException {
        channel.shutdownNow();
        assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }
}
