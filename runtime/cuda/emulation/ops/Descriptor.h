// The shared memory descriptor of wgmma: 64 bits that say where the rows of an operand lie. Decoded, checked and
// expanded into the places of its 16-byte chunks, as pure functions.
//
// An operand is `rows` rows (64 for A, N for B) times 32 bytes of K, cut into 16-byte chunks. K-major: a chunk holds
// eight (16-bit) or sixteen (8-bit) consecutive k of a row. MN-major (16-bit types only): eight consecutive rows of a
// k. The swizzle XORs bits 4..6 of a chunk's shared address with bits 7..9 (128 bytes; 64: two bits, 32: one), counted
// from the start of the pattern, which the base offset gives where it is not aligned to its atom of eight spans.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mmc::emu {

enum class Swizzle : uint8_t { none = 0, bytes128 = 1, bytes64 = 2, bytes32 = 3 };
/// Bytes that the pattern permutes: 16 (nothing), 32, 64 or 128.
constexpr uint32_t spanOf(Swizzle swizzle) { return swizzle == Swizzle::none ? 16 : 256u >> uint32_t(swizzle); }

enum class Major : uint8_t { k, mn };

struct Descriptor {
  uint32_t start = 0;         // shared address in bytes, a multiple of 16, below 2^18
  uint32_t leadingOffset = 0; // bytes; what it separates depends on major and swizzle: see chunkAddress
  uint32_t strideOffset = 0;
  uint32_t baseOffset = 0; // 0..7, in units of 128 bytes
  Swizzle swizzle = Swizzle::none;
  uint64_t reserved = 0; // the bits that must be zero, in place

  static Descriptor decode(uint64_t bits);
  uint64_t encode() const;
};

/// An operand's extent.
struct OperandShape {
  uint32_t rows = 64; // of M or N, a multiple of 8
  Major major = Major::k;
};

/// Places of an operand's chunks in shared memory.
struct OperandLayout {
  /// Shared addresses. K-major: chunks[row * 2 + half], half of the 32 bytes of K. MN-major: chunks[k * (rows / 8) +
  /// row / 8], k in 0..15.
  std::vector<uint32_t> chunks;
  struct Run {
    uint32_t begin, bytes;
  };
  /// The same bytes as maximal runs in ascending order: what a check has to walk.
  std::vector<Run> runs;
};

/// Where the chunk lies. `first` and `second` index as in OperandLayout::chunks: (row, half), or (row / 8, k).
/// K-major: eight rows of 16 bytes (no swizzle) or of one span each, the next eight at strideOffset; the second half at
/// leadingOffset without swizzle, beside the first with it. MN-major, per k and eight rows: without swizzle the next
/// eight rows at strideOffset and the next eight k at leadingOffset; with it a span of rows per k, the next span at
/// leadingOffset, the next eight k at strideOffset.
uint32_t chunkAddress(const Descriptor &descriptor, Major major, uint32_t first, uint32_t second);

/// Empty if the descriptor is good for the shape; otherwise what the hardware would refuse or misread, as one sentence.
std::string checkDescriptor(const Descriptor &descriptor, const OperandShape &shape);

/// Whether all of the operand lies within the addresses that a shared window has.
bool fitsWindow(const Descriptor &descriptor, const OperandShape &shape);

OperandLayout layoutOf(const Descriptor &descriptor, const OperandShape &shape);

/// The bytes that a block's shared window can address.
constexpr uint32_t kSharedAddresses = 1u << 18;

} // namespace mmc::emu
