// Writes a plan.module, with the object its kernels were compiled to, as the segments of a plan file.
//
// The same module and object give the same bytes: nothing of the machine, the time or an address goes in.
#pragma once

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mmc {

namespace planir {
class ModuleOp;
} // namespace planir

/// What the CPU target made of one kernel: one symbol and one scratch size (bytes per thread) for each variant, in the
/// object's order.
struct HostKernel {
  std::vector<std::string> symbols;
  std::vector<uint64_t> scratchBytes;
};

/// A shared object with every kernel in every variant.
struct HostObject {
  std::vector<uint8_t> elf;
  std::vector<std::string> variants;
  std::map<std::string, HostKernel> kernels;
};

/// The contents of a plan file's segments.
struct PlanSegments {
  std::vector<uint8_t> metadata;  // FlatBuffer
  std::vector<uint8_t> constants; // tables
  std::vector<uint8_t> object;    // ELF
  std::string text;               // the kernels as tile programs, for people
};

/// The record of each kernel of the plan, for CpuOptions::record: what launches of the plan give it, and its scratch.
std::function<std::string(const std::string &kernel, uint64_t scratchBytes)> kernelRecords(planir::ModuleOp plan);

/// On failure a diagnostic was emitted.
mlir::FailureOr<PlanSegments> serializePlan(planir::ModuleOp plan, const HostObject &object);

} // namespace mmc
