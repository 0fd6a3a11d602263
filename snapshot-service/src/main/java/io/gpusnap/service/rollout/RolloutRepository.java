package io.gpusnap.service.rollout;

import jakarta.persistence.LockModeType;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface RolloutRepository extends Repository<Rollout, UUID>, JpaSpecificationExecutor<Rollout> {
    Rollout saveAndFlush(Rollout rollout);

    Optional<Rollout> findById(UUID id);

    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("select r from Rollout r where r.id = :id")
    Optional<Rollout> lock(UUID id);
}
