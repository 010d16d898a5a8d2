// Proves mma.sync: fragments built by the tables of the PTX ISA, products compared for equality with float64, for all
// types, and by float32 arithmetic for the order of summation.
#include "test/Cuda/KernelRun.h"
#include "test/Cuda/Matrices.h"

#include <cmath>
#include <random>

using namespace mmc::emu;
using namespace mmc::emu::test;

namespace {

/// Element e of 16 (k32: of 8-bit elements) or 8 of lane's A fragment, by the tables: groupID = lane / 4, thread in the
/// group = lane % 4.
void placeOfA(bool wide, uint32_t lane, uint32_t e, uint32_t &row, uint32_t &k) {
  const uint32_t group = lane / 4, thread = lane % 4;
  if (wide) { // m16n8k16
    row = e < 2 || (e >= 4 && e < 6) ? group : group + 8;
    k = thread * 2 + (e & 1) + (e >= 4 ? 8 : 0);
  } else { // m16n8k32
    row = e < 4 || (e >= 8 && e < 12) ? group : group + 8;
    k = thread * 4 + (e & 3) + (e >= 8 ? 16 : 0);
  }
}
void placeOfB(bool wide, uint32_t lane, uint32_t e, uint32_t &k, uint32_t &column) {
  const uint32_t group = lane / 4, thread = lane % 4;
  column = group;
  k = wide ? thread * 2 + (e & 1) + (e >= 2 ? 8 : 0) : thread * 4 + (e & 3) + (e >= 4 ? 16 : 0);
}
void placeOfD(uint32_t lane, uint32_t e, uint32_t &row, uint32_t &column) {
  row = e < 2 ? lane / 4 : lane / 4 + 8;
  column = lane % 4 * 2 + (e & 1);
}

struct Operands {
  Matrix a, b; // 16 x k, and the columns of B: 8 x k
  std::vector<uint32_t> registersA = std::vector<uint32_t>(128), registersB = std::vector<uint32_t>(64);
};
Operands lay(Element typeA, Element typeB, Matrix a, Matrix b) {
  Operands o{std::move(a), std::move(b)};
  const bool wide = bytesOf(typeA) == 2;
  const uint32_t bytes = bytesOf(typeA);
  uint32_t row, k, column;
  for (uint32_t lane = 0; lane < 32; ++lane) {
    auto *toA = reinterpret_cast<uint8_t *>(&o.registersA[lane * 4]);
    auto *toB = reinterpret_cast<uint8_t *>(&o.registersB[lane * 2]);
    for (uint32_t e = 0; e < 16 / bytes; ++e) {
      placeOfA(wide, lane, e, row, k);
      place(typeA, o.a.at(row, k), toA + e * bytes);
    }
    for (uint32_t e = 0; e < 8 / bytes; ++e) {
      placeOfB(wide, lane, e, k, column);
      place(typeB, o.b.at(column, k), toB + e * bytes);
    }
  }
  return o;
}

template <class D> void check(const MmcEmuKernel &kernel, Element typeA, Element typeB) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Operands o = lay(typeA, typeB, randomMatrix(typeA, 16, depthOf(typeA), uint32_t(seed)),
                           randomMatrix(typeB, 8, depthOf(typeB), uint32_t(seed) + 100));
    const Matrix expected = multiply(o.a, o.b);
    std::vector<D> start(128);
    for (size_t i = 0; i < 128; ++i) start[i] = D(i * 3);
    Device<uint32_t> a(o.registersA), b(o.registersB);
    Device<D> d(start);
    ASSERT_TRUE(silent(run(kernel, {1, 32}, seed, a.data, b.data, d.data)));
    for (uint32_t lane = 0; lane < 32; ++lane)
      for (uint32_t e = 0; e < 4; ++e) {
        uint32_t row, column;
        placeOfD(lane, e, row, column);
        ASSERT_EQ(double(d[lane * 4 + e]), expected.at(row, column) + double(start[lane * 4 + e]))
            << "row " << row << " column " << column;
      }
  }
}

} // namespace

#define PRODUCT(name, D, a, b)                                                                                         \
  MMC_TEST_KERNEL(name);                                                                                               \
  TEST(Mma, name) { check<D>(mmcEmuKernel_##name, Element::a, Element::b); }
PRODUCT(bf16k16, float, bf16, bf16)
PRODUCT(f16k16, float, f16, f16)
PRODUCT(s8k32, int32_t, s8, s8)
PRODUCT(s8u8k32, int32_t, s8, u8)
PRODUCT(u8s8k32, int32_t, u8, s8)
PRODUCT(u8k32, int32_t, u8, u8)
PRODUCT(e4m3k32, float, e4m3, e4m3)
PRODUCT(e4m3e5m2k32, float, e4m3, e5m2)
PRODUCT(e5m2e4m3k32, float, e5m2, e4m3)
PRODUCT(e5m2k32, float, e5m2, e5m2)

MMC_TEST_KERNEL(mmaByHalf);
MMC_TEST_KERNEL(mmaFromTwoPlaces);

namespace {

TEST(Mma, addsOneFusedMultiplyAddForEachKInOrder) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  Matrix a(16, 16), b(8, 16);
  for (auto *matrix : {&a, &b})
    for (double &v : matrix->values) v = formats::fromBf16(formats::toBf16(float(normal(random))));
  const Operands o = lay(Element::bf16, Element::bf16, a, b);
  Device<uint32_t> memoryA(o.registersA), memoryB(o.registersB);
  Device<float> d(std::vector<float>(128, 0.3f));
  ASSERT_TRUE(silent(run(mmcEmuKernel_bf16k16, {1, 32}, 0, memoryA.data, memoryB.data, d.data)));
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t e = 0; e < 4; ++e) {
      uint32_t row, column;
      placeOfD(lane, e, row, column);
      float sum = 0.3f;
      for (uint32_t k = 0; k < 16; ++k) sum = std::fma(float(a.at(row, k)), float(b.at(column, k)), sum);
      EXPECT_EQ(d[lane * 4 + e], sum);
    }
}

TEST(Mma, integersWrap) {
  Matrix a(16, 32), b(8, 32);
  for (auto *matrix : {&a, &b})
    for (double &v : matrix->values) v = 127;
  const Operands o = lay(Element::s8, Element::s8, a, b);
  Device<uint32_t> memoryA(o.registersA), memoryB(o.registersB);
  Device<int32_t> d(std::vector<int32_t>(128, INT32_MAX - 1));
  ASSERT_TRUE(silent(run(mmcEmuKernel_s8k32, {1, 32}, 0, memoryA.data, memoryB.data, d.data)));
  for (uint32_t i = 0; i < 128; ++i) EXPECT_EQ(d[i], int32_t(uint32_t(INT32_MAX - 1) + 127u * 127 * 32));
}

void expectDivergence(const MmcEmuKernel &kernel, const char *marker) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(32, 0));
    EXPECT_TRUE(found(run(kernel, {1, 32}, seed, 1u, out.data), Finding::divergence,
                      lineOf("MmaRules.cu", std::string("BAD: ") + marker)));
    EXPECT_TRUE(silent(run(kernel, {1, 32}, seed, 0u, out.data)));
  }
}
TEST(Mma, TheWholeWarpTakesPart) { expectDivergence(mmcEmuKernel_mmaByHalf, "half a warp"); }
TEST(Mma, FromOnePlace) { expectDivergence(mmcEmuKernel_mmaFromTwoPlaces, "one lane"); }

} // namespace
