// Proves tensor copies: what a box looks like in shared memory against an independent account of it (loops over the
// coordinates, swizzles as tables), stores as its inverse, and for each rule a kernel that breaks it, reported with its
// line, and one close to it that stays silent.
#include "runtime/cuda/emulation/ops/TensorMap.h"

#include "test/Cuda/KernelRun.h"

#include <cmath>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(boxIn);
MMC_TEST_KERNEL(boxOut);
MMC_TEST_KERNEL(boxThrough);
MMC_TEST_KERNEL(mapPlace);
MMC_TEST_KERNEL(mapWritten);
MMC_TEST_KERNEL(mapReused);
MMC_TEST_KERNEL(mapUsed);
MMC_TEST_KERNEL(halves);
MMC_TEST_KERNEL(prefetches);

namespace {

const std::string kFile = "TensorCopy.cu";

struct alignas(128) MapBytes {
  uint8_t bytes[kTensorMapBytes];
};
struct Place {
  int32_t at[5];
};

/// A tensor in global memory of elements of `width` bytes, with a map of it.
struct Tensor {
  std::vector<uint64_t> sizes, strides; // strides in bytes, of all axes
  std::vector<uint32_t> box, steps;
  uint32_t width = 2;
  TensorMapRequest request;
  MapBytes map = {};

  Tensor(TensorElement element, TensorSwizzle swizzle, std::vector<uint64_t> sizesOf, std::vector<uint32_t> boxOf,
         uint64_t padding = 0, bool nan = false)
      : sizes(std::move(sizesOf)), box(std::move(boxOf)), steps(sizes.size(), 1), width(tensorElementBytes(element)) {
    strides = {width};
    uint64_t stride = (sizes[0] * width + 15) / 16 * 16 + padding;
    for (size_t axis = 1; axis < sizes.size(); ++axis) {
      strides.push_back(stride);
      stride *= sizes[axis];
    }
    request.element = uint32_t(element);
    request.rank = uint32_t(sizes.size());
    request.swizzle = uint32_t(swizzle);
    request.fill = nan;
    bytes = strides.back() * sizes.back();
  }
  void encode(void *base) {
    request.base = base;
    request.sizes = sizes.data();
    request.strides = strides.data() + 1;
    request.box = box.data();
    request.traversalStrides = steps.data();
    const TensorMapResult result = encodeTensorMap(&map, request);
    ASSERT_TRUE(result.ok()) << result.message;
  }
  uint32_t counts(size_t axis) const { return (box[axis] + steps[axis] - 1) / steps[axis]; }
  uint32_t boxBytes() const {
    uint32_t count = width;
    for (size_t axis = 0; axis < box.size(); ++axis) count *= counts(axis);
    return count;
  }
  uint64_t bytes = 0;
};

/// Where the 16-byte chunk number `chunk` of a box that begins at a multiple of 1024 goes.
uint32_t chunkPlace(TensorSwizzle swizzle, uint32_t chunk) {
  constexpr uint32_t k128[64] = {0,  1,  2,  3,  4,  5,  6,  7,  9,  8,  11, 10, 13, 12, 15, 14, 18, 19, 16, 17, 22, 23,
                                 20, 21, 27, 26, 25, 24, 31, 30, 29, 28, 36, 37, 38, 39, 32, 33, 34, 35, 45, 44, 47, 46,
                                 41, 40, 43, 42, 54, 55, 52, 53, 50, 51, 48, 49, 63, 62, 61, 60, 59, 58, 57, 56};
  constexpr uint32_t k64[32] = {0,  1,  2,  3,  4,  5,  6,  7,  9,  8,  11, 10, 13, 12, 15, 14,
                                18, 19, 16, 17, 22, 23, 20, 21, 27, 26, 25, 24, 31, 30, 29, 28};
  constexpr uint32_t k32[16] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 8, 11, 10, 13, 12, 15, 14};
  switch (swizzle) {
  case TensorSwizzle::bytes128:
    return chunk / 64 * 64 + k128[chunk % 64];
  case TensorSwizzle::bytes64:
    return chunk / 32 * 32 + k64[chunk % 32];
  case TensorSwizzle::bytes32:
    return chunk / 16 * 16 + k32[chunk % 16];
  default:
    return chunk;
  }
}

