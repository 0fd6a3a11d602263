#include "work/graph.h"

#include <algorithm>

namespace gpusnap::simulated {

CUgraphNode Graph::add(CUgraphNodeType type, Work work) {
  nodes.push_back(std::make_shared<Node>(Node{type, std::move(work)}));
  return reinterpret_cast<CUgraphNode>(nodes.back().get());
}

bool Graph::contains(const void* node) const {
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& known) { return known.get() == node; });
}

Registry<Graph>& graphs() {
  static auto* instance = new Registry<Graph>;
  return *instance;
}

Registry<GraphExec>& graph_execs() {
  static auto* instance = new Registry<GraphExec>;
  return *instance;
}

std::shared_ptr<Node> find_node(CUgraphNode node) {
  for (const auto& graph : graphs().all()) {
    for (const auto& known : graph->nodes) {
      if (static_cast<const void*>(known.get()) == node) return known;
    }
  }
  fail(CUDA_ERROR_INVALID_VALUE);
}

}  // namespace gpusnap::simulated
