package io.gpusnap.service.node.web;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.node.Inventory;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.util.UUID;

/**
 * A daemon announces itself.
 *
 * @param name the node's name, a DNS label or dotted DNS name; the same name is the same node
 * @param instanceId new at every start of the daemon
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record RegisterNodeRequest(
        @NotNull
        @Size(max = 253)
        @Pattern(regexp = "[a-z0-9]([-a-z0-9.]*[a-z0-9])?", message = "must be a lower-case DNS name")
        String name,

        @NotNull UUID instanceId,
        @NotBlank @Size(max = 60) String agentVersion,
        @NotNull @Valid Inventory inventory) {}
