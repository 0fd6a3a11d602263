package io.gpusnap.service.recovery.web;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.recovery.Recoveries;
import io.gpusnap.service.recovery.Recovery;
import io.gpusnap.service.recovery.RecoveryState;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Recoveries are read only: lost nodes make them. */
@RestController
@RequestMapping("/api/v1/recoveries")
@Tag(name = "Recoveries", description = "Processes of lost nodes, on their way back elsewhere")
class RecoveryController {
    private final Recoveries recoveries;

    RecoveryController(Recoveries recoveries) {
        this.recoveries = recoveries;
    }

    @GetMapping
    @Operation(
            operationId = "listRecoveries",
            summary = "List recoveries, newest first",
            description =
                    "A restore that names a recoveryPriority is done again elsewhere when its node is lost: greater priorities first, a few "
                            + "at a time. A node that comes back with the old process is told to end it.")
    Page<Recovery> list(
            @RequestParam(required = false) @Nullable NodeId node,
            @RequestParam(required = false) @Nullable RecoveryState state,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return recoveries.list(node, state, PageQuery.of("recoveries", pageSize, pageToken, node, state));
    }
}
