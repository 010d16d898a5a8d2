// Proves that descriptors are decoded and expanded as PTX's canonical layouts say, element by element against layouts
// written as shapes and strides, and that each bad descriptor is refused with its reason while its neighbour is not.
#include "runtime/cuda/emulation/ops/Descriptor.h"

#include "test/Cuda/CanonicalLayout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mmc::emu;
using namespace mmc::emu::test;
using testing::HasSubstr;

namespace {

/// Good offsets for a shape, with gaps where the layout allows them.
Descriptor goodFor(Swizzle swizzle, OperandShape shape, uint32_t start) {
  Descriptor d;
  d.start = start;
  d.swizzle = swizzle;
  if (swizzle == Swizzle::none) {
    d.strideOffset = 256;
    d.leadingOffset = shape.rows / 8 * 256 + 128;
  } else {
    const uint32_t atom = 8 * spanOf(swizzle);
    d.strideOffset = shape.major == Major::k ? 2 * atom : atom;
    d.leadingOffset = shape.major == Major::k ? 16 : 3 * atom;
  }
  return d;
}

TEST(Descriptor, fieldsAndBack) {
  const uint64_t bits = 0x1234ull | 0x0abcull << 16 | 0x2345ull << 32 | 5ull << 49 | 2ull << 62;
  const Descriptor d = Descriptor::decode(bits);
  EXPECT_EQ(d.start, 0x12340u);
  EXPECT_EQ(d.leadingOffset, 0xabc0u);
  EXPECT_EQ(d.strideOffset, 0x23450u);
  EXPECT_EQ(d.baseOffset, 5u);
  EXPECT_EQ(d.swizzle, Swizzle::bytes64);
  EXPECT_EQ(d.reserved, 0u);
  EXPECT_EQ(d.encode(), bits);
  EXPECT_EQ(Descriptor::decode(~0ull).encode(), ~0ull);
  EXPECT_EQ(Descriptor::decode(1ull << 62).swizzle, Swizzle::bytes128);
  EXPECT_EQ(Descriptor::decode(3ull << 62).swizzle, Swizzle::bytes32);
}

TEST(Descriptor, everyElementLiesWhereTheCanonicalLayoutSays) {
  for (Swizzle swizzle : kSwizzles)
    for (Major major : {Major::k, Major::mn})
      for (uint32_t bytes : {1u, 2u})
        for (uint32_t rows : {8u, 16u, 24u, 64u, 96u, 200u, 256u}) {
          if (major == Major::mn && bytes == 1) continue; // the hardware has no such operand
          const OperandShape shape{rows, major};
          const Descriptor d = goodFor(swizzle, shape, 0x4000);
          ASSERT_EQ(checkDescriptor(d, shape), "") << int(swizzle) << int(major) << " " << rows;
          const OperandLayout layout = layoutOf(d, shape);
          const uint32_t depth = 32 / bytes;
          for (uint32_t row = 0; row < rows; ++row)
            for (uint32_t k = 0; k < depth; ++k) {
              const uint32_t expected = swizzled(
                  swizzle, d.start + canonical(swizzle, major, bytes, d.leadingOffset, d.strideOffset, row, k));
              const uint32_t found = major == Major::k ? layout.chunks[row * 2 + k * bytes / 16] + k * bytes % 16
                                                       : layout.chunks[k * (rows / 8) + row / 8] + row % 8 * 2;
              ASSERT_EQ(found, expected) << int(swizzle) << int(major) << " row " << row << " k " << k;
            }
        }
}

TEST(Descriptor, advancingByKStaysInsideTheAtom) {
  // A K-major tile of 128-byte rows is read in four steps of 32 bytes, each with its own start and base offset 0.
  for (uint32_t step = 0; step < 4; ++step) {
    const OperandShape shape{64, Major::k};
    const Descriptor d{0x2000 + step * 32, 16, 1024, 0, Swizzle::bytes128};
    ASSERT_EQ(checkDescriptor(d, shape), "");
    const OperandLayout layout = layoutOf(d, shape);
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t half = 0; half < 2; ++half)
        EXPECT_EQ(layout.chunks[row * 2 + half],
                  0x2000 + row / 8 * 1024 + row % 8 * 128 + ((step * 2 + half) ^ (row % 8)) * 16);
  }
}

TEST(Descriptor, runsCoverTheChunksOnce) {
  for (Swizzle swizzle : kSwizzles)
    for (Major major : {Major::k, Major::mn}) {
      const OperandShape shape{64, major};
      const OperandLayout layout = layoutOf(goodFor(swizzle, shape, 0x4000), shape);
      uint32_t bytes = 0, end = 0;
      for (const OperandLayout::Run &run : layout.runs) {
        EXPECT_GT(run.begin, end) << "runs are maximal and ascend";
        end = run.begin + run.bytes;
        bytes += run.bytes;
        for (uint32_t address = run.begin; address < end; address += 16)
          EXPECT_THAT(layout.chunks, testing::Contains(address));
      }
      EXPECT_EQ(bytes, 64u * 32);
    }
}

