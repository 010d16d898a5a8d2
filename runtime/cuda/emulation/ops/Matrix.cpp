// Implements ldmatrix and stmatrix. Accesses go through the generic proxy, row by row in the name of the
// lane that gave the address; results appear in all lanes at once.
#include "runtime/cuda/emulation/ops/Matrix.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Report.h"
#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ops/Fragments.h"
#include "runtime/cuda/emulation/ops/Warp.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <cstring>
#include <string>

namespace mmc::emu {

namespace {

struct Arguments {
  uint32_t *registers = nullptr;
  void *row = nullptr;
  uint32_t count = 1;
  bool transpose = false;
};

const Arguments &argumentsOf(const WarpCall &call, uint32_t lane) {
  return *static_cast<const Arguments *>(call.arguments[lane]);
}

/// The row that `lane` has given, which must lie in the block's own shared memory.
uint8_t *rowOf(const WarpCall &call, uint32_t lane, const char *what) {
  auto *row = static_cast<uint8_t *>(argumentsOf(call, lane).row);
  const Thread &thread = call.thread(lane);
  if (memory::classify(row) == memory::Kind::shared && memory::sharedWindowOf(row) == thread.block->shared) return row;
  reports::add(Finding::sharedMemory, &thread, call.source,
               std::string(what) + ": the address of row " + std::to_string(lane % 8) + " of matrix " +
                   std::to_string(lane / 8) + " is not in the block's shared memory");
  scheduler::abandon();
  return row;
}

void touch(const WarpCall &call, uint32_t lane, uint32_t *registers, uint32_t count, bool write) {
  Thread &thread = call.thread(lane);
  if (!thread.watched.empty()) fragmentTouched(thread, registers, count * 4, write, call.source);
}

void meetLoad(WarpCall &call) {
  const uint32_t count = argumentsOf(call, 0).count;
  const bool transpose = argumentsOf(call, 0).transpose;
  for (uint32_t i = 0; i < count; ++i) {
    Matrix8x8 matrix;
    const void *rows[8];
    for (uint32_t r = 0; r < 8; ++r) {
      const uint8_t *row = rowOf(call, i * 8 + r, "ldmatrix");
      memory::read(row, 16, accessorOf(call.thread(i * 8 + r), Proxy::generic, call.source));
      std::memcpy(matrix.rows[r], row, 16);
      rows[r] = row;
    }
    counting::matrix(rows, counting::Kind::load, call.source);
    for (uint32_t lane = 0; lane < 32; ++lane)
      argumentsOf(call, lane).registers[i] = readFragment(matrix, lane, transpose);
  }
  for (uint32_t lane = 0; lane < 32; ++lane) touch(call, lane, argumentsOf(call, lane).registers, count, true);
}

void meetStore(WarpCall &call) {
  const uint32_t count = argumentsOf(call, 0).count;
  const bool transpose = argumentsOf(call, 0).transpose;
  for (uint32_t lane = 0; lane < 32; ++lane) touch(call, lane, argumentsOf(call, lane).registers, count, false);
  for (uint32_t i = 0; i < count; ++i) {
    Matrix8x8 matrix;
    const void *rows[8];
    for (uint32_t lane = 0; lane < 32; ++lane)
      writeFragment(matrix, lane, transpose, argumentsOf(call, lane).registers[i]);
    for (uint32_t r = 0; r < 8; ++r) {
      uint8_t *row = rowOf(call, i * 8 + r, "stmatrix");
      memory::write(row, 16, accessorOf(call.thread(i * 8 + r), Proxy::generic, call.source));
      std::memcpy(row, matrix.rows[r], 16);
      rows[r] = row;
    }
    counting::matrix(rows, counting::Kind::store, call.source);
  }
}

} // namespace

uint32_t readFragment(const Matrix8x8 &matrix, uint32_t lane, bool transpose) {
  const uint32_t major = lane / 4, minor = lane % 4 * 2;
  const uint32_t low = transpose ? matrix.rows[minor][major] : matrix.rows[major][minor];
  const uint32_t high = transpose ? matrix.rows[minor + 1][major] : matrix.rows[major][minor + 1];
  return high << 16 | low;
}

void writeFragment(Matrix8x8 &matrix, uint32_t lane, bool transpose, uint32_t value) {
  const uint32_t major = lane / 4, minor = lane % 4 * 2;
  (transpose ? matrix.rows[minor][major] : matrix.rows[major][minor]) = uint16_t(value);
  (transpose ? matrix.rows[minor + 1][major] : matrix.rows[major][minor + 1]) = uint16_t(value >> 16);
}

void loadMatrix(uint32_t *registers, const void *row, uint32_t count, bool transpose, uint64_t source) {
  Arguments arguments{registers, const_cast<void *>(row), count, transpose};
  rendezvous(~0u, &arguments, meetLoad, source, "ldmatrix", WarpForm::aligned);
}

void storeMatrix(void *row, const uint32_t *registers, uint32_t count, bool transpose, uint64_t source) {
  Arguments arguments{const_cast<uint32_t *>(registers), row, count, transpose};
  rendezvous(~0u, &arguments, meetStore, source, "stmatrix", WarpForm::aligned);
}

} // namespace mmc::emu

void mmcEmuLoadMatrix(unsigned *registers, const void *row, unsigned count, unsigned transpose) {
  mmc::emu::loadMatrix(registers, row, count, transpose != 0, uint64_t(__builtin_return_address(0)));
}
void mmcEmuStoreMatrix(void *row, const unsigned *registers, unsigned count, unsigned transpose) {
  mmc::emu::storeMatrix(row, registers, count, transpose != 0, uint64_t(__builtin_return_address(0)));
}