/// Shared memory after the load of a box: `memory` holds the tensor.
std::vector<uint8_t> expectedBox(const Tensor &t, const uint8_t *memory, const Place &place, uint64_t filling) {
  std::vector<uint8_t> straight, result;
  std::vector<uint32_t> index(t.box.size(), 0);
  for (;;) {
    bool inside = true;
    uint64_t offset = 0;
    for (size_t axis = 0; axis < t.box.size(); ++axis) {
      const int64_t c = int64_t(place.at[axis]) + int64_t(index[axis]) * t.steps[axis];
      inside = inside && c >= 0 && c < int64_t(t.sizes[axis]);
      offset += uint64_t(c) * t.strides[axis];
    }
    const uint8_t *from = inside ? memory + offset : reinterpret_cast<const uint8_t *>(&filling);
    straight.insert(straight.end(), from, from + t.width);
    size_t axis = 0;
    while (axis < index.size() && ++index[axis] == t.counts(axis)) index[axis++] = 0;
    if (axis == index.size()) break;
  }
  result.resize(straight.size());
  for (uint32_t i = 0; i < straight.size(); ++i)
    result[chunkPlace(TensorSwizzle(t.request.swizzle), i / 16) * 16 + i % 16] = straight[i];
  return result;
}

std::vector<uint8_t> noise(uint64_t bytes, uint32_t seed = 1) {
  std::vector<uint8_t> values(bytes);
  for (uint8_t &value : values) value = uint8_t((seed = seed * 1664525 + 1013904223) >> 24);
  return values;
}

uint32_t rankOf(const Tensor &t) { return t.request.rank; }

/// Loads the box under a seed and compares.
void checkLoad(Tensor &t, const Place &place, uint64_t seed, uint64_t filling = 0) {
  Device<uint8_t> memory(noise(t.bytes)), out(std::vector<uint8_t>(t.boxBytes(), 0xcc));
  t.encode(memory.data);
  ASSERT_TRUE(silent(run(mmcEmuKernel_boxIn, {}, seed, t.map, rankOf(t), place, t.boxBytes(), 0u, out.data)));
  const std::vector<uint8_t> expected = expectedBox(t, memory.data, place, filling);
  for (uint32_t i = 0; i < t.boxBytes(); ++i) ASSERT_EQ(out[i], expected[i]) << "byte " << i << ", seed " << seed;
}

using Element = TensorElement;
using Swizzle = TensorSwizzle;

TEST(TensorCopy, LoadsBoxesOfOneToFiveAxes) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Tensor one(Element::u8, Swizzle::none, {100}, {64});
    checkLoad(one, {{7}}, seed);
    Tensor two(Element::bf16, Swizzle::none, {50, 20}, {16, 4});
    checkLoad(two, {{9, 3}}, seed);
    Tensor three(Element::f32, Swizzle::none, {12, 5, 7}, {8, 2, 3}, 16);
    checkLoad(three, {{1, 2, 3}}, seed);
    Tensor four(Element::u16, Swizzle::none, {16, 3, 4, 5}, {8, 2, 2, 2});
    checkLoad(four, {{3, 1, 1, 2}}, seed);
    Tensor five(Element::f64, Swizzle::none, {4, 3, 3, 3, 3}, {2, 2, 1, 2, 3});
    checkLoad(five, {{1, 1, 2, 0, 0}}, seed);
  }
}

TEST(TensorCopy, FillsWhatIsOutsideOfTheTensor) {
  for (uint64_t seed = 0; seed < 4; ++seed)
    for (const Place &place : {Place{{-5, -2, 0}}, Place{{45, 18, 2}}, Place{{-20, 3, 0}}, Place{{60, 0, 0}},
                               Place{{0, 30, -1}}, Place{{-2000000000, 2000000000, 1}}}) {
      Tensor zeros(Element::bf16, Swizzle::none, {50, 20, 3}, {16, 4, 2});
      checkLoad(zeros, place, seed);
      Tensor nans(Element::bf16, Swizzle::none, {50, 20, 3}, {16, 4, 2}, 0, true);
      checkLoad(nans, place, seed, 0x7fff);
      Tensor swizzledBox(Element::bf16, Swizzle::bytes32, {50, 20, 3}, {16, 4, 2});
      checkLoad(swizzledBox, place, seed);
    }
  // A fill with NaN is one, in every format.
  EXPECT_TRUE(std::isnan(std::bit_cast<float>(0x7fffffffu)));
  EXPECT_TRUE(std::isnan(std::bit_cast<float>(0x7fffu << 16)));
}

