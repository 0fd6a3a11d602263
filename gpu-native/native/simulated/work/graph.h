// Graphs: nodes in an order that respects their dependencies, which is the order in which they were added.
#pragma once

#include <cuda_abi.h>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/registry.h"
#include "work/queue.h"

namespace gpusnap::simulated {

struct Node {
  CUgraphNodeType type;
  Work work;
};

struct Graph {
  std::vector<std::shared_ptr<Node>> nodes;
  // Memory that alloc nodes made: lives as long as the graph and its executables.
  std::vector<std::shared_ptr<void>> memory;

  CUgraphNode add(CUgraphNodeType type, Work work);
  bool contains(const void* node) const;
};

struct GraphExec {
  Graph content;
};

struct Stream;

// One capture, shared by the streams that take part.
struct Capture {
  std::shared_ptr<Graph> graph;
  CUstreamCaptureMode mode;
  std::thread::id thread;
  const Stream* origin;
  uint64_t id;
  bool invalidated = false;
  std::vector<std::weak_ptr<Stream>> joined;
};

Registry<Graph>& graphs();
Registry<GraphExec>& graph_execs();
std::shared_ptr<Node> find_node(CUgraphNode node);

}  // namespace gpusnap::simulated
