// Tensor maps: what cuTensorMapEncodeTiled is asked for, every reason to refuse it, and what a map that was accepted
// says to a copy.
//
// The 128 bytes are opaque to everybody else, so they hold our own encoding: the arguments, a magic number and a
// checksum. A map that a real driver made, or that something has written over, is told from ours and refused. All of
// this is pure: no clocks, no memory, no scheduler.
#pragma once

#include <cstdint>
#include <string>

namespace mmc::emu {

constexpr uint32_t kTensorMapBytes = 128, kTensorMapAlignment = 64;

/// In the order of the driver's enumerations. The packed elements and the swizzles of larger atoms are of later devices
/// than the emulated one and are always refused.
enum class TensorElement : uint8_t {
  u8,
  u16,
  u32,
  s32,
  u64,
  s64,
  f16,
  f32,
  f64,
  bf16,
  f32Flushed,
  tf32,
  tf32Flushed,
  u4Packed8,
  u4Packed16,
  u6Packed16
};
enum class TensorInterleave : uint8_t { none, bytes16, bytes32 };
enum class TensorSwizzle : uint8_t {
  none,
  bytes32,
  bytes64,
  bytes128,
  bytes128Atom32,
  bytes128Atom32Flip8,
  bytes128Atom64
};
enum class TensorFill : uint8_t { zeros, nan };

const char *tensorElementName(TensorElement element);
uint32_t tensorElementBytes(TensorElement element);
/// Bytes that a swizzle permutes among themselves; 0 for none.
uint32_t swizzleSpan(TensorSwizzle swizzle);

/// The arguments of cuTensorMapEncodeTiled as they come; the axes are fastest first.
struct TensorMapRequest {
  uint32_t element = 0, rank = 0;
  const void *base = nullptr;
  const uint64_t *sizes = nullptr;            // elements, `rank` of them
  const uint64_t *strides = nullptr;          // bytes, rank - 1 of them, of the axes from the second on
  const uint32_t *box = nullptr;              // elements
  const uint32_t *traversalStrides = nullptr; // elements
  uint32_t interleave = 0, swizzle = 0, l2Promotion = 0, fill = 0;
};

/// Why the encoder refuses.
enum class TensorMapRefusal : uint8_t {
  none,
  nullArgument,
  mapAlignment,
  element,         // no value of the enumeration
  newerDevice,     // an element or a swizzle that this device does not have
  rank,            // 1 to 5
  interleave,      // no value of the enumeration
  interleaveRank,  // interleaved maps have at least 3 axes
  baseAlignment,   // 16 bytes, 32 where interleaved by 32
  size,            // 1 to 2^32
  strideAlignment, // as the base
  strideRange,     // below 2^40
  box,             // 1 to 256
  boxBytes,        // inner box: a multiple of 16 bytes
  traversalStride, // 1 to 8
  swizzle,         // no value of the enumeration
  swizzleSpan,     // inner box: at most the bytes that the swizzle permutes
  interleaveSwizzle,
  l2Promotion,
  fill,        // no value of the enumeration
  fillElement, // NaN for elements that have none
};

struct TensorMapResult {
  TensorMapRefusal refusal = TensorMapRefusal::none;
  std::string message; // one sentence: found against expected
  bool ok() const { return refusal == TensorMapRefusal::none; }
};

/// Encodes into the 128 bytes at `map`, or refuses and leaves them alone.
TensorMapResult encodeTensorMap(void *map, const TensorMapRequest &request);

/// A map as a copy uses it.
struct TensorMap {
  TensorElement element = TensorElement::u8;
  TensorInterleave interleave = TensorInterleave::none;
  TensorSwizzle swizzle = TensorSwizzle::none;
  TensorFill fill = TensorFill::zeros;
  uint32_t rank = 0, elementBytes = 0;
  uint8_t *base = nullptr;
  uint64_t sizes[5] = {1, 1, 1, 1, 1};
  uint64_t strides[5] = {}; // bytes; of the first axis: an element
  /// Elements of the box that are moved along each axis: ceil(box / traversal stride); 1 past the rank.
  uint32_t counts[5] = {1, 1, 1, 1, 1};
  uint32_t steps[5] = {1, 1, 1, 1, 1}; // between these, in elements of the tensor

  /// Bytes of a row (the box along the first axis), and of the whole box, as they lie in shared memory and as an
  /// mbarrier counts them, wherever the box lies.
  uint32_t rowBytes() const { return counts[0] * elementBytes; }
  uint64_t boxRows() const { return uint64_t(counts[1]) * counts[2] * counts[3] * counts[4]; }
  uint64_t boxBytes() const { return rowBytes() * boxRows(); }
};

/// False if the bytes are no map of ours; `why` says what they are instead.
bool decodeTensorMap(const void *bytes, TensorMap &map, std::string &why);

/// Where a swizzle puts the byte that would lie at the shared memory address: within spans of 32, 64 or 128 bytes the
/// number of the 16-byte chunk is combined by exclusive or with the address bits from 128 upwards.
constexpr uint64_t swizzled(TensorSwizzle swizzle, uint64_t address) {
  switch (swizzle) {
  case TensorSwizzle::bytes32:
    return address ^ (address >> 3 & 0x10);
  case TensorSwizzle::bytes64:
    return address ^ (address >> 3 & 0x30);
  case TensorSwizzle::bytes128:
    return address ^ (address >> 3 & 0x70);
  default:
    return address;
  }
}

} // namespace mmc::emu
