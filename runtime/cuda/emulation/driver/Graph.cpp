// Implements graphs.
#include "runtime/cuda/emulation/driver/Graph.h"

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/driver/Process.h"

#include <algorithm>

namespace mmc::emu::driver {

GraphPlan::~GraphPlan() {
  for (uint32_t stream : streams) process().order.retire(stream);
}

std::shared_ptr<GraphPlan> GraphPlan::instantiate() const {
  auto plan = std::make_shared<GraphPlan>();
  plan->nodes = nodes;
  plan->findBranches();
  for (size_t i = 0; i < plan->lengths.size(); ++i) plan->streams.push_back(process().order.newStream());
  return plan;
}

void GraphPlan::findBranches() {
  for (Node &node : nodes) {
    // The branch of a node that it comes after and that nothing follows yet, or else a new one.
    node.branch = uint32_t(lengths.size());
    for (uint32_t i : node.after)
      if (nodes[i].position == lengths[nodes[i].branch]) node.branch = nodes[i].branch;
    if (node.branch == lengths.size()) lengths.push_back(0);
    node.position = ++lengths[node.branch];
  }
  for (Node &node : nodes) {
    node.before.resize(lengths.size());
    for (uint32_t i : node.after) {
      const Node &earlier = nodes[i];
      for (size_t branch = 0; branch < lengths.size(); ++branch)
        node.before[branch] = std::max(node.before[branch], earlier.before[branch]);
      node.before[earlier.branch] = std::max<uint64_t>(node.before[earlier.branch], earlier.position);
    }
  }
}

void GraphPlan::begin(std::vector<uint64_t> &bases) {
  for (size_t branch = 0; branch < lengths.size(); ++branch) {
    bases.push_back(process().order.lastOf(streams[branch]));
    for (uint64_t i = 0; i < lengths[branch]; ++i) process().order.submit(streams[branch]);
  }
}

void GraphPlan::joinEnd(StreamClock &clock) const {
  for (uint32_t stream : streams) join(clock, CommandPlace{stream, process().order.lastOf(stream)});
}

std::vector<uint32_t> GraphPlan::executionOrder() const {
  std::vector<uint32_t> order, ready, open(nodes.size());
  std::vector<std::vector<uint32_t>> followers(nodes.size());
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    open[i] = uint32_t(nodes[i].after.size());
    for (uint32_t earlier : nodes[i].after) followers[earlier].push_back(i);
    if (!open[i]) ready.push_back(i);
  }
  while (!ready.empty()) {
    const size_t pick = machineOptions().seed ? scheduler::random() % ready.size() : 0;
    const uint32_t node = ready[pick];
    ready.erase(ready.begin() + long(pick));
    order.push_back(node);
    for (uint32_t follower : followers[node])
      if (--open[follower] == 0) ready.push_back(follower);
  }
  return order;
}

void GraphPlan::joinBefore(StreamClock &clock, const Node &node, const std::vector<uint64_t> &bases) const {
  for (size_t branch = 0; branch < lengths.size(); ++branch)
    if (node.before[branch]) join(clock, CommandPlace{streams[branch], bases[branch] + node.before[branch]});
}

GraphPlan::Clocks GraphPlan::clocksOf(uint32_t index, const StreamClock &launch,
                                      const std::vector<uint64_t> &bases) const {
  const Node &node = nodes[index];
  Clocks clocks{{streams[node.branch], bases[node.branch] + node.position}, launch, {}};
  if (node.dependent) {
    clocks.afterDependency = launch;
    joinBefore(*clocks.afterDependency, node, bases);
    // As the launch that it comes after, and the dependent ones before that.
    const Node *first = &node;
    while (first->dependent) first = &nodes[first->after[0]];
    joinBefore(clocks.before, *first, bases);
  } else {
    joinBefore(clocks.before, node, bases);
  }
  return clocks;
}

} // namespace mmc::emu::driver
