// Implements the pool of blocks, the columns of their asynchronous operations, and the names of both in reports.
#include "runtime/cuda/emulation/core/Blocks.h"

#include "runtime/cuda/emulation/core/Fiber.h"
#include "runtime/cuda/emulation/core/Internal.h"

#include <algorithm>
#include <deque>
#include <map>

namespace mmc::emu {

namespace {
/// By number of threads.
std::map<uint32_t, std::vector<std::unique_ptr<Block>>> pool;

std::unique_ptr<Block> makeBlock(uint32_t threads) {
  auto block = std::make_unique<Block>();
  for (uint32_t i = 0; i < threads; ++i) {
    if (i % 32 == 0) {
      block->warps.push_back(std::make_unique<Warp>());
      block->warps.back()->block = block.get();
      block->warps.back()->index = i / 32;
    }
    auto thread = std::make_unique<Thread>();
    thread->block = block.get();
    thread->warp = block->warps.back().get();
    thread->index = i;
    thread->lane = i % 32;
    thread->warp->threads.push_back(thread.get());
    block->threads.push_back(std::move(thread));
  }
  return block;
}

void resetThread(Thread &thread) {
  thread.vc = thread.va = Clock();
  thread.clock = 2;
  thread.asyncClock = 0;
  thread.watched.clear();
  thread.finished = false;
  thread.wait = {};
  thread.copyState = thread.matrixState = thread.fenceState = nullptr;
  if (thread.stack) releaseStack(thread.stack);
  thread.stack = nullptr;
}
} // namespace

std::unique_ptr<Block> acquireBlock(const uint32_t (&shape)[3]) {
  const uint32_t threads = shape[0] * shape[1] * shape[2];
  auto &free = pool[threads];
  std::unique_ptr<Block> block;
  if (free.empty()) {
    block = makeBlock(threads);
  } else {
    block = std::move(free.back());
    free.pop_back();
  }
  for (auto &warp : block->warps) warp->present = uint32_t((uint64_t(1) << warp->threads.size()) - 1);
  for (auto &thread : block->threads) {
    thread->position[0] = thread->index % shape[0];
    thread->position[1] = thread->index / shape[0] % shape[1];
    thread->position[2] = thread->index / shape[0] / shape[1];
  }
  return block;
}

void releaseBlock(std::unique_ptr<Block> block) {
  for (auto &thread : block->threads) resetThread(*thread);
  for (auto &warp : block->warps) warp->state = warp->requests = nullptr;
  block->barrierState = block->mbarrierState = block->registerState = block->clusterState = block->remoteState =
      nullptr;
  block->clusterBarrierState = nullptr;
  block->cluster.clear();
  block->atEnd.clear();
  block->operations.clear();
  block->reusedColumn = 0;
  block->unfinished = 0;
  if (block->shared) memory::releaseShared(block->shared);
  block->shared = nullptr;
  block->launch = nullptr;
  pool[uint32_t(block->threads.size())].push_back(std::move(block));
}

Epoch Block::beginOperation(const Thread &issuer, uint64_t source, bool mayOutlive) {
  const uint32_t threadCount = uint32_t(threads.size());
  uint32_t column = 0;
  auto busy = [&](const Operation &last, uint32_t at) {
    return last.reserved || !issuer.vc.contains(makeEpoch(serial, threadCount + at, last.clock));
  };
  while (column < operations.size() && busy(operations[column], column)) ++column;
  if (threadCount + column == kMaxColumns) {
    // All are taken. One is used again in turn, which may hide a race with the operation that had it, and reports none
    // that is not there.
    do column = reusedColumn++ % uint32_t(operations.size());
    while (operations[column].reserved);
  } else if (column == operations.size()) {
    operations.emplace_back();
  }
  Operation &operation = operations[column];
  ++operation.clock;
  operation.mayOutlive = mayOutlive;
  operation.source = source;
  operation.issuer = issuer.index;
  return makeEpoch(serial, threadCount + column, operation.clock);
}

namespace {

struct PastLaunch {
  uint32_t first, blocks, threads;
  uint32_t grid[3];
  std::string kernel;
};
std::deque<PastLaunch> launches; // ascending; the last thousand

std::string triple(uint32_t x, uint32_t y, uint32_t z) {
  return "(" + std::to_string(x) + ", " + std::to_string(y) + ", " + std::to_string(z) + ")";
}

} // namespace

void rememberLaunch(const Launch &launch) {
  constexpr size_t kKept = 1000;
  if (launches.size() == kKept) launches.pop_front();
  const uint32_t *grid = launch.options.grid, *block = launch.options.block;
  launches.push_back({launch.firstSerial,
                      grid[0] * grid[1] * grid[2],
                      block[0] * block[1] * block[2],
                      {grid[0], grid[1], grid[2]},
                      launch.kernel->name});
}

std::string describeEpoch(Epoch epoch) {
  const uint32_t serial = epochBlock(epoch);
  if (!serial) return "the host";
  auto at = std::upper_bound(launches.begin(), launches.end(), serial,
                             [](uint32_t s, const PastLaunch &l) { return s < l.first; });
  if (at == launches.begin() || serial - (--at)->first >= at->blocks) {
    const CommandPlace place = placeOfBlock(serial);
    return "command " + std::to_string(place.index) + " of stream " + std::to_string(place.stream);
  }
  const uint32_t linear = serial - at->first, column = epochColumn(epoch);
  std::string text = column < at->threads ? "thread " + std::to_string(column) : "an asynchronous operation";
  text += " of block " +
          triple(linear % at->grid[0], linear / at->grid[0] % at->grid[1], linear / at->grid[0] / at->grid[1]);
  const bool current = hot.counters && std::next(at) == launches.end();
  return current ? text : text + " of an earlier launch of " + at->kernel;
}

std::string describeWaits(const std::vector<const Thread *> &threads) {
  struct Group {
    std::vector<const Thread *> members;
  };
  std::map<std::pair<std::string, uint64_t>, Group> groups;
  for (const Thread *thread : threads)
    groups[{thread->wait.what ? thread->wait.what : "nothing", thread->wait.source}].members.push_back(thread);
  std::string text;
  size_t shown = 0;
  for (auto &[key, group] : groups) {
    if (shown++ == 16) {
      text += "\n    and " + std::to_string(groups.size() - 16) + " more places";
      break;
    }
    const Thread &first = *group.members.front();
    text += "\n    " + key.first;
    if (key.second) text += " at " + describeSource(key.second);
    text += ": " + std::to_string(group.members.size()) + (group.members.size() == 1 ? " thread" : " threads") +
            ", first thread " + std::to_string(first.index) + " of block " +
            triple(first.block->position[0], first.block->position[1], first.block->position[2]);
    if (first.wait.describe) text += ": " + first.wait.describe();
  }
  return text;
}

} // namespace mmc::emu