TEST(TensorCopy, StepsOverElements) {
  Tensor t(Element::f32, Swizzle::none, {16, 20, 20}, {8, 7, 8});
  t.steps = {3, 2, 5}; // the first is ignored
  for (uint64_t seed = 0; seed < 4; ++seed) {
    t.steps[0] = 1;
    Device<uint8_t> memory(noise(t.bytes)), out(std::vector<uint8_t>(t.boxBytes()));
    const std::vector<uint8_t> expected = expectedBox(t, memory.data, {{2, 15, 3}}, 0);
    ASSERT_EQ(expected.size(), 8u * 4 * 4 * 2); // 8 elements, rows 15 17 19 21, planes 3 8
    t.steps[0] = 3;
    t.encode(memory.data);
    ASSERT_TRUE(silent(
        run(mmcEmuKernel_boxIn, {}, seed, t.map, 3u, Place{{2, 15, 3}}, uint32_t(expected.size()), 0u, out.data)));
    for (uint32_t i = 0; i < expected.size(); ++i) ASSERT_EQ(out[i], expected[i]) << i;
  }
}

TEST(TensorCopy, Swizzles) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Tensor by128(Element::bf16, Swizzle::bytes128, {200, 40}, {64, 32});
    checkLoad(by128, {{64, 5}}, seed);
    Tensor by64(Element::u8, Swizzle::bytes64, {200, 40}, {64, 32});
    checkLoad(by64, {{64, 5}}, seed);
    Tensor by32(Element::f32, Swizzle::bytes32, {40, 40}, {8, 32});
    checkLoad(by32, {{16, 5}}, seed);
  }
}

TEST(TensorCopy, SwizzlesByTheAddressItself) {
  // Three rows of 128 bytes further the pattern begins with its fourth row.
  Tensor t(Element::bf16, Swizzle::bytes128, {64, 16}, {64, 4});
  Device<uint8_t> memory(noise(t.bytes)), out(std::vector<uint8_t>(t.boxBytes()));
  t.encode(memory.data);
  ASSERT_TRUE(silent(run(mmcEmuKernel_boxIn, {}, 0, t.map, 2u, Place{{0, 0}}, t.boxBytes(), 384u, out.data)));
  constexpr uint32_t kRows[4][8] = {
      {3, 2, 1, 0, 7, 6, 5, 4}, {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2}, {6, 7, 4, 5, 2, 3, 0, 1}};
  for (uint32_t row = 0; row < 4; ++row)
    for (uint32_t byte = 0; byte < 128; ++byte)
      ASSERT_EQ(out[row * 128 + kRows[row][byte / 16] * 16 + byte % 16], memory[row * 128 + byte])
          << row << " " << byte;
}

TEST(TensorCopy, ALoadAndAStoreRestoreTheMatrix) {
  const struct {
    Swizzle swizzle;
    uint32_t columns, rows;
  } kBoxes[] = {
      {Swizzle::none, 24, 5}, {Swizzle::bytes32, 16, 9}, {Swizzle::bytes64, 32, 16}, {Swizzle::bytes128, 64, 7}};
  for (const auto &b : kBoxes)
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      // 200 columns of 2 bytes: whole chunks, so that nothing past a row is written.
      Tensor from(Element::bf16, b.swizzle, {200, 33}, {b.columns, b.rows}, 32), to = from;
      Device<uint8_t> source(noise(from.bytes)), target(std::vector<uint8_t>(from.bytes, 0xee));
      from.encode(source.data);
      to.encode(target.data);
      const uint32_t across = (200 + b.columns - 1) / b.columns, down = (33 + b.rows - 1) / b.rows;
      ASSERT_TRUE(silent(run(mmcEmuKernel_boxThrough, {.blocks = across * down, .threads = 32}, seed, from.map, to.map,
                             b.columns, b.rows, across, from.boxBytes())));
      for (uint32_t row = 0; row < 33; ++row)
        for (uint32_t byte = 0; byte < from.strides[1]; ++byte) {
          const uint64_t at = row * from.strides[1] + byte;
          ASSERT_EQ(target[at], byte < 400 ? source[at] : 0xee) << "row " << row << ", byte " << byte;
        }
    }
}

