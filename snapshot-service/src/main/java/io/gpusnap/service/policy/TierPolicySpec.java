package io.gpusnap.service.policy;

import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.policy.rules.Rule;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a policy says.
 *
 * @param models that it is for; absent or empty: every model that no other policy names
 * @param enabled whether it is carried out; one that is not can still be evaluated as a dry run
 * @param rules in their order
 */
@Schema(name = "TierPolicySpec")
public record TierPolicySpec(
        @Nullable @Size(max = 1000) List<@DnsLabel String> models,
        boolean enabled,
        @NotNull @Size(min = 1, max = 50) List<@NotNull @Valid Rule> rules) {

    List<String> namedModels() {
        return models == null ? List.of() : models;
    }
}
