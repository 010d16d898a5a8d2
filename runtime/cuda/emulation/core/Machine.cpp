// Implements launches: which blocks are resident, what happens when a thread or a block ends, and the loop around it.
//
// Invariant: a block's threads, stacks and window live until the last block of its cluster has ended, so that whatever
// still names them finds them; only then are they used again.
#include "runtime/cuda/emulation/core/Machine.h"

#include "runtime/cuda/emulation/core/Blocks.h"
#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Internal.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/ops/Barrier.h"
#include "runtime/cuda/emulation/ops/Warp.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace mmc::emu {

namespace {

MachineOptions machine;

/// Copies of a launch's parameters, each at a multiple of 128 bytes: a tensor map asks for it.
class Parameters {
public:
  Parameters(const MmcEmuKernel &kernel, void **values) {
    constexpr size_t kAlignment = 128;
    size_t bytes = kAlignment;
    for (uint32_t i = 0; i < kernel.parameterCount; ++i) {
      offsets.push_back(bytes);
      bytes += (kernel.parameterBytes[i] + kAlignment - 1) / kAlignment * kAlignment;
    }
    storage = static_cast<uint8_t *>(std::aligned_alloc(kAlignment, bytes));
    for (uint32_t i = 0; i < kernel.parameterCount; ++i) {
      std::memcpy(storage + offsets[i], values[i], kernel.parameterBytes[i]);
      pointers.push_back(storage + offsets[i]);
    }
  }
  Parameters(const Parameters &) = delete;
  ~Parameters() { std::free(storage); }
  void **get() { return pointers.data(); }

private:
  uint8_t *storage;
  std::vector<size_t> offsets;
  std::vector<void *> pointers;
};

/// The running launch.
class Run {
public:
  Run(const MmcEmuKernel &kernel, const LaunchOptions &options, void **values) : parameters(kernel, values) {
    launch.kernel = &kernel;
    launch.options = options;
  }

  LaunchResult run();
  void runThread();

private:
  void orderClusters();
  /// False if there is no room or none is left.
  bool startCluster();
  void startBlock(Block &block, uint32_t linear);
  void endBlock(Block &block);
  void endCluster(Block &first);
  void reportDeadlock();
  void dropResidents();

