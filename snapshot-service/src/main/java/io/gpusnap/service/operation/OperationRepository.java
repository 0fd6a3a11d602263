package io.gpusnap.service.operation;

import jakarta.persistence.LockModeType;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface OperationRepository extends Repository<Operation, UUID>, JpaSpecificationExecutor<Operation> {
    Operation saveAndFlush(Operation operation);

    Optional<Operation> findById(UUID id);

    List<Operation> findByRestoreIdIn(Collection<UUID> restores);

    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("select o from Operation o where o.id = :id")
    Optional<Operation> lock(UUID id);

    boolean existsBySnapshotIdAndKindInAndStateIn(
            UUID snapshot, Collection<OperationKind> kinds, Collection<OperationState> states);
}