TEST(TensorCopy, AStoreDropsWhatIsOutsideButFillsItsLastChunk) {
  // Rows of 10 elements of 2 bytes: the end of a row lies 4 bytes into its second chunk.
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Tensor t(Element::u16, Swizzle::none, {10, 3}, {16, 4}, 32);
    Device<uint8_t> memory(std::vector<uint8_t>(t.bytes + 64, 0xee)), in(noise(t.boxBytes()));
    t.encode(memory.data);
    ASSERT_TRUE(silent(run(mmcEmuKernel_boxOut, {}, seed, 0u, t.map, 2u, Place{{0, 1}}, t.boxBytes(), 0u, in.data)));
    for (uint32_t i = 0; i < t.bytes + 64; ++i) {
      const uint32_t row = i / 64, byte = i % 64;
      const bool written = (row == 1 || row == 2) && byte < 32; // 20 bytes are the tensor's
      ASSERT_EQ(memory[i], written ? in[(row - 1) * 32 + byte] : 0xee) << "byte " << i;
    }
  }
}

TEST(TensorCopy, AStoreBeginsInsideOfTheTensor) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Tensor t(Element::u16, Swizzle::none, {16, 4}, {16, 2});
    Device<uint8_t> memory(std::vector<uint8_t>(t.bytes, 0xee)), in(noise(t.boxBytes()));
    t.encode(memory.data);
    const auto write = [&](Place place, uint32_t add) {
      return run(mmcEmuKernel_boxOut, {}, seed, 0u, t.map, 2u, place, t.boxBytes(), add, in.data);
    };
    ASSERT_TRUE(found(write({{-1, 0}}, 0), Finding::badDescriptor, lineOf(kFile, "BAD: store of a box")));
    ASSERT_TRUE(found(write({{0, -1}}, 0), Finding::badDescriptor, lineOf(kFile, "BAD: store of a box")));
    ASSERT_TRUE(silent(write({{3, 3}}, 0)));
    for (uint32_t i = 0; i < t.bytes; ++i) ASSERT_EQ(memory[i], i < 96 + 6 ? 0xee : in[i - 96 - 6]) << "byte " << i;
    Tensor words(Element::u32, Swizzle::none, {8, 4}, {8, 2});
    words.encode(memory.data);
    ASSERT_TRUE(found(run(mmcEmuKernel_boxOut, {}, seed, 0u, words.map, 2u, Place{{0, -1}}, 64u, 1u, in.data),
                      Finding::badDescriptor, lineOf(kFile, "BAD: add of a box")));
  }
}

TEST(TensorCopy, AddsWhatManyBlocksBring) {
  const float kExpected[] = {0.5f + 8 * 1.25f, -2.0f + 8 * 0.5f};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Tensor floats(Element::f32, Swizzle::none, {8, 2}, {8, 2});
    Device<float> sum(
        std::vector<float>{0.5f, -2, 0.5f, -2, 0.5f, -2, 0.5f, -2, 0.5f, -2, 0.5f, -2, 0.5f, -2, 0.5f, -2});
    Device<float> term(std::vector<float>{1.25f, 0.5f, 1.25f, 0.5f, 1.25f, 0.5f, 1.25f, 0.5f, 1.25f, 0.5f, 1.25f, 0.5f,
                                          1.25f, 0.5f, 1.25f, 0.5f});
    floats.encode(sum.data);
    ASSERT_TRUE(silent(run(mmcEmuKernel_boxOut, {.blocks = 8}, seed, 0u, floats.map, 2u, Place{{0, 0}}, 64u, 1u,
                           reinterpret_cast<uint8_t *>(term.data))));
    for (uint32_t i = 0; i < 16; ++i) ASSERT_EQ(sum[i], kExpected[i % 2]);

    // 1 + 1/256 is half way between two bfloat16 and goes to the even one; from 1 + 1/128 it goes up.
    Tensor shorts(Element::bf16, Swizzle::none, {8, 1}, {8, 1});
    Device<uint16_t> to(std::vector<uint16_t>{0x3f80, 0x3f81, 0x3f80, 0x3f80, 0x3f80, 0x3f80, 0x3f80, 0x3f80});
    Device<uint16_t> add(std::vector<uint16_t>{0x3b80, 0x3b80, 0x3f80, 0, 0, 0, 0, 0xbf80});
    shorts.encode(to.data);
    ASSERT_TRUE(silent(run(mmcEmuKernel_boxOut, {}, seed, 0u, shorts.map, 2u, Place{{0, 0}}, 16u, 1u,
                           reinterpret_cast<uint8_t *>(add.data))));
    EXPECT_EQ(to[0], 0x3f80);
    EXPECT_EQ(to[1], 0x3f82);
    EXPECT_EQ(to[2], 0x4000);
    EXPECT_EQ(to[7], 0);
  }
}

