package io.gpusnap.service.version;

import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.repository.Repository;

interface ModelVersionRepository extends Repository<ModelVersion, UUID>, JpaSpecificationExecutor<ModelVersion> {
    ModelVersion saveAndFlush(ModelVersion version);

    Optional<ModelVersion> findByModelNameAndName(String modelName, String name);

    boolean existsByModelNameAndName(String modelName, String name);

    void delete(ModelVersion version);

    void flush();
}