TEST(Descriptor, baseOffsetMovesThePattern) {
  // A tile of eight rows whose pattern begins 256 bytes into its kilobyte.
  const OperandShape shape{8, Major::k};
  Descriptor d{0x2100, 16, 1024, 2, Swizzle::bytes128};
  EXPECT_EQ(checkDescriptor(d, shape), "");
  const OperandLayout layout = layoutOf(d, shape);
  for (uint32_t row = 0; row < 8; ++row)
    EXPECT_EQ(layout.chunks[row * 2], 0x2100 + row * 128 + row * 16) << "chunk 0 of row r lies at chunk r";
  d.baseOffset = 0;
  EXPECT_THAT(checkDescriptor(d, shape), HasSubstr("start address 0x2100 lies 256 bytes into a swizzle atom of 1024"));
  d.baseOffset = 3;
  EXPECT_THAT(checkDescriptor(d, shape), HasSubstr("begins at base offset 3"));
}

//===--- Refusals ------------------------------------------------------------------------------------------------===//

struct Refusal {
  const char *name;
  Descriptor good, bad;
  OperandShape shape;
  const char *reason;
};

TEST(Descriptor, eachRefusalHasAGoodNeighbour) {
  const Swizzle none = Swizzle::none, s128 = Swizzle::bytes128, s64 = Swizzle::bytes64, s32 = Swizzle::bytes32;
  const OperandShape k64{64, Major::k}, k8{8, Major::k}, mn64{64, Major::mn}, mn128{128, Major::mn};
  const Refusal refusals[] = {
      {"reserved", {0, 16, 1024, 0, s128}, {0, 16, 1024, 0, s128, 1ull << 14}, k64, "reserved bits 0x4000"},
      {"base without swizzle", {0, 1024, 128, 0, none}, {0, 1024, 128, 1, none}, k64, "base offset is 1 without"},
      {"start in a row of the atom", {96, 16, 1024, 0, s128}, {128, 16, 1024, 0, s128}, k64, "into a swizzle atom"},
      {"start in a row, 64", {32, 16, 512, 0, s64}, {64, 16, 512, 0, s64}, k64, "into a swizzle atom of 512"},
      {"start in a row, 32", {256, 16, 256, 0, s32}, {32, 16, 256, 0, s32}, k64, "into a swizzle atom of 256"},
      {"K slice over the span", {96, 16, 1024, 0, s128}, {112, 16, 1024, 0, s128}, k64, "leaves 16 bytes"},
      {"rows over the span", {0, 1024, 1024, 0, s128}, {64, 1024, 1024, 0, s128}, mn64, "leaves 64 bytes"},
      {"no stride", {0, 16, 1024, 0, s128}, {0, 16, 0, 0, s128}, k64, "stride byte offset is 0"},
      {"small stride", {0, 16, 512, 0, s64}, {0, 16, 512, 0, s128}, k64, "stride byte offset is 512"},
      {"stride off the atom", {0, 16, 2048, 0, s128}, {0, 16, 1152, 0, s128}, k64, "multiple of the swizzle atom"},
      {"no stride of k", {0, 0, 1024, 0, s128}, {0, 0, 0, 0, s128}, mn64, "the distance of 2 groups of eight k"},
      {"no leading", {0, 2048, 1024, 0, s128}, {0, 0, 1024, 0, s128}, mn128, "leading byte offset is 0"},
      {"small leading", {0, 2048, 1024, 0, s128}, {0, 128, 1024, 0, s128}, mn128, "leading byte offset is 128"},
      {"leading off the atom",
       {0, 2048, 1024, 0, s128},
       {0, 2064, 1024, 0, s128},
       mn128,
       "leading byte offset is 2064"},
      {"no leading, plain", {0, 1024, 128, 0, none}, {0, 0, 128, 0, none}, k64, "the distance of 2 halves of K"},
      {"small leading, plain", {0, 128, 256, 0, none}, {0, 64, 256, 0, none}, k64, "at least the 128 bytes"},
      {"no stride, plain", {0, 128, 256, 0, none}, {0, 128, 0, 0, none}, mn64, "stride byte offset is 0"},
      {"past the window", {0x3e000, 16, 1024, 0, s128}, {0x3e400, 16, 1024, 0, s128}, k64, "ends at shared address"},
  };
  for (const Refusal &r : refusals) {
    EXPECT_EQ(checkDescriptor(r.good, r.shape), "") << r.name;
    EXPECT_THAT(checkDescriptor(r.bad, r.shape), HasSubstr(r.reason)) << r.name;
  }
  EXPECT_EQ(checkDescriptor({0, 0, 0, 0, s128}, k8), "") << "one group of rows needs no stride";
  EXPECT_EQ(checkDescriptor({0, 0, 1024, 0, s128}, mn64), "") << "one span of rows needs no leading offset";
}

} // namespace
