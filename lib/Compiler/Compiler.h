// From a model (checkpoint folder, config.json or model.mlir) to a plan: the compiler as one call, free of MLIR in its
// interface.
//
// A compiler object holds no state between calls; calls may run on different threads with objects of their own. Every
// failure comes back as a status with a code, a message (with the diagnostics that passes emitted) and a hint.
#pragma once

#include "runtime/src/Status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mmc {

/// A step of the ladder that has ended: `model`, `tile`, `plan`, `object`, `write`, with its time.
struct CompileStep {
  std::string name;
  std::string detail; // what it made: "12 kernels", "3 variants, 240 KiB"
  double seconds = 0;
};

struct CompileOptions {
  std::string target = "cpu";
  std::string dtype = "float32"; // float32 | bfloat16
  uint64_t maxModelLen = 0;      // tokens; 0: the smaller of the model's own limit and 32768
  uint32_t maxNumSeqs = 16;
  uint32_t maxNumBatchedTokens = 4096;
  uint32_t recurrenceBlock = 64;           // 32 | 64 | 128 | 256
  std::vector<std::string> cpuVariants;    // empty: x86-64-v3, avx512, avx512-bf16
  std::vector<std::string> disabledPasses; // td record names of optional passes
  std::string stopAfter;                   // model | tile | plan: writes that level's text instead of a plan file
  std::vector<std::string> printIrAfter;   // td record names; text goes to stderr
  std::string emit; // llvm: writes one NAME.ll per kernel and variant into emitFolder, and no plan
  std::string emitFolder;
  /// Called after each step, on the calling thread.
  std::function<void(const CompileStep &)> onStep;
};

/// Reads HF_DIR or config.json, writes the model description to `output` (`-`: standard output), atomically.
runtime::Status importModel(const std::string &input, const std::string &output);

/// Compiles HF_DIR, config.json or model.mlir; writes the plan (or, with stopAfter, text) to `output`, atomically.
runtime::Status compileModel(const std::string &input, const std::string &output, const CompileOptions &options);

/// The same into memory: the bytes of the plan file.
runtime::Expected<std::vector<uint8_t>> compileModelToMemory(const std::string &input, const CompileOptions &options);

} // namespace mmc
