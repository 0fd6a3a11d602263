package io.gpusnap.service.restore;

import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface RestoreRepository extends Repository<Restore, UUID>, JpaSpecificationExecutor<Restore> {
    Restore saveAndFlush(Restore restore);

    Optional<Restore> findById(UUID id);

    boolean existsBySnapshotIdAndThawSecondsNotNull(UUID snapshot);

    /**
     * The newest READY snapshot of a model version that can still come back. A suspend snapshot cannot once it was resumed
     * or its process is gone; it stays READY, since nothing is wrong with what is stored.
     */
    @Query(nativeQuery = true, value = """
            SELECT s.id FROM snapshot s LEFT JOIN workload w ON w.id = s.workload_id
             WHERE s.model_name = :model AND s.version_name = :version AND s.state = 'READY'
               AND (s.engine <> 'suspend'
                    OR w.state NOT IN ('GONE', 'LOST')
                       AND NOT EXISTS (SELECT 1 FROM restore r WHERE r.snapshot_id = s.id AND r.thaw_seconds IS NOT NULL))
             ORDER BY s.id DESC LIMIT 1
            """)
    Optional<UUID> newestThatCanComeBack(String model, String version);
}
