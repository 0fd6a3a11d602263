package io.gpusnap.service.schedule;

import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.Constraints;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.version.ModelVersions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Pools as callers see them. */
@Service
public class Pools {
    private final PoolRepository pools;
    private final DecisionLog decisions;
    private final Nodes nodes;
    private final ModelVersions versions;

    Pools(PoolRepository pools, DecisionLog decisions, Nodes nodes, ModelVersions versions) {
        this.pools = pools;
        this.decisions = decisions;
        this.nodes = nodes;
        this.versions = versions;
    }

    /**
     * Adds a pool; its first round is due at once.
     *
     * @throws ApiException NAME_TAKEN, NODE_NOT_FOUND, IN_USE for a node of another pool, MODEL_NOT_FOUND, VERSION_NOT_FOUND
     */
    @Transactional
    public Pool create(String name, List<NodeId> nodeIds, List<Pool.Member> models) {
        try {
            pools.insert(name);
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "pool_pkey")
                    ? new ApiException(ErrorCode.NAME_TAKEN, "There is a pool called " + name + " already.")
                    : e;
        }
        fill(name, nodeIds, models);
        return get(name);
    }

    /**
     * Reads a pool.
     *
     * @throws ApiException POOL_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public Pool get(String name) {
        return pools.find(name)
                .orElseThrow(() -> new ApiException(ErrorCode.POOL_NOT_FOUND, "No pool is called " + name + "."));
    }

    /** By name. */
    @Transactional(readOnly = true)
    public Page<Pool> list(PageQuery query) {
        return Page.of(query, pools.list(query), Pool::name);
    }

    /** What the scheduler did in the pool, newest first. */
    @Transactional(readOnly = true)
    public Page<PoolDecision> decisions(String name, PageQuery query) {
        get(name);
        return Page.of(
                query, decisions.list(name, query), decision -> decision.id().toString());
    }

    /**
     * Null leaves a part as it is. The next round is due at once.
     *
     * @throws ApiException as for a new one, and PRECONDITION_FAILED
     */
    @Transactional
    public Pool change(
            String name, @Nullable List<NodeId> nodeIds, @Nullable List<Pool.Member> models, IfMatch ifMatch) {
        Pool pool = get(name);
        ifMatch.check(pool.version());
        if (!pools.touch(name, pool.version())) {
            throw changed(name);
        }
        fill(name, nodeIds == null ? pool.nodes() : nodeIds, models == null ? pool.models() : models);
        return get(name);
    }

    /** Deletes a pool; what runs goes on. */
    @Transactional
    public void delete(String name, IfMatch ifMatch) {
        Pool pool = get(name);
        ifMatch.check(pool.version());
        if (!pools.delete(name, pool.version())) {
            throw changed(name);
        }
    }

    private void fill(String name, List<NodeId> nodeIds, List<Pool.Member> models) {
        nodeIds.forEach(nodes::get);
        models.forEach(model -> versions.get(model.model(), model.versionName()));
        try {
            pools.replaceNodes(name, nodeIds.stream().distinct().toList());
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "pool_node_pkey")
                    ? new ApiException(ErrorCode.IN_USE, "A node of the pool is in another pool.")
                    : e;
        }
        pools.replaceModels(name, models);
    }

    private static ApiException changed(String name) {
        return new ApiException(ErrorCode.PRECONDITION_FAILED, "Pool " + name + " was changed meanwhile.");
    }
}
