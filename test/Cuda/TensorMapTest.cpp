// The encoding of tensor maps: every refusal of the driver's encoder next to the nearest request that it accepts, what
// a map says after decoding, and the swizzles against tables written out by hand.
#include "runtime/cuda/emulation/ops/TensorMap.h"

#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <vector>

using namespace mmc::emu;

namespace {

struct alignas(64) MapBytes {
  uint8_t bytes[kTensorMapBytes + 64];
};

/// A request that is accepted: bf16, 3 axes, a box of 64 x 8 x 2.
struct Request {
  uint64_t sizes[5] = {200, 100, 10, 7, 5}, strides[4] = {400, 40000, 400000, 2800000};
  uint32_t box[5] = {64, 8, 2, 1, 1}, traversal[5] = {1, 1, 1, 1, 1};
  TensorMapRequest arguments;

  Request() {
    arguments.element = uint32_t(TensorElement::bf16);
    arguments.rank = 3;
    arguments.base = reinterpret_cast<void *>(0x10000);
    arguments.sizes = sizes;
    arguments.strides = strides;
    arguments.box = box;
    arguments.traversalStrides = traversal;
    arguments.swizzle = uint32_t(TensorSwizzle::bytes128);
  }
  TensorMapResult encode() const {
    MapBytes map;
    return encodeTensorMap(map.bytes, arguments);
  }
};

struct Case {
  const char *what;
  TensorMapRefusal expected;
  std::function<void(Request &)> change;
  const char *message;
};

using R = TensorMapRefusal;
constexpr uint32_t kInterleave32 = uint32_t(TensorInterleave::bytes32);

const Case kRefused[] = {
    {"element", R::element, [](Request &r) { r.arguments.element = 16; }, "no data type has the number 16"},
    {"packed", R::newerDevice, [](Request &r) { r.arguments.element = 13; },
     "data type 13 (packed elements) needs a later device than sm_90"},
    {"rank 0", R::rank, [](Request &r) { r.arguments.rank = 0; }, "rank is 0, expected 1 to 5"},
    {"rank 6", R::rank, [](Request &r) { r.arguments.rank = 6; }, "rank is 6, expected 1 to 5"},
    {"interleave", R::interleave, [](Request &r) { r.arguments.interleave = 3; }, "no interleave has the number 3"},
    {"interleaved, 2 axes", R::interleaveRank,
     [](Request &r) {
       r.arguments.interleave = 1;
       r.arguments.rank = 2;
     },
     "rank is 2, expected at least 3 for an interleaved map"},
    {"base", R::baseAlignment, [](Request &r) { r.arguments.base = reinterpret_cast<void *>(0x10008); },
     "base address is 8 past a multiple of 16, expected such a multiple"},
    {"base, interleaved", R::baseAlignment,
     [](Request &r) {
       r.arguments.interleave = kInterleave32;
       r.arguments.swizzle = 1;
       r.arguments.base = reinterpret_cast<void *>(0x10010);
     },
     "base address is 16 past a multiple of 32, expected such a multiple"},
    {"size 0", R::size, [](Request &r) { r.sizes[2] = 0; }, "size of axis 2 is 0, expected 1 to 2^32"},
    {"size", R::size, [](Request &r) { r.sizes[1] = (uint64_t(1) << 32) + 1; },
     "size of axis 1 is 4294967297, expected 1 to 2^32"},
    {"stride", R::strideAlignment, [](Request &r) { r.strides[1] = 40008; },
     "stride of axis 2 is 40008, expected a multiple of 16 bytes"},
    {"stride, interleaved", R::strideAlignment,
     [](Request &r) {
       r.arguments.interleave = kInterleave32;
       r.arguments.swizzle = 1;
     },
     "stride of axis 1 is 400, expected a multiple of 32 bytes"},
    {"stride too long", R::strideRange, [](Request &r) { r.strides[0] = uint64_t(1) << 40; },
     "stride of axis 1 is 1099511627776, expected less than 2^40 bytes"},
    {"box 0", R::box, [](Request &r) { r.box[0] = 0; }, "box of axis 0 is 0, expected 1 to 256"},
    {"box", R::box, [](Request &r) { r.box[1] = 257; }, "box of axis 1 is 257, expected 1 to 256"},
    {"box bytes", R::boxBytes, [](Request &r) { r.box[0] = 60; },
     "a row of the box has 120 bytes, expected a multiple of 16"},
    {"traversal stride 0", R::traversalStride, [](Request &r) { r.traversal[0] = 0; },
     "traversal stride of axis 0 is 0, expected 1 to 8"},
    {"traversal stride", R::traversalStride, [](Request &r) { r.traversal[2] = 9; },
     "traversal stride of axis 2 is 9, expected 1 to 8"},
    {"swizzle", R::swizzle, [](Request &r) { r.arguments.swizzle = 7; }, "no swizzle has the number 7"},
    {"swizzle atoms", R::newerDevice, [](Request &r) { r.arguments.swizzle = 4; },
     "swizzle 4 (larger atoms) needs a later device than sm_90"},
    {"span 128", R::swizzleSpan, [](Request &r) { r.box[0] = 72; },
     "a row of the box has 144 bytes, expected at most 128, which the swizzle spans"},
    {"span 64", R::swizzleSpan, [](Request &r) { r.arguments.swizzle = 2; },
     "a row of the box has 128 bytes, expected at most 64, which the swizzle spans"},
    {"span 32", R::swizzleSpan,
     [](Request &r) {
       r.arguments.swizzle = 1;
       r.box[0] = 24;
     },
     "a row of the box has 48 bytes, expected at most 32, which the swizzle spans"},
    {"interleave and swizzle", R::interleaveSwizzle,
     [](Request &r) {
       r.arguments.interleave = kInterleave32;
       r.strides[0] = 416;
     },
     "swizzle is 128 bytes, expected 32 for an interleave of 32"},
    {"promotion", R::l2Promotion, [](Request &r) { r.arguments.l2Promotion = 4; }, "no L2 promotion has the number 4"},
    {"fill", R::fill, [](Request &r) { r.arguments.fill = 2; }, "no fill has the number 2"},
    {"fill of integers", R::fillElement,
     [](Request &r) {
       r.arguments.fill = 1;
       r.arguments.element = uint32_t(TensorElement::u16);
     },
     "fills with NaN, but elements are u16, expected floats"},
    {"no sizes", R::nullArgument, [](Request &r) { r.arguments.sizes = nullptr; }, "sizes is null"},
    {"no strides", R::nullArgument, [](Request &r) { r.arguments.strides = nullptr; }, "strides is null"},
    {"no box", R::nullArgument, [](Request &r) { r.arguments.box = nullptr; }, "box is null"},
};

/// At the limits that the refusals above are beyond.
const Case kAccepted[] = {
    {"as it is", R::none, [](Request &) {}, ""},
    {"1 axis, no strides", R::none,
     [](Request &r) {
       r.arguments.rank = 1;
       r.arguments.strides = nullptr;
     },
     ""},
    {"5 axes", R::none, [](Request &r) { r.arguments.rank = 5; }, ""},
    {"largest size", R::none, [](Request &r) { r.sizes[1] = uint64_t(1) << 32; }, ""},
    {"longest stride", R::none, [](Request &r) { r.strides[1] = (uint64_t(1) << 40) - 16; }, ""},
    {"a stride of 0 repeats", R::none, [](Request &r) { r.strides[1] = 0; }, ""},
    {"largest box", R::none,
     [](Request &r) {
       r.arguments.swizzle = 0;
       r.box[0] = r.box[1] = r.box[2] = 256;
     },
     ""},
    {"interleaved by 32", R::none,
     [](Request &r) {
       r.arguments.interleave = kInterleave32;
       r.arguments.swizzle = 1;
       r.strides[0] = 416;
     },
     ""},
    {"interleaved by 16, any swizzle, any row", R::none,
     [](Request &r) {
       r.arguments.interleave = 1;
       r.box[0] = 60;
     },
     ""},
    {"span 64", R::none,
     [](Request &r) {
       r.arguments.swizzle = 2;
       r.box[0] = 32;
     },
     ""},
    {"span 32", R::none,
     [](Request &r) {
       r.arguments.swizzle = 1;
       r.box[0] = 16;
     },
     ""},
    {"NaN for floats", R::none, [](Request &r) { r.arguments.fill = 1; }, ""},
    {"longest traversal stride", R::none, [](Request &r) { r.traversal[2] = 8; }, ""},
    {"largest promotion", R::none, [](Request &r) { r.arguments.l2Promotion = 3; }, ""},
};

TEST(TensorMap, RefusesWhatTheDriverRefuses) {
  for (const Case &test : kRefused) {
    Request request;
    test.change(request);
    const TensorMapResult result = request.encode();
    EXPECT_EQ(result.refusal, test.expected) << test.what << ": " << result.message;
    EXPECT_EQ(result.message, test.message) << test.what;
  }
}

TEST(TensorMap, AcceptsWhatIsAtTheLimits) {
  for (const Case &test : kAccepted) {
    Request request;
    test.change(request);
    const TensorMapResult result = request.encode();
    EXPECT_TRUE(result.ok()) << test.what << ": " << result.message;
  }
}

TEST(TensorMap, EveryRefusalIsTested) {
  uint64_t tested = 1 | 1u << uint32_t(R::mapAlignment);
  for (const Case &test : kRefused) tested |= uint64_t(1) << uint32_t(test.expected);
  EXPECT_EQ(tested, (uint64_t(1) << (uint32_t(R::fillElement) + 1)) - 1);
}

TEST(TensorMap, TheMapItselfIsAligned) {
  MapBytes map;
  const Request request;
  EXPECT_EQ(encodeTensorMap(nullptr, request.arguments).refusal, R::nullArgument);
  EXPECT_EQ(encodeTensorMap(map.bytes + 32, request.arguments).refusal, R::mapAlignment);
  EXPECT_TRUE(encodeTensorMap(map.bytes + 64, request.arguments).ok());
}

TEST(TensorMap, ARefusalLeavesTheBytesAlone) {
  MapBytes map;
  memset(map.bytes, 0xa5, sizeof map.bytes);
  Request request;
  request.box[0] = 60;
  EXPECT_FALSE(encodeTensorMap(map.bytes, request.arguments).ok());
  for (uint8_t byte : map.bytes) ASSERT_EQ(byte, 0xa5);
}

TEST(TensorMap, DecodesWhatWasEncoded) {
  MapBytes bytes;
  Request request;
  request.arguments.rank = 4;
  request.arguments.fill = 1;
  request.traversal[0] = 2; // ignored: no traversal stride along the first axis
  request.traversal[1] = 3;
  request.sizes[3] = uint64_t(1) << 32;
  ASSERT_TRUE(encodeTensorMap(bytes.bytes, request.arguments).ok());
  TensorMap map;
  std::string why;
  ASSERT_TRUE(decodeTensorMap(bytes.bytes, map, why)) << why;
  EXPECT_EQ(map.element, TensorElement::bf16);
  EXPECT_EQ(map.swizzle, TensorSwizzle::bytes128);
  EXPECT_EQ(map.fill, TensorFill::nan);
  EXPECT_EQ(map.base, reinterpret_cast<uint8_t *>(0x10000));
  EXPECT_EQ(map.rank, 4u);
  EXPECT_EQ(map.sizes[3], uint64_t(1) << 32);
  EXPECT_EQ(map.sizes[4], 1u);
  EXPECT_EQ(map.strides[0], 2u);
  EXPECT_EQ(map.strides[3], 400000u);
  EXPECT_EQ(map.counts[0], 64u);
  EXPECT_EQ(map.steps[0], 1u);
  EXPECT_EQ(map.counts[1], 3u); // rows 0, 3 and 6 of 8
  EXPECT_EQ(map.steps[1], 3u);
  EXPECT_EQ(map.rowBytes(), 128u);
  EXPECT_EQ(map.boxBytes(), 768u); // 128 bytes, 3 rows, 2 planes
}

TEST(TensorMap, TellsForeignAndChangedBytes) {
  MapBytes bytes;
  const Request request;
  ASSERT_TRUE(encodeTensorMap(bytes.bytes, request.arguments).ok());
  TensorMap map;
  std::string why;
  for (uint32_t i = 0; i < kTensorMapBytes; ++i) {
    MapBytes changed = bytes;
    changed.bytes[i] ^= 0x10;
    EXPECT_FALSE(decodeTensorMap(changed.bytes, map, why)) << "byte " << i;
    EXPECT_EQ(why, i < 8 ? "the 128 bytes are no tensor map that the emulation has encoded"
                         : "the tensor map has been changed since it was encoded");
  }
  EXPECT_TRUE(decodeTensorMap(bytes.bytes, map, why));
}

/// Chunks of 16 bytes: row r of the table says where the chunks of the span-wide row r of a box go.
TEST(TensorMap, SwizzlesAsTheTablesSay) {
  constexpr int k128[8][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6}, {2, 3, 0, 1, 6, 7, 4, 5},
                              {3, 2, 1, 0, 7, 6, 5, 4}, {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2},
                              {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};
  constexpr int k64[8][4] = {{0, 1, 2, 3}, {0, 1, 2, 3}, {1, 0, 3, 2}, {1, 0, 3, 2},
                             {2, 3, 0, 1}, {2, 3, 0, 1}, {3, 2, 1, 0}, {3, 2, 1, 0}};
  constexpr int k32[8][2] = {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {1, 0}, {1, 0}, {1, 0}, {1, 0}};
  for (uint64_t byte = 0; byte < 4096; ++byte) {
    const uint64_t inChunk = byte % 16;
    EXPECT_EQ(swizzled(TensorSwizzle::bytes128, byte),
              byte / 128 * 128 + uint64_t(k128[byte / 128 % 8][byte / 16 % 8]) * 16 + inChunk);
    EXPECT_EQ(swizzled(TensorSwizzle::bytes64, byte),
              byte / 64 * 64 + uint64_t(k64[byte / 64 % 8][byte / 16 % 4]) * 16 + inChunk);
    EXPECT_EQ(swizzled(TensorSwizzle::bytes32, byte),
              byte / 32 * 32 + uint64_t(k32[byte / 32 % 8][byte / 16 % 2]) * 16 + inChunk);
    EXPECT_EQ(swizzled(TensorSwizzle::none, byte), byte);
  }
}

} // namespace
