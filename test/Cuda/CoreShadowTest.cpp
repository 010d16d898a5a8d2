// Compares the shadow memory with a plain model under random accesses: for every byte the model keeps the last writer
// and all readers since, and says by the definition what an access must find. Accesses of all sizes, through the hooks
// and through operations, generic, async and atomic, between threads that now and then hand their clocks on.
#include "runtime/cuda/emulation/core/Blocks.h"
#include "runtime/cuda/emulation/core/Cells.h"
#include "runtime/cuda/emulation/core/Internal.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

using namespace mmc::emu;

namespace {

constexpr uint32_t kThreads = 8, kBytes = 64, kAtomics = 48; // atomics from this byte on, async accesses below

struct Mark {
  uint32_t column, clock;
  bool async;
};

/// What the model knows of a byte.
struct Byte {
  bool initialised = false;
  std::vector<Mark> writer, readers, atomicReads, atomicWrites; // at most one writer
};

using Known = std::map<uint32_t, uint32_t>; // clock by column

bool has(const Known &known, const Mark &mark) {
  auto at = known.find(mark.column);
  return at != known.end() && at->second >= mark.clock;
}
void join(Known &to, const Known &from) {
  for (auto &[column, clock] : from) to[column] = std::max(to[column], clock);
}

enum class Kind { hooked, generic, atomic, async };

class Comparison {
public:
  /// `accesses` of 90 steps are accesses, the others hand clocks on.
  Comparison(unsigned seed, uint32_t accesses) : random(seed), accesses(accesses) {
    initialiseMachine({});
    launch.kernel = &kernel;
    const uint32_t shape[3] = {kThreads, 1, 1};
    block = acquireBlock(shape);
    block->launch = &launch;
    block->cluster = {block.get()};
    block->serial = allocateBlocks(1, {});
    for (auto &thread : block->threads) {
      thread->column = makeEpoch(block->serial, thread->index, 0);
      thread->vc = thread->va = Clock(block->serial, &nothing);
    }
    hot.counters = &launch.counters;
    allocate();
  }
  ~Comparison() {
    hot.counters = nullptr;
    hot.thread = nullptr;
    memory::freeGlobal(data);
    releaseBlock(std::move(block));
    reports::take();
  }

  void step() {
    const uint32_t choice = random() % 98;
    Thread &thread = *block->threads[random() % kThreads];
    if (choice < accesses)
      access(thread);
    else if (choice < 90)
      handOn(thread, *block->threads[random() % kThreads]);
    else if (choice < 95)
      fence(thread);
    else if (choice < 97)
      mark(random() % kBytes);
    else if (random() % 20 == 0)
      allocate();
  }

private:
  void allocate() {
    if (data) memory::freeGlobal(data);
    data = static_cast<uint8_t *>(memory::allocateGlobal(kBytes));
    std::fill(std::begin(bytes), std::end(bytes), Byte());
  }

  void mark(uint32_t at) {
    const uint32_t count = std::min<uint32_t>(kBytes - at, 1 + random() % 20);
    memory::setInitialised(data + at, count, true);
    for (uint32_t i = at; i < at + count; ++i) {
      if (!bytes[i].initialised) bytes[i].writer.clear();
      bytes[i].initialised = true;
    }
  }

  void handOn(Thread &from, Thread &to) {
    if (&from == &to) return;
    Clock vc = from.vc, va = from.va;
    vc.raise(from.epoch());
    if (from.asyncClock) va.raise(block->serial, from.index, from.asyncClock);
    to.vc.join(vc);
    to.va.join(va);
    join(seen[to.index], seen[from.index]);
    join(seenAsync[to.index], seenAsync[from.index]);
    seen[to.index][from.index] = std::max(seen[to.index][from.index], from.clock);
    from.tick();
  }

  void fence(Thread &thread) {
    thread.va = thread.vc;
    thread.asyncClock = thread.clock;
    seenAsync[thread.index] = seen[thread.index];
    seenAsync[thread.index][thread.index] = thread.clock;
    thread.tick();
  }

  void access(Thread &thread) {
    Kind kind = Kind(random() % 4);
    uint32_t count = 1u << random() % 5, at = random() % (kBytes / count) * count;
    if (kind == Kind::atomic) count = 4, at = kAtomics + random() % 4 * 4;
    if (kind == Kind::generic && random() % 2) at = random() % kBytes, count = 1 + random() % (kBytes - at);
    if (kind == Kind::async && at + count > kAtomics) kind = Kind::hooked;
    const bool write = random() % 2;
    const Epoch self = kind == Kind::async ? block->beginOperation(thread) : thread.epoch();
    const auto [expected, again] = model(thread, kind, at, count, write, self);
    reports::take();
    perform(thread, kind, at, count, write, self);
    std::set<Finding> got;
    std::string text;
    for (const Report &report : reports::take()) {
      got.insert(report.finding);
      text += report.text();
    }
    std::set<Finding> extra;
    std::set_difference(got.begin(), got.end(), again.begin(), again.end(), std::inserter(extra, extra.end()));
    ASSERT_TRUE(std::includes(got.begin(), got.end(), expected.begin(), expected.end()) &&
                std::includes(expected.begin(), expected.end(), extra.begin(), extra.end()))
        << (write ? "write" : "read") << " of kind " << int(kind) << ", bytes " << at << " + " << count << " by thread "
        << thread.index << "\n"
        << text;
    // Somebody may have waited for the operation.
    if (kind != Kind::async || random() % 2) return;
    thread.vc.raise(self);
    thread.va.raise(self);
    seen[thread.index][epochColumn(self)] = seenAsync[thread.index][epochColumn(self)] = epochClock(self);
  }