TEST(TensorCopy, AddsInEveryFormatThatItTakes) {
  const struct {
    Element element;
    std::vector<uint8_t> to, term, sum;
  } kSums[] = {
      {Element::u32, {0xff, 0xff, 0xff, 0xff}, {3, 0, 0, 0}, {2, 0, 0, 0}},
      {Element::s32, {0xfe, 0xff, 0xff, 0xff}, {5, 0, 0, 0}, {3, 0, 0, 0}},
      {Element::u64, {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 1, 0, 0, 0}},
      {Element::f16, {0x00, 0x3c}, {0x00, 0x38}, {0x00, 0x3e}}, // 1 + 0.5
      // Subnormals count as zeros of their sign in f32, and as they are in the short formats.
      {Element::f32, {1, 0, 0, 0x80}, {1, 0, 0, 0x80}, {0, 0, 0, 0x80}},
      {Element::f32, {0, 0, 0x80, 0}, {1, 0, 0x80, 0x80}, {0, 0, 0, 0x80}}, // the least normal minus its successor
      {Element::bf16, {1, 0}, {2, 0}, {3, 0}},
      {Element::f16, {1, 0}, {2, 0}, {3, 0}},
      {Element::f16, {0x00, 0x68}, {0x00, 0x3c}, {0x00, 0x68}}, // 2048 + 1, to the even one
  };
  for (const auto &s : kSums) {
    const uint32_t count = 16 / uint32_t(s.to.size());
    std::vector<uint8_t> to, term;
    for (uint32_t i = 0; i < count; ++i) {
      to.insert(to.end(), s.to.begin(), s.to.end());
      term.insert(term.end(), s.term.begin(), s.term.end());
    }
    Tensor t(s.element, Swizzle::none, {count, 1}, {count, 1});
    Device<uint8_t> sum(to), in(term);
    t.encode(sum.data);
    ASSERT_TRUE(silent(run(mmcEmuKernel_boxOut, {}, 0, 0u, t.map, 2u, Place{{0, 0}}, 16u, 1u, in.data)));
    for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(sum[i], s.sum[i % s.sum.size()]) << tensorElementName(s.element);
  }
  Tensor bytes(Element::u8, Swizzle::none, {16, 1}, {16, 1});
  Device<uint8_t> sum(noise(16)), in(noise(16));
  bytes.encode(sum.data);
  ASSERT_TRUE(found(run(mmcEmuKernel_boxOut, {}, 0, 0u, bytes.map, 2u, Place{{0, 0}}, 16u, 1u, in.data),
                    Finding::badDescriptor, lineOf(kFile, "BAD: add of a box")));
}

TEST(TensorCopy, UnwrittenBytesMayBeStoredButNotAdded) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Tensor t(Element::u32, Swizzle::none, {8, 2}, {8, 2});
    Device<uint8_t> memory(noise(t.bytes)), in(noise(t.boxBytes()));
    t.encode(memory.data);
    const auto write = [&](uint32_t broken, uint32_t add) {
      return run(mmcEmuKernel_boxOut, {}, seed, broken, t.map, 2u, Place{{0, 0}}, t.boxBytes(), add, in.data);
    };
    ASSERT_TRUE(silent(write(0, 1)));
    ASSERT_TRUE(found(write(2, 1), Finding::uninitialisedRead, lineOf(kFile, "BAD: add of a box")));
    ASSERT_TRUE(silent(write(2, 0)));
    EXPECT_TRUE(memory::isInitialised(memory.data, 48));
    EXPECT_FALSE(memory::isInitialised(memory.data + 48, 1));
  }
}

