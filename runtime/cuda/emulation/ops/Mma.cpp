// Implements mma.sync. Invariant: operands are put together as rows of 32 bytes, in which register i of lane 4 g + t
// holds bytes 4 t + 16 (i / 2) of row g or g + 8 of A, and bytes 4 t + 16 i of column g of B.
#include "runtime/cuda/emulation/ops/Mma.h"

#include "runtime/cuda/emulation/core/Report.h"
#include "runtime/cuda/emulation/ops/Fragments.h"
#include "runtime/cuda/emulation/ops/Warp.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <cstring>
#include <string>

namespace mmc::emu {

namespace {

constexpr uint32_t kRows = 16, kColumns = 8, kMaxDepth = 32;
typedef float Vector8 __attribute__((vector_size(32)));

struct Operands {
  alignas(32) uint8_t a[kRows][32], b[kColumns][32];
};

void gather(const MmaArguments *const *lanes, Operands &operands) {
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t row = lane / 4, byte = lane % 4 * 4;
    for (uint32_t i = 0; i < 4; ++i)
      std::memcpy(&operands.a[row + i % 2 * 8][byte + i / 2 * 16], &lanes[lane]->a[i], 4);
    for (uint32_t i = 0; i < 2; ++i) std::memcpy(&operands.b[row][byte + i * 16], &lanes[lane]->b[i], 4);
  }
}

/// sums[row] += a b; k ascending.
void multiplyRows(Element typeA, Element typeB, const Operands &operands, Vector8 (&sums)[kRows]) {
  const uint32_t depth = depthOf(typeA);
  float a[kRows * kMaxDepth], columns[kColumns * kMaxDepth];
  decodeElements(typeA, operands.a, kRows * depth, a);
  decodeElements(typeB, operands.b, kColumns * depth, columns);
  Vector8 b[kMaxDepth];
  for (uint32_t k = 0; k < depth; ++k)
    for (uint32_t n = 0; n < kColumns; ++n) b[k][n] = columns[n * depth + k];
  for (uint32_t row = 0; row < kRows; ++row)
    for (uint32_t k = 0; k < depth; ++k) {
      const float x = a[row * depth + k];
      const Vector8 repeated = {x, x, x, x, x, x, x, x};
      sums[row] = MMC_FUSED_MULTIPLY_ADD(repeated, b[k], sums[row]);
    }
}

/// Calls visit(register of d, row, column) for a lane.
template <class Visit> void visitAccumulator(uint32_t lane, Visit visit) {
  for (uint32_t i = 0; i < 4; ++i) visit(i, lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2);
}

void meet(WarpCall &call) {
  const MmaArguments *lanes[32];
  for (uint32_t lane = 0; lane < 32; ++lane) lanes[lane] = static_cast<const MmaArguments *>(call.arguments[lane]);
  multiplyWarp(lanes);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    Thread &thread = call.thread(lane);
    if (thread.watched.empty()) continue;
    fragmentTouched(thread, lanes[lane]->a, 16, false, call.source);
    fragmentTouched(thread, lanes[lane]->b, 8, false, call.source);
    fragmentTouched(thread, lanes[lane]->d, 16, true, call.source);
  }
}

} // namespace

void multiplyWarp(const MmaArguments *const *lanes) {
  Operands operands;
  gather(lanes, operands);
  const Element typeA = lanes[0]->elementA, typeB = lanes[0]->elementB;
  const bool integers = isInteger(typeA);
  Vector8 sums[kRows] = {};
  if (!integers)
    for (uint32_t lane = 0; lane < 32; ++lane)
      visitAccumulator(lane, [&](uint32_t i, uint32_t row, uint32_t column) {
        sums[row][column] = static_cast<const float *>(lanes[lane]->d)[i];
      });
  multiplyRows(typeA, typeB, operands, sums);
  for (uint32_t lane = 0; lane < 32; ++lane)
    visitAccumulator(lane, [&](uint32_t i, uint32_t row, uint32_t column) {
      if (!integers) {
        static_cast<float *>(lanes[lane]->d)[i] = sums[row][column];
        return;
      }
      // A sum of 32 products of 8-bit integers is exact in float32.
      uint32_t &d = static_cast<uint32_t *>(lanes[lane]->d)[i];
      d += uint32_t(int32_t(sums[row][column]));
    });
}

void executeMma(const MmaArguments &arguments, uint64_t source) {
  const bool integers = isInteger(arguments.elementA);
  if (arguments.k != depthOf(arguments.elementA) || arguments.k != depthOf(arguments.elementB) ||
      integers != isInteger(arguments.elementB) || (arguments.k == 16 && arguments.elementA != arguments.elementB)) {
    reports::add(Finding::other, scheduler::current(), source,
                 "mma.sync m16n8k" + std::to_string(arguments.k) + " does not exist for these elements");
    scheduler::abandon();
  }
  MmaArguments mine = arguments;
  rendezvous(~0u, &mine, meet, source, "mma.sync", WarpForm::aligned);
}

} // namespace mmc::emu

void mmcEmuMma(void *d, const unsigned *a, const unsigned *b, unsigned k, unsigned elementA, unsigned elementB) {
  mmc::emu::executeMma({d, a, b, k, mmc::emu::Element(elementA), mmc::emu::Element(elementB)},
                       uint64_t(__builtin_return_address(0)));
}
