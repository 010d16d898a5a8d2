// Prints a hopper kernel as CUDA C++ that reads as if a person had written it: one call of the device library per op,
// elementwise code written out inside, names from what a value is.
#pragma once

#include "runtime/src/PlanTables.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mmc::hopper {
class KernelOp;
} // namespace mmc::hopper

namespace mmc::cuda {

struct PrintedKernel {
  std::string text;
  uint32_t sharedBytes = 0;                   // dynamic shared memory of a block; the text asserts that it is so
  std::vector<runtime::TensorMapRecord> maps; // that the kernel gets
};

/// The source file of one kernel, which includes "block/kernel.cuh". Nothing after an error, which was emitted.
///
/// Parameters, in order: for each view a pointer (a paged view: the pool's and the page table's), for each work list a
/// pointer to its records, for each count a pointer to a 32-bit number in device memory; then, for each work dimension
/// that is no constant, a pointer to its number; then the tensor maps. The grid has the work domain's points along x,
/// and along y the blocks that share a distributed loop.
std::optional<PrintedKernel> printCuda(hopper::KernelOp kernel);

} // namespace mmc::cuda
