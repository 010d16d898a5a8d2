// Runs compiled kernels beside the tile interpreter on the same data and compares every written buffer.
//
// Each buffer ends at a page that cannot be touched, so an access past the end is a fault; scratch memory starts out as
// NaN, so a value that was never written shows. All variants are run: those of 16 lanes compiled for x86-64-v3
// (CpuOptions::emulateAvx512), so that their logic is tested on any machine with AVX2. Real AVX-512 instructions are
// not executed by these tests.
#pragma once

#include "lib/Interpreter/TileInterpreter.h"
#include "lib/Target/CPU/CompileCpu.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mmc::test {

/// What a buffer holds, and what its consumers may assume of errors.
enum class Kind { f32, bf16, i32, f64 };

/// Memory that ends at a guard page. Copies are deep.
class Guarded {
public:
  Guarded() = default;
  explicit Guarded(size_t bytes);
  Guarded(const Guarded &other);
  Guarded(Guarded &&other) noexcept { swap(other); }
  Guarded &operator=(Guarded other) noexcept {
    swap(other);
    return *this;
  }
  ~Guarded();
  std::byte *data() const { return begin; }
  size_t size() const { return bytes; }
  void swap(Guarded &other) noexcept {
    std::swap(map, other.map);
    std::swap(mapped, other.mapped);
    std::swap(begin, other.begin);
    std::swap(bytes, other.bytes);
  }

private:
  void *map = nullptr;
  size_t mapped = 0;
  std::byte *begin = nullptr;
  size_t bytes = 0;
};

/// One argument word of a kernel.
struct Argument {
  Kind kind = Kind::f32;
  Guarded memory;
  bool isCount = false;
  int64_t count = 0;
  /// Compared with the interpreter's; errors are relative to the largest value of a row of this many entries.
  bool written = false;
  size_t row = 1;
};

Argument floats(const std::vector<float> &values);
Argument integers(const std::vector<int32_t> &values);
/// Rounded to nearest even.
Argument bf16s(const std::vector<float> &values);
Argument count(int64_t value);
/// A buffer that the kernel writes, filled with a pattern that is no sensible value.
Argument written(Kind kind, size_t elements, size_t row);
/// A buffer that the kernel reads and writes.
Argument updated(Argument argument, size_t row);

std::vector<float> randomFloats(size_t count, unsigned seed, float scale = 1);
/// [rows, columns] in panels of 64 rows and k columns, zero-padded to a multiple of 64 bytes.
std::vector<float> panels(const std::vector<float> &matrix, size_t rows, size_t columns, size_t k);
/// The values of an f32 or bf16 buffer.
std::vector<float> valuesOf(const Argument &argument);

/// Floats to `tolerance` of the largest absolute value of a row of what is expected, integers exactly.
void compare(const Argument &actual, const Argument &expected, double tolerance);

/// A module compiled for all variants, and its interpreter.
class CompiledModule {
public:
  /// From text, or from a file of test/Inputs/tile where `text` ends in ".mlir".
  explicit CompiledModule(const std::string &text, double interpretedF32 = false);
  ~CompiledModule();

  /// Runs the compiled kernel over all points (in a few ranges) on `arguments` in place.
  void run(const std::string &kernel, cpu::Variant variant, std::vector<Argument> &arguments,
           const interpreter::TileCounts &counts = {});
  /// Runs the interpreter on `arguments` in place.
  void interpret(const std::string &kernel, std::vector<Argument> &arguments,
                 const interpreter::TileCounts &counts = {});
  /// Runs every variant and the interpreter on copies of `arguments`, and compares what they wrote: floats to
  /// `tolerance` of the largest absolute value of the row, integers exactly.
  void check(const std::string &kernel, const std::vector<Argument> &arguments, const interpreter::TileCounts &counts,
             double tolerance);

  const cpu::CpuObject &object() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace mmc::test