  Launch launch;
  Parameters parameters;
  StreamClock everything;
  const StreamClock *before = nullptr;
  uint64_t blocks = 0;
  uint32_t clusterBlocks = 1, capacity = 0, resident = 0;
  std::vector<uint32_t> waiting; // linear indices of clusters that have not started, the next one last
  std::vector<std::unique_ptr<Block>> residents;
  Block *ended = nullptr; // all of its threads have
};

Run *running = nullptr;

void threadEntry() { running->runThread(); }

void Run::runThread() {
  launch.kernel->call(parameters.get());
  Thread &thread = *scheduler::current();
  Block &block = *thread.block;
  thread.finished = true;
  --block.unfinished;
  thread.warp->present &= ~(1u << thread.lane);
  warp::onExit(thread);
  barrier::onExit(thread);
  if (block.unfinished == 0) ended = &block;
  scheduler::leaveFinished(ended != nullptr);
}

LaunchResult Run::run() {
  const LaunchOptions &options = launch.options;
  blocks = uint64_t(options.grid[0]) * options.grid[1] * options.grid[2];
  clusterBlocks = options.cluster[0] * options.cluster[1] * options.cluster[2];
  const uint32_t threads = options.block[0] * options.block[1] * options.block[2];
  capacity = machine.sms * blocksPerSm(*launch.kernel, threads, options.dynamicSharedBytes);
  launch.firstSerial = allocateBlocks(uint32_t(blocks), options.place);
  everything.blocksBelow = launch.firstSerial;
  before = options.before ? options.before : &everything;
  rememberLaunch(launch);
  hot.counters = &launch.counters;
  orderClusters();

  scheduler::beginLaunch();
  while (!scheduler::abandoned()) {
    if (Block *block = std::exchange(ended, nullptr)) endBlock(*block);
    if (scheduler::abandoned()) break; // by an operation that the block's end has completed
    // In order, a cluster starts when those before it can do nothing more or have run for long: one block's stacks fit
    // the caches, those of all resident blocks do not. Under a seed all run at once.
    while (scheduler::seeded() && startCluster()) {
    }
    if (scheduler::runOne()) {
      if (scheduler::ranForLong()) startCluster();
      continue;
    }
    if (startCluster() || scheduler::runAnyOperation()) continue;
    if (residents.empty()) break;
    reportDeadlock();
    scheduler::abandon();
  }
  const bool completed = !scheduler::abandoned();
  dropResidents();
  scheduler::endLaunch();
  hot.counters = nullptr;
  launch.counters.blocks = blocks;
  return {completed, launch.counters};
}

void Run::orderClusters() {
  waiting.resize(blocks / clusterBlocks);
  for (size_t i = 0; i < waiting.size(); ++i) waiting[i] = uint32_t(waiting.size() - 1 - i);
  if (scheduler::seeded())
    for (size_t i = waiting.size(); i > 1; --i) std::swap(waiting[i - 1], waiting[scheduler::random() % i]);
}

bool Run::startCluster() {
  if (waiting.empty() || resident + clusterBlocks > capacity) return false;
  const uint32_t *cluster = launch.options.cluster, *grid = launch.options.grid;
  const uint32_t wide = grid[0] / cluster[0], high = grid[1] / cluster[1];
  const uint32_t index = waiting.back();
  waiting.pop_back();
  const uint32_t origin[3] = {index % wide * cluster[0], index / wide % high * cluster[1],
                              index / wide / high * cluster[2]};
  std::vector<Block *> members;
  for (uint32_t rank = 0; rank < clusterBlocks; ++rank) {
    residents.push_back(acquireBlock(launch.options.block));
    Block &block = *residents.back();
    block.launch = &launch;
    block.clusterRank = rank;
    block.position[0] = origin[0] + rank % cluster[0];
    block.position[1] = origin[1] + rank / cluster[0] % cluster[1];
    block.position[2] = origin[2] + rank / cluster[0] / cluster[1];
    members.push_back(&block);
  }
  for (Block *block : members) block->cluster = members;
  for (Block *block : members)
    startBlock(*block, (block->position[2] * grid[1] + block->position[1]) * grid[0] + block->position[0]);
  resident += clusterBlocks;
  return true;
}

void Run::startBlock(Block &block, uint32_t linear) {
  block.serial = launch.firstSerial + linear;
  block.sharedBytes = launch.kernel->staticSharedBytes + launch.options.dynamicSharedBytes;
  block.shared = memory::acquireShared(block.sharedBytes);
  block.unfinished = uint32_t(block.threads.size());
  for (auto &thread : block.threads) {
    thread->column = makeEpoch(block.serial, thread->index, 0);
    thread->vc = thread->va = Clock(block.serial, before);
    scheduler::startThread(*thread, threadEntry);
  }
}

void Run::endBlock(Block &block) {
  scheduler::finishOperationsOf(block);
  if (scheduler::abandoned()) return;
  for (size_t i = 0; i < block.atEnd.size(); ++i) block.atEnd[i](block);
  barrier::onBlockEnd(block);
  for (auto &warp : block.warps) counting::meet(*warp);
  memory::closeShared(block.shared);
  auto &members = block.cluster;
  if (std::all_of(members.begin(), members.end(), [](Block *b) { return b->unfinished == 0; })) endCluster(*members[0]);
}

/// Every asynchronous operation must have completed into the clock of a thread that waited for it.
void checkAwaited(const Block &block) {
  if (block.operations.empty()) return;
  Clock seen;
  for (Block *member : block.cluster)
    for (auto &thread : member->threads) seen.join(thread->vc);
  const uint32_t threads = uint32_t(block.threads.size());
  for (uint32_t i = 0; i < block.operations.size(); ++i) {
    const Block::Operation &operation = block.operations[i];
    if (operation.mayOutlive || operation.reserved ||
        seen.contains(makeEpoch(block.serial, threads + i, operation.clock)))
      continue;
    reports::add(Finding::other, block.threads[operation.issuer].get(), operation.source,
                 "the block ends while no thread has waited for this asynchronous operation");
  }
}

void Run::endCluster(Block &first) {
  const std::vector<Block *> members = first.cluster;
  for (Block *block : members) checkAwaited(*block);
  for (Block *block : members) {
    auto at = std::find_if(residents.begin(), residents.end(), [&](auto &b) { return b.get() == block; });
    std::swap(*at, residents.back());
    releaseBlock(std::move(residents.back()));
    residents.pop_back();
  }
  resident -= clusterBlocks;
}

void Run::dropResidents() {
  for (auto &block : residents) releaseBlock(std::move(block));
  residents.clear();
}

void Run::reportDeadlock() {
  std::vector<const Thread *> threads;
  for (auto &block : residents)
    for (auto &thread : block->threads)
      if (!thread->finished) threads.push_back(thread.get());
  std::string text = "no thread can run; " + std::to_string(threads.size()) + " wait";
  if (!waiting.empty())
    text += ", and " + std::to_string(waiting.size() * clusterBlocks) + " of " + std::to_string(blocks) +
            " blocks are not resident before others end";
  scheduler::onLargeStack([&] { text += describeWaits(threads); });
  reports::add(Finding::deadlock, threads.front(), threads.front()->wait.source, text);
}

std::string sizes(const uint32_t (&v)[3]) {
  return "(" + std::to_string(v[0]) + ", " + std::to_string(v[1]) + ", " + std::to_string(v[2]) + ")";
}

/// What the launch's sizes break; empty if nothing.
std::string refusal(const MmcEmuKernel &kernel, const LaunchOptions &o) {
  const uint64_t threads = uint64_t(o.block[0]) * o.block[1] * o.block[2];
  const uint64_t cluster = uint64_t(o.cluster[0]) * o.cluster[1] * o.cluster[2];
  if (!o.grid[0] || !o.grid[1] || !o.grid[2] || o.grid[0] > 0x7fffffff || o.grid[1] > 65535 || o.grid[2] > 65535)
    return "grid " + sizes(o.grid) + ", expected 1 to (2147483647, 65535, 65535)";
  if (uint64_t(o.grid[0]) * o.grid[1] * o.grid[2] > 1u << 24)
    return "grid " + sizes(o.grid) + " has more than 16,777,216 blocks, which the emulation refuses";
  if (!threads || o.block[0] > 1024 || o.block[1] > 1024 || o.block[2] > 64 || threads > 1024)
    return "block " + sizes(o.block) + ", expected 1 to (1024, 1024, 64) and at most 1024 threads";
  if (kernel.maxThreads && threads > kernel.maxThreads)
    return std::to_string(threads) + " threads, but the kernel's launch bound is " + std::to_string(kernel.maxThreads);
  if (uint64_t(kernel.staticSharedBytes) + o.dynamicSharedBytes > kMaxSharedBytes)
    return std::to_string(uint64_t(kernel.staticSharedBytes) + o.dynamicSharedBytes) +
           " bytes of shared memory, at most " + std::to_string(kMaxSharedBytes);
  if (!cluster || cluster > 16) return "cluster " + sizes(o.cluster) + ", expected 1 to 16 blocks";
  for (int i = 0; i < 3; ++i) {
    if (o.grid[i] % o.cluster[i]) return "cluster " + sizes(o.cluster) + " does not divide grid " + sizes(o.grid);
    if (kernel.cluster[0] && kernel.cluster[i] != o.cluster[i])
      return "cluster " + sizes(o.cluster) + ", but the kernel was compiled for " + sizes(kernel.cluster);
  }
  if (cluster > uint64_t(machine.sms) * blocksPerSm(kernel, uint32_t(threads), o.dynamicSharedBytes))
    return "cluster " + sizes(o.cluster) + " needs more blocks at a time than " + std::to_string(machine.sms) +
           " SMs hold";
  return {};
}

} // namespace

void initialiseMachine(const MachineOptions &options) {
  machine = options;
  memory::initialise(options.checks);
  memory::setCapacity(options.globalBytes);
  scheduler::setSeed(options.seed);
}

const MachineOptions &machineOptions() { return machine; }

LaunchResult launch(const MmcEmuKernel &kernel, const LaunchOptions &options, void **parameters) {
  if (const std::string why = refusal(kernel, options); !why.empty()) {
    reports::add(Finding::launch, nullptr, 0, std::string(kernel.name) + ": " + why);
    return {};
  }
  Run run(kernel, options, parameters);
  running = &run;
  const LaunchResult result = run.run();
  running = nullptr;
  return result;
}

uint32_t blocksPerSm(const MmcEmuKernel &kernel, uint32_t threads, uint32_t dynamicSharedBytes) {
  constexpr uint32_t kThreads = 2048, kBlocks = 32, kShared = 233472, kReserved = 1024;
  const uint32_t rounded = std::max(32u, (threads + 31) / 32 * 32);
  const uint64_t shared = uint64_t(kernel.staticSharedBytes) + dynamicSharedBytes + kReserved;
  return uint32_t(std::min<uint64_t>({kBlocks, kThreads / rounded, kShared / shared}));
}

} // namespace mmc::emu
