// Proves ldmatrix, stmatrix and movmatrix: which element comes into which register of which lane, from which lane's
// address, and the rules of their accesses.
#include "test/Cuda/KernelRun.h"

#include <array>
#include <cstring>

using namespace mmc::emu;
using namespace mmc::emu::test;

#define RULE(test, kernel, finding, marker)                                                                            \
  MMC_TEST_KERNEL(kernel);                                                                                             \
  TEST(Matrix, test) { expectRule(mmcEmuKernel_##kernel, finding, marker); }
#define BOTH(name, count)                                                                                              \
  MMC_TEST_KERNEL(load##name);                                                                                         \
  MMC_TEST_KERNEL(store##name);                                                                                        \
  TEST(Matrix, load##name) { checkLoad(mmcEmuKernel_load##name, count, std::string(#name).size() > 1); }               \
  TEST(Matrix, store##name) { checkStore(mmcEmuKernel_store##name, count, std::string(#name).size() > 1); }

namespace {

using Row = std::array<uint16_t, 8>;

void expectRule(const MmcEmuKernel &kernel, Finding finding, const char *marker) {
  const std::string line = lineOf("Matrix.cu", std::string("BAD: ") + marker);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(std::vector<uint32_t>(256, 0));
    EXPECT_TRUE(found(run(kernel, {1, 32}, seed, 1u, out.data), finding, line));
    EXPECT_TRUE(silent(run(kernel, {1, 32}, seed, 0u, out.data)));
  }
}

/// Element (row, column) of matrix `matrix`, each a different number.
uint16_t element(uint32_t matrix, uint32_t row, uint32_t column) { return uint16_t(matrix * 1000 + row * 10 + column); }
/// Where matrix i's row r lies: a permutation of 64 rows, so that addresses of the wrong lanes show.
uint32_t placeOf(uint32_t matrix, uint32_t row) { return (matrix * 8 + row) * 23 % 64; }

std::vector<uint32_t> places(uint32_t count) {
  std::vector<uint32_t> places(32);
  for (uint32_t lane = 0; lane < 32; ++lane) places[lane] = lane < 8 * count ? placeOf(lane / 8, lane % 8) : 60;
  return places;
}

/// Elements of register i of a lane by the table of the PTX ISA: row groupID = lane / 4, columns 2 (lane % 4) + {0, 1}.
void expectRegister(uint32_t value, uint32_t lane, uint32_t i, bool transposed) {
  for (uint32_t e = 0; e < 2; ++e) {
    const uint32_t group = lane / 4, column = lane % 4 * 2 + e;
    const uint16_t expected = transposed ? element(i, column, group) : element(i, group, column);
    ASSERT_EQ(uint16_t(value >> (16 * e)), expected) << "lane " << lane << " register " << i << " half " << e;
  }
}

void checkLoad(const MmcEmuKernel &kernel, uint32_t count, bool transposed) {
  std::vector<Row> rows(64, Row{9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999});
  for (uint32_t i = 0; i < count; ++i)
    for (uint32_t row = 0; row < 8; ++row)
      for (uint32_t column = 0; column < 8; ++column) rows[placeOf(i, row)][column] = element(i, row, column);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<Row> memory(rows);
    Device<uint32_t> place(places(count)), out(std::vector<uint32_t>(128));
    ASSERT_TRUE(silent(run(kernel, {1, 32}, seed, memory.data, place.data, out.data)));
    for (uint32_t lane = 0; lane < 32; ++lane)
      for (uint32_t i = 0; i < count; ++i) expectRegister(out[lane * count + i], lane, i, transposed);
  }
}

void checkStore(const MmcEmuKernel &kernel, uint32_t count, bool transposed) {
  std::vector<uint32_t> in(128);
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t i = 0; i < count; ++i)
      for (uint32_t e = 0; e < 2; ++e) {
        const uint32_t group = lane / 4, column = lane % 4 * 2 + e;
        const uint32_t value = transposed ? element(i, column, group) : element(i, group, column);
        in[lane * count + i] |= value << (16 * e);
      }
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<Row> memory(std::vector<Row>(64, Row{}));
    Device<uint32_t> place(places(count)), registers(in);
    ASSERT_TRUE(silent(run(kernel, {1, 32}, seed, memory.data, place.data, registers.data)));
    for (uint32_t i = 0; i < count; ++i)
      for (uint32_t row = 0; row < 8; ++row)
        for (uint32_t column = 0; column < 8; ++column)
          ASSERT_EQ(memory[i * 8 + row][column], element(i, row, column)) << "matrix " << i << " row " << row;
  }
}

} // namespace

BOTH(1, 1)
BOTH(2, 2)
BOTH(4, 4)
BOTH(1Transposed, 1)
BOTH(2Transposed, 2)
BOTH(4Transposed, 4)

RULE(ALaneKnowsOfTheRowThatItGives, loadUnordered, Finding::race, "rows of other lanes")
RULE(StoredRowsAreOrderedLikeStores, storeUnordered, Finding::race, "read by other lanes")
RULE(NoRowIsStoredTwice, storeTwice, Finding::race, "one row twice")
RULE(RowsAreAligned, loadMisaligned, Finding::misaligned, "four bytes off")
RULE(RowsAreInitialised, loadUnwritten, Finding::uninitialisedRead, "row 15 was never written")
RULE(RowsLieInTheWindow, loadOutside, Finding::outOfBounds, "past the end")
RULE(RowsLieInSharedMemory, loadGlobalMemory, Finding::sharedMemory, "global memory")
RULE(TheWholeWarpTakesPart, loadByHalf, Finding::divergence, "half a warp")

MMC_TEST_KERNEL(move);
TEST(Matrix, MoveTransposes) {
  std::vector<uint32_t> in(32);
  for (uint32_t lane = 0; lane < 32; ++lane)
    in[lane] = element(0, lane / 4, lane % 4 * 2) | uint32_t(element(0, lane / 4, lane % 4 * 2 + 1)) << 16;
  Device<uint32_t> from(in), to(std::vector<uint32_t>(32));
  ASSERT_TRUE(silent(run(mmcEmuKernel_move, {1, 32}, 0, from.data, to.data)));
  for (uint32_t lane = 0; lane < 32; ++lane) expectRegister(to[lane], lane, 0, true);
}
