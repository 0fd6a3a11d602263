package io.gpusnap.service.model;

import java.util.Optional;
import org.springframework.data.jpa.repository.JpaSpecificationExecutor;
import org.springframework.data.repository.Repository;

interface ModelRepository extends Repository<Model, String>, JpaSpecificationExecutor<Model> {
    Model saveAndFlush(Model model);

    Optional<Model> findById(String name);

    boolean existsById(String name);

    void delete(Model model);

    void flush();
}
