// The arithmetic of one wgmma: decodes two operands into float32 panels and multiplies them into the accumulators where
// they lie, in the 128 threads' fragments. A pure function of its arguments; knows nothing of clocks.
//
// Order of summation, on every processor: an accumulator element (or zero) takes one fused multiply-add in float32 for
// each k, k ascending. Tensor cores sum in another order and with fewer bits; answers agree within float32 rounding of
// sums, and integers exactly.
//
// Layout of accumulators (PTX ISA 9.7.15.5.1, matrix fragments of D): thread t = 4 p + lane holds, for each eight
// columns q, d[4 q .. 4 q + 3] = rows r, r, r + 8, r + 8 and columns 8 q + 2 lane + {0, 1, 0, 1}, with r = 16 (p / 8) +
// p % 8. The panels repeat operands in that order, so that a fragment is multiplied as contiguous vectors.
#pragma once

#include "runtime/cuda/emulation/ops/Descriptor.h"

#include <cstdint>
#include <memory>

// x y + z of vectors, rounded once. gcc contracts the expression, for which CMakeLists.txt gives it -ffp-contract=fast.
#if defined(__clang__)
#define MMC_FUSED_MULTIPLY_ADD(x, y, z) __builtin_elementwise_fma(x, y, z)
#else
#define MMC_FUSED_MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
#endif

namespace mmc::emu {

/// By the codes of ptx/calls.h.
enum class Element : uint8_t { f16, bf16, e4m3, e5m2, s8, u8 };
constexpr uint32_t bytesOf(Element type) { return type <= Element::bf16 ? 2 : 1; }
/// Elements of K in an instruction: 32 bytes of a row.
constexpr uint32_t depthOf(Element type) { return 32 / bytesOf(type); }
constexpr bool isInteger(Element type) { return type >= Element::s8; }

/// Decodes `count` elements (a multiple of 8) into float32, exactly.
void decodeElements(Element type, const void *elements, uint32_t count, float *values);

/// Row r of thread `thread`'s first accumulator pair, and the column of its element e of n: the inverse of the layout.
constexpr uint32_t accumulatorRow(uint32_t thread, uint32_t element) {
  return thread / 32 * 16 + thread % 32 / 4 + element % 4 / 2 * 8;
}
constexpr uint32_t accumulatorColumn(uint32_t thread, uint32_t element) {
  return element / 4 * 8 + thread % 4 * 2 + element % 2;
}

class TileProduct {
public:
  enum class Vectors : uint8_t { best, avx2 };
  explicit TileProduct(Vectors vectors = Vectors::best);
  ~TileProduct();

  /// A as 64 rows of 32 bytes (chunks of a K-major layout in order), or for MN-major as its chunks, eight for each k.
  /// `negate` multiplies by -1 on the way.
  void setA(Element type, Major major, const uint8_t *chunks, bool negate);
  /// B as n rows of 32 bytes, or for MN-major as its chunks, n / 8 for each k.
  void setB(Element type, Major major, const uint8_t *chunks, uint32_t n);
  /// D = A B + D (or A B, with `zero`): fragments[t] points to the n / 2 floats of thread t.
  void multiply(float *const *fragments, bool zero) const;
  /// The same for integer elements and int32 fragments: sums wrap, or with `saturate` stop at the ends of int32.
  void multiplyIntegers(int32_t *const *fragments, bool zero, bool saturate);

private:
  struct Panels;
  std::unique_ptr<Panels> panels;
  uint32_t depth = 0, columns = 0;
  bool avx512 = false;
};

} // namespace mmc::emu
