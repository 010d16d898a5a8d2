// Proves loads and stores of 16-bit accumulators: each slot has its element whatever the way there, nothing beyond the
// bounds is read or written, and lanes that swap neighbours move whole sectors.
#include "runtime/cuda/emulation/core/Counting.h"
#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(copyColumn);
MMC_TEST_KERNEL(copyGrid);
MMC_TEST_KERNEL(copyFours);
MMC_TEST_KERNEL(copyFew);
MMC_TEST_KERNEL(copyPairs);

namespace {

struct Case {
  const char *name;
  const MmcEmuKernel *kernel;
  uint32_t rows, columns;
  bool swaps;
};
const Case kCases[] = {{"column", &mmcEmuKernel_copyColumn, 64, 48, true},
                       {"grid", &mmcEmuKernel_copyGrid, 64, 64, true},
                       {"fours", &mmcEmuKernel_copyFours, 32, 64, true},
                       {"few", &mmcEmuKernel_copyFew, 16, 16, true},
                       {"pairs", &mmcEmuKernel_copyPairs, 64, 48, false}};

constexpr uint16_t kUntouched = 0xffff;

void expectCopied(const Case &c, uint32_t rows, uint32_t columns) {
  SCOPED_TRACE(std::string(c.name) + ", " + std::to_string(rows) + " x " + std::to_string(columns));
  std::vector<uint16_t> numbers(c.rows * c.columns);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = uint16_t(i + 1);
  // Rows beyond the bound do not exist: to read one is a finding.
  std::vector<uint16_t> existing(numbers.begin(), numbers.begin() + std::max(rows, 1u) * c.columns);
  Device<uint16_t> in(existing), seen(std::vector<uint16_t>(numbers.size(), kUntouched)),
      out(std::vector<uint16_t>(numbers.size(), kUntouched));
  for (uint64_t seed : {0u, 1u, 2u}) {
    ASSERT_TRUE(silent(run(*c.kernel, {.threads = 128}, seed, in.data, seen.data, out.data, rows, columns)));
    for (uint32_t row = 0; row < c.rows; ++row)
      for (uint32_t column = 0; column < c.columns; ++column) {
        const uint32_t at = row * c.columns + column;
        const bool inside = row < rows && column < columns;
        ASSERT_EQ(seen[at], inside ? numbers[at] : 0) << row << ", " << column;
        ASSERT_EQ(out[at], inside ? numbers[at] : kUntouched) << row << ", " << column;
      }
  }
}

} // namespace

TEST(BlockCopies, WholeAndInPart) {
  for (const Case &c : kCases)
    for (uint32_t rows : {c.rows, c.rows - 1, c.rows / 2 + 3, 1u, 0u})
      for (uint32_t columns : {c.columns, c.columns - 1, c.columns - 5, 8u, 3u}) expectCopied(c, rows, columns);
}

TEST(BlockCopies, SwappedNeighboursMoveWholeSectors) {
  for (const Case &c : kCases) {
    SCOPED_TRACE(c.name);
    std::vector<uint16_t> numbers(c.rows * c.columns, 1);
    Device<uint16_t> in(numbers), seen(numbers), out(numbers);
    counting::enable(true);
    run(*c.kernel, {.threads = 128}, 0, in.data, seen.data, out.data, c.rows, c.columns);
    const counting::LaunchCounts counts = counting::take();
    counting::enable(false);
    const uint64_t sectors = numbers.size() * 2 / 32;
    EXPECT_EQ(counts.loads.sectors, c.swaps ? sectors : 2 * sectors);
    EXPECT_EQ(counts.loads.wholeSectors, c.swaps ? sectors : 0);
    // What `seen` gets, element by element, is never a whole sector.
    EXPECT_EQ(counts.stores.wholeSectors, c.swaps ? sectors : 0);
    EXPECT_EQ(counts.stores.distinctSectors, 2 * sectors);
  }
}
