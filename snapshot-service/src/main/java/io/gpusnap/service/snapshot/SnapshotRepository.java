package io.gpusnap.service.snapshot;

import jakarta.persistence.LockModeType;
import jakarta.persistence.QueryHint;
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
import org.springframework.data.jpa.repository.QueryHints;
import org.springframework.data.repository.Repository;

interface SnapshotRepository extends Repository<Snapshot, UUID>, JpaSpecificationExecutor<Snapshot> {
    Snapshot saveAndFlush(Snapshot snapshot);

    Optional<Snapshot> findById(UUID id);

    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("select s from Snapshot s where s.id = :id")
    Optional<Snapshot> lock(UUID id);

    /** Those of a process that are of an engine and in a state, but for one; what somebody else has locked is passed over. */
    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @QueryHints(@QueryHint(name = "jakarta.persistence.lock.timeout", value = "-2"))
    @Query("select s from Snapshot s where s.workloadId = :workload and s.engine = :engine and s.state = :state"
            + " and s.id <> :except order by s.id")
    List<Snapshot> lockOthers(UUID workload, String engine, SnapshotState state, UUID except);

    /** Not its ETag: callers see nothing of it. */
    @Modifying
    @Query("update Snapshot s set s.thawFailures = 0 where s.id = :id and s.thawFailures <> 0")
    void forgetThawFailures(UUID id);

    List<Snapshot> findByUpdatedAtGreaterThanEqualOrderByUpdatedAt(Instant since, Limit most);

    long countByVersionIdAndStateIn(UUID version, Collection<SnapshotState> states);
}
