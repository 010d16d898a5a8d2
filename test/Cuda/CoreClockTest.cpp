// Proves vector clocks: segments against a plain map under random operations, what a clock contains, and the order that
// streams give.
#include "runtime/cuda/emulation/core/Clock.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace mmc::emu;

namespace {

TEST(Epoch, HoldsThreeNumbers) {
  const Epoch epoch = makeEpoch(0xfffffff, 0xfff, 0xffffff);
  EXPECT_EQ(epoch, ~Epoch(0));
  EXPECT_EQ(epochBlock(makeEpoch(5, 6, 7)), 5u);
  EXPECT_EQ(epochColumn(makeEpoch(5, 6, 7)), 6u);
  EXPECT_EQ(epochClock(makeEpoch(5, 6, 7)), 7u);
}

TEST(Segment, CopiesWhatIsShared) {
  SegmentRef a;
  a.raise(3, 10);
  SegmentRef b = a;
  EXPECT_TRUE(a.sameAs(b));
  b.raise(3, 9); // less: nothing changes
  EXPECT_TRUE(a.sameAs(b));
  b.raise(900, 1);
  EXPECT_EQ(a.get(900), 0u);
  EXPECT_EQ(b.get(900), 1u);
  EXPECT_EQ(b.get(3), 10u);
  EXPECT_EQ(b.get(4000), 0u);
}

TEST(Segment, JoinSharesTheGreaterOne) {
  SegmentRef a, none;
  a.raise(3, 10);
  SegmentRef b = a;
  b.raise(4, 1);
  a.join(b);
  EXPECT_TRUE(a.sameAs(b));
  b.join(none);
  EXPECT_TRUE(a.sameAs(b));
  none.join(a);
  EXPECT_TRUE(none.sameAs(a));
  // One of the same values that is not known to be: found by comparing.
  SegmentRef same;
  same.raise(3, 10);
  same.raise(4, 1);
  same.join(a);
  EXPECT_EQ(same.get(4), 1u);
}

TEST(Segment, AgreesWithAPlainMap) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    constexpr int kHolders = 6;
    SegmentRef segments[kHolders];
    std::map<uint32_t, uint32_t> models[kHolders];
    for (int step = 0; step < 3000; ++step) {
      const int i = int(random() % kHolders), j = int(random() % kHolders);
      switch (random() % 4) {
      case 0:
      case 1: {
        const uint32_t column = random() % (random() % 8 ? 40 : 4096), clock = 1 + random() % 1000;
        segments[i].raise(column, clock);
        models[i][column] = std::max(models[i][column], clock);
        break;
      }
      case 2:
        segments[i].join(segments[j]);
        for (auto &[column, clock] : models[j]) models[i][column] = std::max(models[i][column], clock);
        break;
      default:
        if (random() % 8 == 0) {
          segments[i] = segments[j];
          models[i] = models[j];
        }
      }
      for (auto &[column, clock] : models[i]) ASSERT_EQ(segments[i].get(column), clock) << "seed " << seed;
    }
    for (int i = 0; i < kHolders; ++i)
      for (uint32_t column = 0; column < kMaxColumns; ++column) {
        auto at = models[i].find(column);
        ASSERT_EQ(segments[i].get(column), at == models[i].end() ? 0 : at->second) << "seed " << seed;
      }
  }
}

TEST(Clock, ContainsWhatWasJoined) {
  const uint32_t first = allocateBlocks(3, {0, 1});
  StreamClock nothing;
  Clock a(first, &nothing), b(first + 1, &nothing), object;
  a.raise(first, 7, 3);
  EXPECT_TRUE(a.contains(makeEpoch(first, 7, 3)));
  EXPECT_TRUE(a.contains(makeEpoch(first, 7, 2)));
  EXPECT_FALSE(a.contains(makeEpoch(first, 7, 4)));
  EXPECT_FALSE(a.contains(makeEpoch(first, 8, 1)));
  EXPECT_FALSE(b.contains(makeEpoch(first, 7, 3)));
  EXPECT_TRUE(object.empty());
  object.join(a);
  object.raise(makeEpoch(first + 2, 0, 5));
  EXPECT_FALSE(object.empty());
  b.join(object);
  EXPECT_TRUE(b.contains(makeEpoch(first, 7, 3)));
  EXPECT_FALSE(b.contains(makeEpoch(first, 7, 4)));
  EXPECT_TRUE(b.contains(makeEpoch(first + 2, 0, 5)));
  EXPECT_FALSE(b.contains(makeEpoch(first + 2, 0, 6)));
  EXPECT_FALSE(b.contains(makeEpoch(first + 1, 0, 1))) << "its own block's other columns are ordinary ones";
  EXPECT_TRUE(b.contains(0));
  EXPECT_TRUE(b.contains(makeEpoch(0, 1, 1))) << "the host itself";
}

TEST(Clock, EarlierCommandsByStream) {
  const uint32_t onStream1 = allocateBlocks(4, {1, 5}), onStream2 = allocateBlocks(2, {2, 1});
  const uint32_t mine = allocateBlocks(1, {1, 6});
  EXPECT_EQ(placeOfBlock(onStream1 + 3).stream, 1u);
  EXPECT_EQ(placeOfBlock(onStream1 + 3).index, 5u);
  EXPECT_EQ(placeOfBlock(onStream2).stream, 2u);
  StreamClock before;
  before.lastCommand = {0, 5};
  Clock clock(mine, &before);
  EXPECT_TRUE(clock.contains(makeEpoch(onStream1 + 3, 0, 100)));
  EXPECT_FALSE(clock.contains(makeEpoch(onStream2, 0, 1))) << "no event orders that stream";
  StreamClock event = before;
  event.lastCommand = {0, 4, 1};
  Clock other(mine, &event);
  EXPECT_FALSE(other.contains(makeEpoch(onStream1, 0, 1)));
  EXPECT_TRUE(other.contains(makeEpoch(onStream2 + 1, 0, 1)));
  // Joined, it knows what either knew.
  other.join(clock);
  EXPECT_TRUE(other.contains(makeEpoch(onStream1, 0, 1)));
  EXPECT_TRUE(other.contains(makeEpoch(onStream2 + 1, 0, 1)));
  StreamClock all;
  all.blocksBelow = mine;
  clock.setStreams(&all);
  EXPECT_TRUE(clock.contains(makeEpoch(onStream2, 0, 1)));
  EXPECT_FALSE(clock.contains(makeEpoch(allocateBlocks(1, {3, 1}), 0, 1)));
}

} // namespace
