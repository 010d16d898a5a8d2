// Runs a batch of wgmma: checks each operand's bytes in shared memory, gathers its chunks, and multiplies. Invariant:
// runs on the scheduler's side, while every thread of the warpgroup is suspended or in a primitive, so fragments may be
// written where they lie.
#include "runtime/cuda/emulation/core/Report.h"
#include "runtime/cuda/emulation/ops/Warpgroup.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <array>
#include <cstring>

namespace mmc::emu {

namespace {

constexpr uint32_t kMaxChunks = 256 * 2;

/// Layouts of the descriptors in use: a loop has a few of them, which differ in the start address alone.
class LayoutCache {
public:
  const OperandLayout &get(const Descriptor &descriptor, OperandShape shape) {
    const uint64_t bits = descriptor.encode();
    const uint64_t key = bits * 0x9e3779b97f4a7c15 ^ (shape.rows * 2 + uint32_t(shape.major)) * 0xff51afd7ed558ccd;
    Entry &entry = entries[key >> 32 & (entries.size() - 1)];
    if (entry.bits != bits || entry.rows != shape.rows || entry.major != shape.major || entry.layout.chunks.empty()) {
      entry.bits = bits;
      entry.rows = shape.rows;
      entry.major = shape.major;
      entry.layout = layoutOf(descriptor, shape);
    }
    return entry.layout;
  }

private:
  struct Entry {
    uint64_t bits = 0;
    uint32_t rows = 0;
    Major major = Major::k;
    OperandLayout layout;
  };
  std::array<Entry, 256> entries;
};

/// What the executing thread keeps between instructions.
struct Scratch {
  LayoutCache layouts;
  TileProduct product;
  alignas(64) uint8_t a[64 * 32], b[kMaxChunks * 16];
};
Scratch &scratch() {
  static thread_local std::unique_ptr<Scratch> made = std::make_unique<Scratch>();
  return *made;
}

/// Checks the operand in the shadow and copies its chunks in order.
void gather(const Warpgroup &group, const Descriptor &descriptor, OperandShape shape, const Accessor &who,
            uint8_t *chunks) {
  const OperandLayout &layout = scratch().layouts.get(descriptor, shape);
  const uint8_t *window = group.block->shared;
  if (memory::checksOn())
    for (const OperandLayout::Run &run : layout.runs) memory::read(window + run.begin, run.bytes, who, false);
  for (size_t i = 0; i < layout.chunks.size(); ++i) std::memcpy(chunks + i * 16, window + layout.chunks[i], 16);
}

/// Rows of A out of the threads' registers: register i of thread t holds four bytes of row 16 (t / 32) + t % 32 / 4 + 8
/// (i % 2), at byte 4 (t % 4) + 16 (i / 2).
void gatherRegisters(const WgmmaInstruction &instruction, uint8_t *rows) {
  for (uint32_t thread = 0; thread < kGroupThreads; ++thread)
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t row = thread / 32 * 16 + thread % 32 / 4 + i % 2 * 8;
      std::memcpy(rows + row * 32 + thread % 4 * 4 + i / 2 * 16, &instruction.aRegisters[thread][i], 4);
    }
}

void runInstruction(const Warpgroup &group, const WgmmaInstruction &instruction, Epoch epoch) {
  const WgmmaArguments &shared = instruction.shared;
  Accessor who;
  who.writesSeen = &instruction.clocks->va;
  who.readsSeen = &instruction.clocks->vc;
  who.self = epoch;
  who.ownColumn = epoch & ~Epoch(0xffffff);
  who.proxy = Proxy::async;
  who.thread = &group.thread(0);
  who.source = instruction.source;

  Scratch &s = scratch();
  const auto major = [&](uint32_t flag) { return shared.flags & flag ? Major::mn : Major::k; };
  const Major majorA = major(mmcEmuTransposeA), majorB = major(mmcEmuTransposeB);
  if (shared.aRegisters)
    gatherRegisters(instruction, s.a);
  else
    gather(group, instruction.a, {64, majorA}, who, s.a);
  gather(group, instruction.b, {shared.n, majorB}, who, s.b);

  const bool negate = !(shared.flags & mmcEmuNegateA) != !(shared.flags & mmcEmuNegateB);
  const bool zero = !(shared.flags & mmcEmuAccumulate);
  s.product.setA(shared.a, majorA, s.a, negate);
  s.product.setB(shared.b, majorB, s.b, shared.n);
  if (isInteger(shared.a)) {
    int32_t *d[kGroupThreads];
    for (uint32_t t = 0; t < kGroupThreads; ++t) d[t] = static_cast<int32_t *>(instruction.d[t]);
    s.product.multiplyIntegers(d, zero, shared.flags & mmcEmuSaturate);
  } else {
    float *d[kGroupThreads];
    for (uint32_t t = 0; t < kGroupThreads; ++t) d[t] = static_cast<float *>(instruction.d[t]);
    s.product.multiply(d, zero);
  }
}

} // namespace

void runBatch(const Warpgroup &group, const WgmmaBatch &batch) {
  for (uint32_t t = 0; t < kGroupThreads; ++t) {
    if (!group.thread(t).finished) continue;
    reports::add(Finding::fragmentInFlight, &group.thread(t), batch.source,
                 "the kernel ended while this group of wgmma was in flight, expected wgmma.wait_group before");
    return;
  }
  for (const auto &instruction : batch.instructions)
    if (instruction->runnable) runInstruction(group, *instruction, batch.epoch);
}

} // namespace mmc::emu
