package io.gpusnap.service.snapshot;

import jakarta.persistence.LockModeType;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface SnapshotRepository extends Repository<Snapshot, UUID>, JpaSpecificationExecutor<Snapshot> {
    Snapshot saveAndFlush(Snapshot snapshot);

    Optional<Snapshot> findById(UUID id);

    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("select s from Snapshot s where s.id = :id")
    Optional<Snapshot> lock(UUID id);

    /** Not its ETag: callers see nothing of it. */
    @Modifying
    @Query("update Snapshot s set s.thawFailures = 0 where s.id = :id and s.thawFailures <> 0")
    void forgetThawFailures(UUID id);

    List<Snapshot> findByUpdatedAtGreaterThanEqualOrderByUpdatedAt(Instant since, Limit most);

    long countByVersionIdAndStateIn(UUID version, Collection<SnapshotState> states);
}
