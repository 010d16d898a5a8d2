// Kernels of a model as the compiler makes them, called one work point at a time on memory of the test's choice: for
// positions and offsets that no affordable session reaches.
//
// Every variant runs on any machine with AVX2: those of 16 lanes are compiled with plain arithmetic
// (CpuOptions::emulateAvx512).
#pragma once

#include "lib/Target/CPU/CompileCpu.h"
#include "runtime/src/Layout.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mmc::test {

/// An argument word: an address or a count.
inline uint64_t word(const void *address) { return reinterpret_cast<uint64_t>(address); }

class PipelineKernels {
public:
  /// Lowers config.json (or its folder) for sequences of up to `maxModelLen` tokens and compiles the kernels whose
  /// names start with one of `prefixes`. Failures are test failures, and ok() is false.
  PipelineKernels(const std::string &config, int64_t maxModelLen, const std::vector<std::string> &prefixes);
  ~PipelineKernels();
  bool ok() const { return fine; }

  /// Runs points [begin, end) of the only kernel whose name starts with `prefix`.
  void run(const std::string &prefix, cpu::Variant variant, const std::vector<uint64_t> &words, int64_t begin,
           int64_t end) const;
  /// How the kernel reads its argument `argument`, which is a view under panels.
  runtime::Layout layout(const std::string &prefix, size_t argument) const;

private:
  struct State;
  std::unique_ptr<State> state;
  bool fine = false;
};

/// Address space of `bytes` zero bytes, of which only touched pages take memory.
class Sparse {
public:
  explicit Sparse(uint64_t bytes);
  ~Sparse();
  Sparse(const Sparse &) = delete;
  Sparse &operator=(const Sparse &) = delete;
  float *floats() const { return static_cast<float *>(memory); }
  int32_t *ints() const { return static_cast<int32_t *>(memory); }

private:
  void *memory = nullptr;
  uint64_t bytes;
};

/// The largest difference over the largest absolute expected value.
double rowError(const float *actual, const std::vector<double> &expected);

/// `count` reproducible values in [-scale, scale).
std::vector<float> someFloats(size_t count, uint64_t seed, float scale = 1);

} // namespace mmc::test
