// A case: one launch of one kernel of kernels/, its inputs, and what must come out. Inputs are made here, from the
// case's name alone, so a file of vectors need not hold them; expected results are computed on the host from what the
// instruction is documented to do, never by the emulation.
//
// A kernel takes (u32 *out, const u32 *in, u32 count) and, where the case has one, a tensor map.
#pragma once

#include "runtime/cuda/driver/DriverTypes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mmc::silicon {

using Words = std::vector<uint32_t>;

/// How results are held against expectations, and those of two devices against one another.
enum class Comparison {
  exact,         // movement, integers, what IEEE 754 rounds: bits
  product,       // float sums: 2 ulp of the sum of magnitudes between devices, 4 against the reference
  approximation, // functions: the documented error; two devices may differ by twice that
  recorded,      // nothing is known beforehand: no emulation of it, and nothing is expected
};

/// A map over the input (from a word on) or the output.
struct TensorRequest {
  bool ofOutput = false;
  uint32_t firstWord = 0;
  cuda::TensorElement element = cuda::TensorElement::u32;
  std::vector<uint64_t> sizes;          // elements, fastest first
  std::vector<uint64_t> strides;        // bytes, of the second axis on
  std::vector<uint32_t> box, traversal; // elements
  cuda::TensorSwizzle swizzle = cuda::TensorSwizzle::none;
  cuda::TensorFill fill = cuda::TensorFill::zeros;
};

struct Case {
  std::string name;           // family.what, unique
  std::string module, kernel; // kernels/MODULE.cu
  uint32_t blocks = 1, threads = 32, sharedBytes = 0, count = 0;
  Words input;
  Words initial; // the output before; as long as the output
  std::optional<TensorRequest> tensor;
  Comparison comparison = Comparison::exact;
  /// The manual leaves it open; what is expected is what the emulation supposes.
  bool supposed = false;
  Words words;                         // exact: one per word of the output
  std::vector<double> values, allowed; // product, approximation: per word, as a float
};

constexpr uint32_t kUntouched = 0xa5a5a5a5;

/// Every case, in a fixed order.
std::vector<Case> allCases();

/// The families that allCases() is made of.
void addMathCases(std::vector<Case> &cases);
void addIntegerCases(std::vector<Case> &cases);
void addWarpCases(std::vector<Case> &cases);
void addMatrixCases(std::vector<Case> &cases);
void addMmaCases(std::vector<Case> &cases);
void addCopyCases(std::vector<Case> &cases);
void addTensorCases(std::vector<Case> &cases);
void addSyncCases(std::vector<Case> &cases);
void addAtomicCases(std::vector<Case> &cases);
void addMemoryCases(std::vector<Case> &cases);
void addWgmmaCases(std::vector<Case> &cases);

} // namespace mmc::silicon
