package io.gpusnap.service.version;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface ModelVersionRepository extends Repository<ModelVersion, UUID>, JpaSpecificationExecutor<ModelVersion> {
    ModelVersion saveAndFlush(ModelVersion version);

    Optional<ModelVersion> findByModelNameAndName(String modelName, String name);

    Optional<ModelVersion> findById(UUID id);

    /** In one statement, so that a change made at the same time either came before or is refused. */
    @Modifying
    @Query(
            "update ModelVersion v set v.frozenAt = :now, v.version = v.version + 1 where v.id = :id and v.frozenAt is null")
    int freeze(UUID id, Instant now);

    boolean existsByModelNameAndName(String modelName, String name);

    void delete(ModelVersion version);

    void flush();
}
