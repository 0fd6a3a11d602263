package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.version.VersionFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.transaction.annotation.Transactional;

/** Models and versions that come into the catalogue with a first snapshot. */
@KubernetesComponent
class FirstVersions {
    private final ModelOwners owners;
    private final Models models;
    private final ModelVersions versions;

    FirstVersions(ModelOwners owners, Models models, ModelVersions versions) {
        this.owners = owners;
        this.models = models;
        this.versions = versions;
    }

    /**
     * Makes model and version if they are not there, and the model the namespace's: all of it or nothing.
     *
     * @return false if the model is another namespace's by now
     * @throws ApiException NAME_TAKEN if somebody makes the same at the same time
     */
    @Transactional
    public boolean make(String namespace, String model, String version, Container container) {
        owners.claim(namespace, model);
        if (owners.objection(namespace, model).isPresent()) {
            return false;
        }
        if (models.find(model).isEmpty()) {
            models.create(model, "", Map.of());
        }
        if (versions.find(model, version).isEmpty()) {
            List<String> arguments = new ArrayList<>(container.getCommand());
            arguments.addAll(container.getArgs());
            versions.create(
                    model,
                    version,
                    null,
                    new VersionFacts(container.getImage(), arguments, null, null, null, null, null, Map.of()));
        }
        return true;
    }
}