TEST(TensorCopy, AStoreNeedsAProxyFence) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Tensor t(Element::u16, Swizzle::bytes128, {64, 8}, {64, 8});
    Device<uint8_t> memory(noise(t.bytes)), in(noise(t.boxBytes()));
    t.encode(memory.data);
    const auto store = [&](uint32_t broken) {
      return run(mmcEmuKernel_boxOut, {}, seed, broken, t.map, 2u, Place{{0, 0}}, t.boxBytes(), 0u, in.data);
    };
    ASSERT_TRUE(silent(store(0)));
    ASSERT_TRUE(found(store(1), Finding::missingProxyFence, lineOf(kFile, "BAD: store of a box")));
  }
}

TEST(TensorCopy, ChecksItsArguments) {
  const std::string line = lineOf(kFile, "BAD: load of a box");
  Tensor t(Element::u16, Swizzle::none, {64, 8}, {16, 8});
  Device<uint8_t> memory(noise(t.bytes)), out(noise(4096));
  t.encode(memory.data);
  const auto load = [&](const MapBytes &map, uint32_t rank, uint32_t offset) {
    return run(mmcEmuKernel_boxIn, {}, 0, map, rank, Place{}, t.boxBytes(), offset, out.data);
  };
  ASSERT_TRUE(silent(load(t.map, 2, 128)));
  ASSERT_TRUE(found(load(t.map, 2, 64), Finding::misaligned, line));
  ASSERT_TRUE(found(load(t.map, 3, 0), Finding::badDescriptor, lineOf(kFile, "BAD: load of three axes")));
  ASSERT_TRUE(found(load(t.map, 2, 33664), Finding::outOfBounds, line)) << "half of it";
  MapBytes changed = t.map;
  changed.bytes[40] ^= 1;
  ASSERT_TRUE(found(load(changed, 2, 0), Finding::badDescriptor, line));
  ASSERT_TRUE(found(load(MapBytes{}, 2, 0), Finding::badDescriptor, line));
  // A box that reaches past what was allocated though the tensor says it is there.
  Tensor tooLarge(Element::u16, Swizzle::none, {64, 9}, {16, 8});
  tooLarge.encode(memory.data);
  ASSERT_TRUE(silent(load(tooLarge.map, 2, 0)));
  const Outcome beyond = run(mmcEmuKernel_boxIn, {}, 0, tooLarge.map, 2u, Place{{0, 4}}, t.boxBytes(), 0u, out.data);
  ASSERT_TRUE(found(beyond, Finding::outOfBounds, line));
}

TEST(TensorCopy, RefusesWhatIsNotModelled) {
  const std::string line = lineOf(kFile, "BAD: load of a box");
  Device<uint8_t> memory(noise(8192)), out(noise(4096));
  const auto load = [&](Tensor t) {
    t.encode(memory.data);
    return run(mmcEmuKernel_boxIn, {}, 0, t.map, rankOf(t), Place{}, t.boxBytes(), 0u, out.data);
  };
  ASSERT_TRUE(found(load({Element::tf32, Swizzle::none, {64, 8}, {16, 8}}), Finding::badDescriptor, line));
  ASSERT_TRUE(found(load({Element::f32Flushed, Swizzle::none, {64, 8}, {16, 8}}), Finding::badDescriptor, line));
  ASSERT_TRUE(found(load({Element::u16, Swizzle::bytes128, {64, 8}, {32, 8}}), Finding::badDescriptor, line));
  Tensor interleaved(Element::u16, Swizzle::none, {64, 8, 2}, {16, 8, 1});
  interleaved.request.interleave = 1;
  ASSERT_TRUE(found(load(interleaved), Finding::badDescriptor, lineOf(kFile, "BAD: load of three axes")));
}

TEST(TensorCopy, AMapLiesWhereTheHardwareReadsIt) {
  const Shape shape{.threads = 32};
  Tensor t(Element::u16, Swizzle::none, {64, 8}, {16, 8});
  Device<uint8_t> memory(noise(t.bytes));
  t.encode(memory.data);
  Device<MapBytes> maps(std::vector<MapBytes>{t.map, MapBytes{}});
  const std::string line = lineOf(kFile, "BAD: map out of place");
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const auto use = [&](uint32_t broken) {
      return run(mmcEmuKernel_mapPlace, shape, seed, broken, t.map, maps.data, t.boxBytes());
    };
    ASSERT_TRUE(silent(use(0)));
    ASSERT_TRUE(found(use(1), Finding::badDescriptor, line));
    ASSERT_TRUE(found(use(2), Finding::misaligned, line));
    ASSERT_TRUE(found(use(3), Finding::badDescriptor, line));
    ASSERT_TRUE(found(use(4), Finding::outOfBounds, line));
  }
}

