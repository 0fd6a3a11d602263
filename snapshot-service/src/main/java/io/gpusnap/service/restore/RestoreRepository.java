package io.gpusnap.service.restore;

import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.repository.Repository;

interface RestoreRepository extends Repository<Restore, UUID>, JpaSpecificationExecutor<Restore> {
    Restore saveAndFlush(Restore restore);

    Optional<Restore> findById(UUID id);

    boolean existsBySnapshotIdAndThawSecondsNotNull(UUID snapshot);
}
