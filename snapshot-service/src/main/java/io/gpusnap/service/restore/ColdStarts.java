package io.gpusnap.service.restore;

import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import java.util.List;
import java.util.Optional;
import org.springframework.stereotype.Component;

/** Ends restores that nothing comes back of. */
@Component
class ColdStarts {
    private final RestoreRepository restores;
    private final ModelVersions versions;
    private final RestoreMetrics metrics;
    private final DatabaseClock clock;

    ColdStarts(RestoreRepository restores, ModelVersions versions, RestoreMetrics metrics, DatabaseClock clock) {
        this.restores = restores;
        this.versions = versions;
        this.metrics = metrics;
        this.clock = clock;
    }

    Restore end(Restore restore, ErrorCode code, String detail) {
        restore.cold(of(restore.modelName(), restore.versionName(), code, detail), clock.now());
        metrics.ended(Restore.Outcome.COLD);
        return restores.saveAndFlush(restore);
    }

    ColdStart of(String model, String version, ErrorCode code, String detail) {
        Optional<ModelVersion> known = versions.find(model, version);
        return new ColdStart(
                ColdStart.Action.START_IT_YOURSELF,
                code,
                detail,
                known.flatMap(ModelVersion::image).orElse(null),
                known.map(ModelVersion::engineArguments).orElse(List.of()));
    }
}