TEST(TensorCopy, AWrittenMapNeedsItsFence) {
  Tensor t(Element::u16, Swizzle::none, {64, 8}, {16, 8});
  Device<uint8_t> memory(noise(t.bytes));
  t.encode(memory.data);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<MapBytes> maps(std::vector<MapBytes>(2));
    const auto use = [&](uint32_t broken) {
      return run(mmcEmuKernel_mapWritten, {}, seed, broken, t.map, maps.data, t.boxBytes());
    };
    ASSERT_TRUE(silent(use(0)));
    ASSERT_TRUE(silent(use(5)));
    for (uint32_t broken : {1u, 2u, 3u, 4u}) {
      const Outcome outcome = use(broken);
      ASSERT_TRUE(found(outcome, Finding::missingProxyFence, lineOf(kFile, "BAD: map used")));
      ASSERT_TRUE(found(outcome, Finding::missingProxyFence, lineOf(kFile, "BAD: map written")));
    }
    // The end of a launch shows its writes to everybody.
    ASSERT_TRUE(silent(run(mmcEmuKernel_mapUsed, {.threads = 32}, seed, maps.data, t.boxBytes())));
  }
}

TEST(TensorCopy, AMapStaysUntilItsCopyIsComplete) {
  Tensor t(Element::u16, Swizzle::none, {64, 8}, {16, 8});
  Device<uint8_t> memory(noise(t.bytes));
  t.encode(memory.data);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<MapBytes> map(std::vector<MapBytes>{t.map});
    const auto use = [&](uint32_t broken) {
      return run(mmcEmuKernel_mapReused, {.threads = 32}, seed, broken, t.map, map.data, t.boxBytes());
    };
    ASSERT_TRUE(silent(use(0)));
    ASSERT_TRUE(found(use(1), Finding::race, lineOf(kFile, "BAD: map in use written")));
  }
}

TEST(TensorCopy, AMulticastCompletesInEachBlock) {
  const Shape shape{.blocks = 2, .cluster = 2};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Tensor t(Element::bf16, Swizzle::bytes128, {64, 32}, {64, 16});
    Device<uint8_t> memory(noise(t.bytes)), out(std::vector<uint8_t>(4 * t.boxBytes()));
    t.encode(memory.data);
    Tensor whole(Element::bf16, Swizzle::bytes128, {64, 32}, {64, 32});
    const std::vector<uint8_t> expected = expectedBox(whole, memory.data, {{0, 0}}, 0);
    ASSERT_TRUE(silent(run(mmcEmuKernel_halves, shape, seed, 0u, t.map, 16u, t.boxBytes(), out.data)));
    for (uint32_t i = 0; i < 2 * expected.size(); ++i) ASSERT_EQ(out[i], expected[i % expected.size()]) << i;
    const Outcome half = run(mmcEmuKernel_halves, shape, seed, 1u, t.map, 16u, t.boxBytes(), out.data);
    ASSERT_FALSE(half.reports.empty()) << "half of the bytes are not awaited";
    ASSERT_TRUE(found(half, Finding::race, lineOf(kFile, "BAD: half")));
  }
}

TEST(TensorCopy, APrefetchChecksItsArguments) {
  const Shape shape{.threads = 32};
  Tensor t(Element::u16, Swizzle::none, {64, 8}, {16, 8});
  Device<uint8_t> memory(noise(t.bytes));
  t.encode(memory.data);
  ASSERT_TRUE(silent(run(mmcEmuKernel_prefetches, shape, 0, 2u, 0u, t.map)));
  ASSERT_TRUE(found(run(mmcEmuKernel_prefetches, shape, 0, 3u, 0u, t.map), Finding::badDescriptor,
                    lineOf(kFile, "BAD: prefetch of a box")));
  ASSERT_TRUE(found(run(mmcEmuKernel_prefetches, shape, 0, 2u, 16u, t.map), Finding::misaligned,
                    lineOf(kFile, "BAD: prefetch of a map")));
}

} // namespace
