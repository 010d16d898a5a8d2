// Implements descriptors. Facts: PTX ISA 9.7.15.5.1 (wgmma, strides, canonical layouts, matrix descriptor).
#include "runtime/cuda/emulation/ops/Descriptor.h"

#include <algorithm>
#include <cstdio>

namespace mmc::emu {

namespace {

constexpr uint64_t kField = 0x3fff;
constexpr uint64_t kReserved = ~(kField | kField << 16 | kField << 32 | uint64_t(7) << 49 | uint64_t(3) << 62);

std::string sentence(const char *format, auto... arguments) {
  char text[256];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

/// Distance of eight rows (K-major) or of eight k (MN-major) that lie together.
uint32_t atomOf(Swizzle swizzle) { return 8 * spanOf(swizzle); }

/// The start must lie in the first row of a pattern; further in, rows would change places with those of the next atom.
std::string checkStart(const Descriptor &d, const OperandShape &shape) {
  const uint32_t span = spanOf(d.swizzle), atom = atomOf(d.swizzle);
  const uint32_t inAtom = (d.start - d.baseOffset * 128) % atom;
  if (inAtom >= span)
    return sentence("start address 0x%x lies %u bytes into a swizzle atom of %u bytes that begins at base offset %u, "
                    "expected less than %u",
                    d.start, inAtom, atom, d.baseOffset, span);
  const uint32_t together = shape.major == Major::k ? 32 : std::min(shape.rows * 2, span);
  if (inAtom % span + together > span)
    return sentence("start address 0x%x leaves %u bytes of the swizzle span of %u, expected %u", d.start,
                    span - inAtom % span, span, together);
  return {};
}

/// An offset that is used, `count` steps of it, over pieces of `piece` bytes.
std::string checkOffset(const char *name, uint32_t offset, uint32_t piece, uint32_t count, const char *of) {
  if (count < 2) return {};
  if (offset == 0) return sentence("%s byte offset is 0, expected the distance of %u %s", name, count, of);
  if (offset < piece)
    return sentence("%s byte offset is %u, expected at least the %u bytes of one of %u %s", name, offset, piece, count,
                    of);
  return {};
}

std::string checkStrides(const Descriptor &d, const OperandShape &shape) {
  const uint32_t groups = shape.rows / 8, span = spanOf(d.swizzle), atom = atomOf(d.swizzle);
  if (d.swizzle == Swizzle::none) {
    const bool k = shape.major == Major::k;
    std::string wrong = checkOffset("stride", d.strideOffset, 128, groups, "groups of eight rows");
    if (wrong.empty()) wrong = checkOffset("leading", d.leadingOffset, 128, 2, k ? "halves of K" : "groups of eight k");
    return wrong;
  }
  const uint32_t spans = (shape.rows * 2 + span - 1) / span;
  std::string wrong = shape.major == Major::k
                          ? checkOffset("stride", d.strideOffset, atom, groups, "groups of eight rows")
                          : checkOffset("stride", d.strideOffset, atom, 2, "groups of eight k");
  if (wrong.empty() && shape.major == Major::mn)
    wrong = checkOffset("leading", d.leadingOffset, atom, spans, "swizzle spans of rows");
  if (!wrong.empty()) return wrong;
  if ((shape.major == Major::mn || groups > 1) && d.strideOffset % atom)
    return sentence("stride byte offset is %u, expected a multiple of the swizzle atom of %u bytes", d.strideOffset,
                    atom);
  if (shape.major == Major::mn && spans > 1 && d.leadingOffset % atom)
    return sentence("leading byte offset is %u, expected a multiple of the swizzle atom of %u bytes", d.leadingOffset,
                    atom);
  return {};
}

/// Before the swizzle, which stays inside an atom.
uint32_t plainAddress(const Descriptor &d, Major major, uint32_t first, uint32_t second) {
  const uint32_t span = spanOf(d.swizzle);
  if (major == Major::k) {
    const uint32_t half = d.swizzle == Swizzle::none ? d.leadingOffset : 16;
    return d.start + first / 8 * d.strideOffset + first % 8 * span + second * half;
  }
  if (d.swizzle == Swizzle::none)
    return d.start + first * d.strideOffset + second / 8 * d.leadingOffset + second % 8 * 16;
  const uint32_t perSpan = span / 16;
  return d.start + first / perSpan * d.leadingOffset + first % perSpan * 16 + second / 8 * d.strideOffset +
         second % 8 * span;
}

/// Greatest address of a chunk; with a leading offset too small the last one is not in the last group.
uint32_t lastChunk(const Descriptor &d, const OperandShape &shape) {
  if (shape.major == Major::k) return plainAddress(d, Major::k, shape.rows - 1, 1);
  uint32_t last = 0;
  for (uint32_t group = 0; group < shape.rows / 8; ++group)
    last = std::max(last, plainAddress(d, Major::mn, group, 15));
  return last;
}

void addRuns(OperandLayout &layout) {
  std::vector<uint32_t> sorted = layout.chunks;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (uint32_t address : sorted) {
    if (!layout.runs.empty() && layout.runs.back().begin + layout.runs.back().bytes == address)
      layout.runs.back().bytes += 16;
    else
      layout.runs.push_back({address, 16});
  }
}

} // namespace

Descriptor Descriptor::decode(uint64_t bits) {
  Descriptor d;
  d.start = uint32_t(bits & kField) << 4;
  d.leadingOffset = uint32_t(bits >> 16 & kField) << 4;
  d.strideOffset = uint32_t(bits >> 32 & kField) << 4;
  d.baseOffset = uint32_t(bits >> 49 & 7);
  d.swizzle = Swizzle(bits >> 62);
  d.reserved = bits & kReserved;
  return d;
}

uint64_t Descriptor::encode() const {
  return (start >> 4 & kField) | (leadingOffset >> 4 & kField) << 16 | (strideOffset >> 4 & kField) << 32 |
         uint64_t(baseOffset & 7) << 49 | uint64_t(swizzle) << 62 | reserved;
}

uint32_t chunkAddress(const Descriptor &d, Major major, uint32_t first, uint32_t second) {
  const uint32_t plain = plainAddress(d, major, first, second);
  const uint32_t row = (plain >> 7) - d.baseOffset;
  return plain ^ (row & (spanOf(d.swizzle) / 16 - 1)) << 4;
}

std::string checkDescriptor(const Descriptor &d, const OperandShape &shape) {
  if (d.reserved) return sentence("reserved bits 0x%llx are set, expected 0", (unsigned long long)d.reserved);
  if (d.swizzle == Swizzle::none && d.baseOffset)
    return sentence("base offset is %u without a swizzle, expected 0", d.baseOffset);
  if (d.swizzle != Swizzle::none)
    if (std::string wrong = checkStart(d, shape); !wrong.empty()) return wrong;
  if (std::string wrong = checkStrides(d, shape); !wrong.empty()) return wrong;
  if (!fitsWindow(d, shape))
    return sentence("the operand ends at shared address 0x%x, expected at most 0x%x", lastChunk(d, shape) + 16,
                    kSharedAddresses);
  return {};
}

bool fitsWindow(const Descriptor &d, const OperandShape &shape) { return lastChunk(d, shape) + 16 <= kSharedAddresses; }

OperandLayout layoutOf(const Descriptor &d, const OperandShape &shape) {
  OperandLayout layout;
  if (shape.major == Major::k) {
    for (uint32_t row = 0; row < shape.rows; ++row)
      for (uint32_t half = 0; half < 2; ++half) layout.chunks.push_back(chunkAddress(d, Major::k, row, half));
  } else {
    for (uint32_t k = 0; k < 16; ++k)
      for (uint32_t group = 0; group < shape.rows / 8; ++group)
        layout.chunks.push_back(chunkAddress(d, Major::mn, group, k));
  }
  addRuns(layout);
  return layout;
}

} // namespace mmc::emu
