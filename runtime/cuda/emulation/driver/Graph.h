// Graphs: works with what each of them comes after, and their launch.
//
// A graph is divided into branches: chains in which each node comes after the one before. Every branch is a stream of
// its own for the clocks, so nodes that nothing orders are not ordered by the branch either, whatever the order they
// are executed in. Launches of one graph run one after another, so its branches go on counting from launch to launch.
#pragma once

#include "runtime/cuda/emulation/driver/Commands.h"

#include <memory>
#include <optional>
#include <vector>

namespace mmc::emu::driver {

struct GraphPlan {
  struct Node {
    std::shared_ptr<const Work> work;
    std::vector<uint32_t> after; // nodes before this one in the list
    /// A launch that may begin before the one node that it comes after, a launch, has ended.
    bool dependent = false;
    uint32_t branch = 0, position = 0; // position from 1
    std::vector<uint64_t> before;      // by branch: the position of the last node that is ordered before
  };
  struct Clocks {
    CommandPlace place;
    StreamClock before;
    std::optional<StreamClock> afterDependency;
  };

  GraphPlan() = default;
  GraphPlan(const GraphPlan &) = delete;
  ~GraphPlan();

  /// A copy that can be launched: branches found, streams taken for them.
  std::shared_ptr<GraphPlan> instantiate() const;
  /// Takes the places of one launch: for each branch the index before its first node.
  void begin(std::vector<uint64_t> &bases);
  /// Adds the end of the last launch.
  void joinEnd(StreamClock &clock) const;
  /// One order of execution, by seed.
  std::vector<uint32_t> executionOrder() const;
  Clocks clocksOf(uint32_t node, const StreamClock &launch, const std::vector<uint64_t> &bases) const;

  std::vector<Node> nodes; // each after those that it comes after
  /// Of the last launch.
  CommandPlace lastPlace;
  StreamClock lastClock;

private:
  void findBranches();
  void joinBefore(StreamClock &clock, const Node &node, const std::vector<uint64_t> &bases) const;

  std::vector<uint64_t> lengths; // of branches
  std::vector<uint32_t> streams; // of branches
};

} // namespace mmc::emu::driver
