// The weight layout algebra: where element (coordinates) of a tensor lies in the memory that kernels read.
//
// This is the only definition. The weight loader writes by it, tile views and the tile interpreter read by it, tests
// check against it. A layout is a permutation of the elements plus zero padding: elementIndex is injective, and stays
// below storedElements. All arithmetic is 64-bit; a tensor may be larger than 4 GiB. Header-only and free of
// dependencies so that the compiler can include it.
#pragma once

#include <cstdint>
#include <span>

namespace mmc::runtime {

/// Values as in schema/plan.fbs.
enum class DType : uint8_t { f32 = 0, bf16 = 1, f64 = 2, f16 = 3, i32 = 4, i64 = 5, i8 = 6, u8 = 7 };
inline constexpr uint8_t kDTypeCount = 8;

inline constexpr uint64_t dtypeBytes(DType dtype) {
  switch (dtype) {
  case DType::f64:
  case DType::i64:
    return 8;
  case DType::f32:
  case DType::i32:
    return 4;
  case DType::bf16:
  case DType::f16:
    return 2;
  case DType::i8:
  case DType::u8:
    return 1;
  }
  return 0;
}

inline constexpr const char *dtypeName(DType dtype) {
  constexpr const char *names[] = {"float32", "bfloat16", "float64", "float16", "int32", "int64", "int8", "uint8"};
  return uint8_t(dtype) < kDTypeCount ? names[uint8_t(dtype)] : "unknown";
}

enum class LayoutKind : uint8_t {
  rowMajor = 0,
  /// Logical [N, K]: panels of `panelN` rows; inside a panel blocks of `panelK` neighbours along K, block after block,
  /// row after row in a block. N is padded to a multiple of rowMultiple() and K to a multiple of panelK, with zeros.
  panels = 1
};

/// How a tensor lies in memory. panelN and panelK are at least 1 for panels, and unused for row-major.
struct Layout {
  DType dtype = DType::f32;
  LayoutKind kind = LayoutKind::rowMajor;
  uint32_t panelN = 0;
  uint32_t panelK = 0;
  /// N is padded to a multiple of this; 0: of panelN.
  uint32_t padN = 0;

  constexpr uint32_t rowMultiple() const { return padN ? padN : panelN; }
};

/// Memory of weights and buffers is aligned and padded to this many bytes.
inline constexpr uint64_t kAlignment = 64;

inline constexpr uint64_t ceilDivide(uint64_t value, uint64_t divisor) {
  return value / divisor + (value % divisor != 0);
}
inline constexpr uint64_t roundUp(uint64_t value, uint64_t multiple) { return ceilDivide(value, multiple) * multiple; }

/// Element (n, k) of a panelled [N, K] tensor, in elements from its start.
inline constexpr uint64_t panelIndex(const Layout &layout, uint64_t columns, uint64_t n, uint64_t k) {
  const uint64_t blocks = ceilDivide(columns, layout.panelK);
  const uint64_t block = (n / layout.panelN) * blocks + k / layout.panelK;
  return (block * layout.panelN + n % layout.panelN) * layout.panelK + k % layout.panelK;
}

/// Where the element at `coordinates` lies, in elements from the tensor's start. Panels: `shape` has two dimensions.
inline constexpr uint64_t elementIndex(const Layout &layout, std::span<const uint64_t> shape,
                                       std::span<const uint64_t> coordinates) {
  if (layout.kind == LayoutKind::panels) return panelIndex(layout, shape[1], coordinates[0], coordinates[1]);
  uint64_t index = 0;
  for (size_t i = 0; i < shape.size(); ++i) index = index * shape[i] + coordinates[i];
  return index;
}

/// Elements that the tensor takes, padding included. The caller has checked that the product does not wrap (plan
/// verification does).
inline constexpr uint64_t storedElements(const Layout &layout, std::span<const uint64_t> shape) {
  if (layout.kind == LayoutKind::panels)
    return roundUp(shape[0], layout.rowMultiple()) * roundUp(shape[1], layout.panelK);
  uint64_t elements = 1;
  for (uint64_t extent : shape) elements *= extent;
  return elements;
}

/// Bytes that the tensor takes, padded to kAlignment: Weight.expert_bytes of the plan.
inline constexpr uint64_t storedBytes(const Layout &layout, std::span<const uint64_t> shape) {
  return roundUp(storedElements(layout, shape) * dtypeBytes(layout.dtype), kAlignment);
}

} // namespace mmc::runtime
