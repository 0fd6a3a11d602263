package io.gpusnap.service.kubernetes;

import io.gpusnap.service.platform.config.BadConfigurationException;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.kubernetes.*}.
 *
 * @param enabled whether there is a cluster to work with
 * @param kubeconfig of the cluster; absent: the pod's own service account
 * @param namespace where the service itself lives
 * @param workers so many resources are looked at side by side
 * @param lease so long the operator is the instance's that took it; renewed three times as often
 * @param followInterval how often the catalogue is asked what has changed
 * @param scanInterval how often models are asked for what has changed, and pods are compared
 * @param retryMost longest wait before something that failed is tried again
 * @param snapshotPatience so long a PodSnapshot waits for its pod's process to be one that can be frozen
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.kubernetes", ignoreUnknownFields = false)
public record KubernetesSettings(
        @DefaultValue("false") boolean enabled,
        @Nullable Path kubeconfig,
        @NotBlank @DefaultValue("gpusnap-system") String namespace,
        @Min(1) @Max(64) @DefaultValue("4") int workers,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("15s")
        Duration lease,

        @NotNull @DurationMin(millis = 10) @DefaultValue("1s")
        Duration followInterval,

        @NotNull @DurationMin(millis = 100) @DefaultValue("30s")
        Duration scanInterval,

        @NotNull @DurationMin(millis = 100) @DefaultValue("5m")
        Duration retryMost,

        @NotNull @DurationMin(seconds = 10) @DefaultValue("10m")
        Duration snapshotPatience,

        @Valid @DefaultValue Webhook webhook,
        @Valid @DefaultValue Archive archive) {

    /**
     * VolumeSnapshots of the shared tier's claim.
     *
     * @param claim of the service's own namespace; absent: none are taken
     * @param every length of a span of time that has one; of a day it begins at midnight UTC
     * @param keep so many that are ready are kept
     * @param volumeSnapshotClass absent: the default of the claim's driver
     */
    public record Archive(
            @Pattern(
                    regexp = "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?",
                    message = "must be a DNS name of at most 63 characters")
            @Nullable
            String claim,

            @NotNull @DurationMin(minutes = 10) @DefaultValue("24h")
            Duration every,

            @Min(1) @Max(1000) @DefaultValue("7") int keep,

            @Pattern(regexp = "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", message = "must be a DNS name") @Nullable
            String volumeSnapshotClass) {}

    /**
     * The admission webhook.
     *
     * @param enabled whether this instance listens
     * @param address where
     * @param port 0 for any
     * @param service name of the Service in front of it; certificates are for it
     * @param hosts other names and addresses that certificates are for
     * @param configuration name of the MutatingWebhookConfiguration that the certificate authority is written to
     * @param secret name of the Secret with the certificates
     * @param validity of a certificate
     * @param renewBefore a certificate is renewed so long before it ends; shorter than {@code validity}
     * @param hostFolder on each node, where the daemon's installation has put preload library and placeholder
     * @param mountPath where the container sees it
     * @param patience so long a placeholder waits for a thaw that nobody begins
     */
    public record Webhook(
            @DefaultValue("true") boolean enabled,
            @NotBlank @DefaultValue("0.0.0.0") String address,
            @Min(0) @Max(65535) @DefaultValue("9443") int port,
            @NotBlank @DefaultValue("gpusnap-webhook") String service,
            @NotNull @DefaultValue({}) List<@NotBlank String> hosts,
            @NotBlank @DefaultValue("gpusnap") String configuration,
            @NotBlank @DefaultValue("gpusnap-webhook-tls") String secret,

            @NotNull @DurationMin(minutes = 1) @DefaultValue("90d")
            Duration validity,

            @NotNull @DurationMin(seconds = 1) @DefaultValue("30d")
            Duration renewBefore,

            @NotBlank @DefaultValue("/var/lib/gpusnap/lib") String hostFolder,
            @NotBlank @DefaultValue("/opt/gpusnap") String mountPath,

            @NotNull @DurationMin(seconds = 1) @DefaultValue("5m")
            Duration patience) {

        public Webhook {
            if (validity != null && renewBefore != null && renewBefore.compareTo(validity) >= 0) {
                throw new BadConfigurationException(
                        "gpusnap.kubernetes.webhook.renew-before",
                        "must be less than gpusnap.kubernetes.webhook.validity (" + validity + "), is " + renewBefore);
            }
        }
    }
}