  void perform(Thread &thread, Kind kind, uint32_t at, uint32_t count, bool write, Epoch self) {
    hot.thread = &thread;
    uint8_t *address = data + at;
    constexpr uint64_t kSource = 16; // no module has it
    if (kind == Kind::hooked) {
      write ? memory::hookedWrite(address, count, kSource, true) : memory::hookedRead(address, count, kSource, true);
      return;
    }
    Accessor who;
    who.writesSeen = kind == Kind::async ? &thread.va : &thread.vc;
    who.readsSeen = &thread.vc;
    who.self = self;
    who.ownColumn = thread.column;
    who.ownAsyncClock = thread.asyncClock;
    who.proxy = kind == Kind::async ? Proxy::async : kind == Kind::atomic ? Proxy::atomic : Proxy::generic;
    who.thread = &thread;
    who.source = kSource;
    write ? memory::write(address, count, who, false) : memory::read(address, count, who, false);
  }

  /// What must be found, and what may be found again: a byte that the same epoch has read before need not be looked at.
  /// Records the access.
  std::pair<std::set<Finding>, std::set<Finding>> model(Thread &thread, Kind kind, uint32_t at, uint32_t count,
                                                        bool write, Epoch self) {
    std::set<Finding> first, again, findings;
    const uint32_t me = thread.index, column = epochColumn(self);
    auto sees = [&](const Mark &mark) { return mark.column == me || mark.column == column || has(seen[me], mark); };
    auto checkWrites = [&](const std::vector<Mark> &marks) {
      for (const Mark &mark : marks) {
        if (!sees(mark))
          findings.insert(Finding::race);
        else if (kind == Kind::async && !mark.async && mark.column != column && !has(seenAsync[me], mark))
          findings.insert(Finding::missingProxyFence);
      }
    };
    auto checkReads = [&](const std::vector<Mark> &marks) {
      for (const Mark &mark : marks)
        if (!sees(mark)) findings.insert(Finding::race);
    };
    const Mark mine{column, epochClock(self), kind == Kind::async};
    for (uint32_t i = at; i < at + count; ++i) {
      Byte &byte = bytes[i];
      findings.clear();
      const bool before = !write && std::any_of(byte.readers.begin(), byte.readers.end(), [&](const Mark &reader) {
        return reader.column == mine.column && reader.clock == mine.clock;
      });
      if (!write && !byte.initialised) findings.insert(Finding::uninitialisedRead);
      checkWrites(byte.writer);
      if (write) checkReads(byte.readers);
      if (kind != Kind::atomic) {
        checkWrites(byte.atomicWrites);
        if (write) checkReads(byte.atomicReads);
      }
      (before ? again : first).insert(findings.begin(), findings.end());
      if (write) byte.initialised = true;
      if (kind == Kind::atomic)
        (write ? byte.atomicWrites : byte.atomicReads).push_back(mine);
      else if (write)
        byte = {true, {mine}, {}, {}, {}};
      else
        byte.readers.push_back(mine);
    }
    return {first, again};
  }

  std::mt19937 random;
  uint32_t accesses;
  MmcEmuKernel kernel{"model", nullptr, nullptr, 0, 0, 0, 0, {}};
  Launch launch;
  StreamClock nothing;
  std::unique_ptr<Block> block;
  uint8_t *data = nullptr;
  Byte bytes[kBytes];
  Known seen[kThreads], seenAsync[kThreads];
};

TEST(AccessSet, AgreesWithAMap) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    cells::AccessSet set;
    std::map<uint64_t, std::pair<uint32_t, uint32_t>> model; // clock and source by block and column
    for (int i = 0; i < 400; ++i) {
      const uint32_t column = random() % 24, clock = 1 + random() % 2, source = 1 + random() % 8 / 7;
      const Epoch epoch = makeEpoch(1 + random() % 2, column, clock);
      set.insert({epoch, source, 1, false});
      model[epoch >> 24] = {clock, source};
      std::map<uint64_t, std::pair<uint32_t, uint32_t>> got;
      uint64_t end = 0;
      for (const cells::Access &run : set.entries) {
        ASSERT_GE(run.begin(), end) << "runs ascend and do not overlap";
        end = run.end();
        for (uint64_t at = run.begin(); at < end; ++at) got[at] = {epochClock(run.epoch), run.source};
      }
      ASSERT_EQ(got, model) << "seed " << seed << ", step " << i;
    }
  }
}

TEST(Shadow, AgreesWithAModelOfEveryByte) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    // From hardly ordered to nearly always, where a single forgotten access shows.
    Comparison comparison(seed, 80 - seed % 6 * 14);
    for (int i = 0; i < 3000; ++i) {
      comparison.step();
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed << ", step " << i;
    }
  }
}

} // namespace
