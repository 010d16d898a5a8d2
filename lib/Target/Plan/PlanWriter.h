// Writes a plan.module, with what its kernels were compiled to, as the segments of a plan file.
//
// The same module and kernels give the same bytes: nothing of the machine, the time or an address goes in.
#pragma once

#include "runtime/src/PlanTables.h"

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

/// What a target made of one kernel: for each variant a symbol and, on the cpu, the scratch bytes per thread, on CUDA
/// the launch.
struct CompiledKernel {
  std::vector<std::string> symbols;
  std::vector<uint64_t> scratchBytes;
  std::vector<runtime::DeviceFunction> functions;
};

/// Every kernel in every variant: on the cpu in one shared object, on CUDA in images.
struct CompiledKernels {
  std::vector<std::string> variants;
  std::map<std::string, CompiledKernel> kernels;
  std::vector<uint8_t> object;
  std::vector<uint8_t> images; // one after the other, each at a multiple of 64
  std::vector<runtime::DeviceImage> deviceImages;
};

/// The contents of a plan file's segments.
struct PlanSegments {
  std::vector<uint8_t> metadata;  // FlatBuffer
  std::vector<uint8_t> constants; // tables
  std::vector<uint8_t> object;    // ELF; cpu
  std::vector<uint8_t> images;    // CUDA
  std::string text;               // the kernels as tile programs, for people
};

/// The record of each kernel of the plan, for CpuOptions::record: what launches of the plan give it, and its scratch.
std::function<std::string(const std::string &kernel, uint64_t scratchBytes)> kernelRecords(planir::ModuleOp plan);

/// On failure a diagnostic was emitted.
mlir::FailureOr<PlanSegments> serializePlan(planir::ModuleOp plan, const CompiledKernels &compiled);

} // namespace mmc
