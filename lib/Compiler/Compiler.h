// From a model (checkpoint folder, config.json or model.mlir) to a plan: the compiler as one call, free of MLIR in its
// interface. The text of a lower level, as stopAfter writes it, is taken from there.
//
// A compiler object holds no state between calls; calls may run on different threads with objects of their own. Every
// failure comes back as a status with a code, a message (with the diagnostics that passes emitted) and a hint.
#pragma once

#include "lib/Compiler/Targets.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mmc {

/// A step of the ladder that has ended: `model`, `tile`, `plan`, `cuda`, `object`, `images`, with its time.
struct CompileStep {
  std::string name;
  std::string detail; // what it made: "12 kernels", "3 variants, 240 KiB"
  double seconds = 0;
};

/// The largest values that options may have.
inline constexpr uint64_t kMostModelLen = (uint64_t(1) << 31) - 1;
inline constexpr uint32_t kMostSeqs = 4096, kMostBatchedTokens = 65536;

/// Empty or 0 is the default, and for the text of a lower level what that text was lowered with; any other value that
/// differs from the text's is refused.
struct CompileOptions {
  Target target;                            // default: cpu
  std::string dtype;                        // float32 (default on the cpu) | bfloat16 (all that CUDA takes)
  uint64_t maxModelLen = 0;                 // tokens; default: the smaller of the model's own limit and 32768
  uint32_t maxNumSeqs = 0;                  // default: 16
  uint32_t maxNumBatchedTokens = 0;         // default: 4096, or maxNumSeqs where that is more
  uint32_t recurrenceBlock = 0;             // 32 | 64 (default) | 128 | 256
  std::vector<std::string> cpuVariants;     // empty: x86-64-v3, avx512, avx512-bf16
  std::vector<std::string> portableKernels; // names of kernels for sm_90a that stay portable, with * for any characters
  std::vector<std::string> disabledPasses;  // td record names of optional passes
  uint32_t rankShapes = 1;                  // the shapes of one of so many tensor-parallel ranks, without collectives
  std::string stopAfter;                    // model | tile | plan: writes that level's text instead of a plan file
  std::vector<std::string> printIrAfter;    // td record names; text goes to stderr
  std::string emit; // llvm | cuda: writes one file per kernel and variant into emitFolder, and no plan
  std::string emitFolder;
  std::string cacheFolder; // compiled kernels for CUDA; empty: as the toolchain finds it
  /// Called after each step, on the calling thread.
  std::function<void(const CompileStep &)> onStep;
  /// What is worth saying although nothing failed, in one line.
  std::function<void(const std::string &)> onRemark;
};

/// Reads HF_DIR or config.json; the model description's text.
runtime::Expected<std::string> importModel(const std::string &input);

/// Compiles HF_DIR, config.json or a .mlir file of any level; the bytes of the plan file or, with stopAfter, of that
/// level's text; none with emit. Nothing is read before the options were checked.
runtime::Expected<std::vector<uint8_t>> compileModelToMemory(const std::string &input, const CompileOptions &options);

/// Fails where the options contradict themselves, or ask for what is unknown or not part of this build.
runtime::Status checkCompileOptions(const CompileOptions &options);

} // namespace mmc
