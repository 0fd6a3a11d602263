#include "work/graph.h"

#include "code/module.h"
#include "core/call.h"
#include "work/copy.h"
#include "work/pool.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

// Dependencies must be nodes of the graph already, so that the order of addition is an order of execution.
void add(CUgraphNode* node, CUgraph handle, const CUgraphNode* dependencies, size_t count, CUgraphNodeType type, Work work) {
  require(node != nullptr && (dependencies != nullptr || count == 0));
  const auto graph = graphs().get(handle, CUDA_ERROR_INVALID_VALUE);
  for (size_t i = 0; i < count; ++i) require(graph->contains(dependencies[i]));
  *node = graph->add(type, std::move(work));
}

CUdevice device_of(CUcontext context) {
  return context == nullptr ? current_context()->device : contexts().get(context, CUDA_ERROR_INVALID_CONTEXT)->device;
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuGraphCreate(CUgraph* graph, unsigned int flags) {
  return call(__func__, [&] {
    require(graph != nullptr && flags == 0);
    *graph = graphs().add<CUgraph>(std::make_shared<Graph>());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphDestroy(CUgraph graph) {
  return call(__func__, [&] { graphs().take(graph, CUDA_ERROR_INVALID_VALUE); });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                    size_t count, const CUDA_KERNEL_NODE_PARAMS* p) {
  return call(__func__, [&] {
    require(p != nullptr);
    const void* const handle = p->func != nullptr ? static_cast<const void*>(p->func) : p->kern;
    const unsigned grid[3] = {p->gridDimX, p->gridDimY, p->gridDimZ};
    const unsigned block[3] = {p->blockDimX, p->blockDimY, p->blockDimZ};
    const Launch launch = prepare_launch(functions().get(handle), grid, block, p->sharedMemBytes, p->kernelParams, p->extra);
    require(launch.owns_parameters, CUDA_ERROR_NOT_SUPPORTED);
    add(node, graph, dependencies, count, CU_GRAPH_NODE_TYPE_KERNEL, launch.work);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                 size_t count, const CUDA_MEMCPY3D* params, CUcontext context) {
  return call(__func__, [&] {
    require(params != nullptr);
    add(node, graph, dependencies, count, CU_GRAPH_NODE_TYPE_MEMCPY, copy_work(device_of(context), *params));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                 size_t count, const CUDA_MEMSET_NODE_PARAMS* p, CUcontext context) {
  return call(__func__, [&] {
    require(p != nullptr && (p->elementSize == 1 || p->elementSize == 2 || p->elementSize == 4));
    add(node, graph, dependencies, count, CU_GRAPH_NODE_TYPE_MEMSET,
        fill_work(device_of(context), p->dst, p->pitch, p->value, p->elementSize, p->width, p->height));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddHostNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                               size_t count, const CUDA_HOST_NODE_PARAMS* params) {
  return call(__func__, [&] {
    require(params != nullptr && params->fn != nullptr);
    add(node, graph, dependencies, count, CU_GRAPH_NODE_TYPE_HOST, [host = *params] { host.fn(host.userData); });
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                size_t count) {
  return call(__func__, [&] { add(node, graph, dependencies, count, CU_GRAPH_NODE_TYPE_EMPTY, [] {}); });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddMemAllocNode(CUgraphNode* node, CUgraph handle, const CUgraphNode* dependencies,
                                                   size_t count, CUDA_MEM_ALLOC_NODE_PARAMS* params) {
  return call(__func__, [&] {
    require(params != nullptr && params->poolProps.location.type == CU_MEM_LOCATION_TYPE_DEVICE);
    uint64_t address = 0;
    auto holder = allocate_for_graph(params->bytesize, params->poolProps.location.id, &address);
    add(node, handle, dependencies, count, CU_GRAPH_NODE_TYPE_MEM_ALLOC, [] {});
    graphs().get(handle)->memory.push_back(std::move(holder));
    params->dptr = address;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphAddMemFreeNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                  size_t count, CUdeviceptr address) {
  return call(__func__, [&] {
    require(address != 0);
    add(node, graph, dependencies, count, CU_GRAPH_NODE_TYPE_MEM_FREE, [] {});
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  return call(__func__, [&] {
    require(count != nullptr);
    const auto graph = graphs().get(handle, CUDA_ERROR_INVALID_VALUE);
    if (nodes != nullptr) {
      for (size_t i = 0; i < *count; ++i) {
        nodes[i] = i < graph->nodes.size() ? reinterpret_cast<CUgraphNode>(graph->nodes[i].get()) : nullptr;
      }
    }
    *count = graph->nodes.size();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  return call(__func__, [&] {
    require(type != nullptr);
    *type = find_node(node)->type;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long) {
  return call(__func__, [&] {
    require(exec != nullptr);
    auto made = std::make_shared<GraphExec>(GraphExec{*graphs().get(graph, CUDA_ERROR_INVALID_VALUE)});
    *exec = graph_execs().add<CUgraphExec>(std::move(made));
  });
}

GPUSNAP_SIM_STREAM_CALL(cuGraphLaunch, _ptsz, (CUgraphExec exec, CUstream stream), (exec, stream)) {
  return call("cuGraphLaunch", [&] {
    const auto graph = graph_execs().get(exec, CUDA_ERROR_INVALID_VALUE);
    submit(stream_of(stream), CU_GRAPH_NODE_TYPE_GRAPH, [graph] {
      for (const auto& node : graph->content.nodes) node->work();
    });
  });
}

GPUSNAP_SIM_STREAM_CALL(cuGraphUpload, _ptsz, (CUgraphExec exec, CUstream stream), (exec, stream)) {
  return call("cuGraphUpload", [&] {
    graph_execs().get(exec, CUDA_ERROR_INVALID_VALUE);
    submit(stream_of(stream), CU_GRAPH_NODE_TYPE_EMPTY, [] {});
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGraphExecDestroy(CUgraphExec exec) {
  return call(__func__, [&] { graph_execs().take(exec, CUDA_ERROR_INVALID_VALUE); });
}
