// Implements vector clocks: copy-on-write segments joined with AVX2, and the look-up of earlier commands.
//
// Invariant: a segment with more than one reference never changes its values; values past the last raised column are 0
// up to the capacity.
#include "runtime/cuda/emulation/core/Clock.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <immintrin.h>
#include <new>

namespace mmc::emu {

namespace {

uint64_t nextId = 1;
/// Released segments by the logarithm of their capacity, linked through `id`.
Segment *freeSegments[13] = {};

Segment *allocateSegment(uint32_t capacity) {
  const int kind = std::countr_zero(capacity);
  Segment *segment = freeSegments[kind];
  if (segment) {
    freeSegments[kind] = reinterpret_cast<Segment *>(segment->id);
  } else {
    const size_t bytes = sizeof(Segment) + size_t(capacity) * 4;
    segment = static_cast<Segment *>(std::aligned_alloc(32, bytes));
    if (!segment) {
      std::fputs("mmc emulation: out of memory for clocks\n", stderr);
      std::abort();
    }
  }
  segment->references = 1;
  segment->capacity = capacity;
  segment->id = nextId++;
  std::memset(segment->included, 0, sizeof segment->included);
  segment->nextIncluded = 0;
  return segment;
}

/// Bit 0: a is greater somewhere; bit 1: b is.
unsigned compare(const uint32_t *a, const uint32_t *b, uint32_t count) {
  __m256i aOver = _mm256_setzero_si256(), bOver = aOver;
  for (uint32_t i = 0; i < count; i += 8) {
    const __m256i x = _mm256_load_si256(reinterpret_cast<const __m256i *>(a + i));
    const __m256i y = _mm256_load_si256(reinterpret_cast<const __m256i *>(b + i));
    const __m256i most = _mm256_max_epu32(x, y);
    aOver = _mm256_or_si256(aOver, _mm256_xor_si256(most, y));
    bOver = _mm256_or_si256(bOver, _mm256_xor_si256(most, x));
  }
  return unsigned(!_mm256_testz_si256(aOver, aOver)) | unsigned(!_mm256_testz_si256(bOver, bOver)) << 1;
}

bool anyAbove(Segment &segment, uint32_t from) {
  return std::any_of(segment.values() + from, segment.values() + segment.capacity, [](uint32_t v) { return v != 0; });
}

} // namespace

void SegmentRef::release(Segment *segment) {
  const int kind = std::countr_zero(segment->capacity);
  segment->id = reinterpret_cast<uint64_t>(freeSegments[kind]);
  freeSegments[kind] = segment;
}

void SegmentRef::own(uint32_t columns) {
  const uint32_t wanted = std::max(8u, std::bit_ceil(columns));
  if (segment && segment->references == 1 && segment->capacity >= wanted) {
    segment->id = nextId++;
    return;
  }
  Segment *copy = allocateSegment(segment ? std::max(wanted, segment->capacity) : wanted);
  const uint32_t old = segment ? segment->capacity : 0;
  if (old) {
    std::memcpy(copy->values(), segment->values(), old * 4);
    std::memcpy(copy->included, segment->included, sizeof copy->included);
    copy->nextIncluded = segment->nextIncluded;
    copy->include(segment->id);
  }
  std::memset(copy->values() + old, 0, (copy->capacity - old) * 4);
  SegmentRef keep(std::move(*this));
  segment = copy;
}

void SegmentRef::raise(uint32_t column, uint32_t clock) {
  if (get(column) >= clock) return;
  own(column + 1);
  segment->values()[column] = clock;
}

void SegmentRef::joinSlowly(Segment *other) {
  const uint32_t common = std::min(segment->capacity, other->capacity);
  unsigned over = compare(segment->values(), other->values(), common);
  if (!(over & 1) && segment->capacity > common && anyAbove(*segment, common)) over |= 1;
  if (!(over & 2) && other->capacity > common && anyAbove(*other, common)) over |= 2;
  if (over < 2) { // nowhere less: it stays as it is
    segment->include(other->id);
    return;
  }
  if (over == 2) {
    other->include(segment->id);
    ++other->references;
    SegmentRef keep(std::move(*this));
    segment = other;
    return;
  }
  own(std::max(segment->capacity, other->capacity));
  for (uint32_t i = 0; i < other->capacity; i += 8) {
    auto *to = reinterpret_cast<__m256i *>(segment->values() + i);
    const __m256i from = _mm256_load_si256(reinterpret_cast<const __m256i *>(other->values() + i));
    _mm256_store_si256(to, _mm256_max_epu32(_mm256_load_si256(to), from));
  }
  segment->include(other->id);
}

bool Clock::containsOther(Epoch epoch) const {
  const uint32_t block = epochBlock(epoch);
  auto at = std::lower_bound(others.begin(), others.end(), block, [](auto &o, uint32_t b) { return o.first < b; });
  if (at != others.end() && at->first == block && at->second.get(epochColumn(epoch)) >= epochClock(epoch)) return true;
  if (!streams) return false;
  if (block < streams->blocksBelow) return true;
  const CommandPlace place = placeOfBlock(block);
  return place.stream < streams->lastCommand.size() && place.index <= streams->lastCommand[place.stream];
}

SegmentRef &Clock::segmentOf(uint32_t block) {
  if (!ownBlock) ownBlock = block;
  if (block == ownBlock) return own;
  auto at = std::lower_bound(others.begin(), others.end(), block, [](auto &o, uint32_t b) { return o.first < b; });
  if (at == others.end() || at->first != block) at = others.insert(at, {block, SegmentRef()});
  return at->second;
}

void Clock::raise(uint32_t block, uint32_t column, uint32_t clock) {
  segmentOf(block).raise(column, clock);
  if (global) globalPart().segmentOf(block).raise(column, clock);
}

Clock &Clock::globalPart() {
  if (!global || global.use_count() > 1) {
    auto part = std::make_shared<Clock>(forGlobal());
    part->global = nullptr;
    global = std::move(part);
  }
  return *global;
}

void Clock::setGlobal(Clock clock) { global = std::make_shared<Clock>(std::move(clock)); }

void Clock::joinAll(const Clock &other) {
  if (&other == this) return;
  if ((global || other.global) && global != other.global) globalPart().joinOne(other.forGlobal());
  joinOne(other);
}

void Clock::joinOne(const Clock &other) {
  joinStreams(other.streams);
  if (other.ownBlock) segmentOf(other.ownBlock).join(other.own);
  for (auto &[block, segment] : other.others) segmentOf(block).join(segment);
}

void Clock::joinStreams(const StreamClock *other) {
  if (!other || other == streams) return;
  if (!streams) {
    streams = other;
    return;
  }
  const size_t mine = streams->lastCommand.size(), theirs = other->lastCommand.size();
  bool mineOver = streams->blocksBelow > other->blocksBelow, theirsOver = streams->blocksBelow < other->blocksBelow;
  for (size_t i = 0; i < std::max(mine, theirs); ++i) {
    const uint64_t a = i < mine ? streams->lastCommand[i] : 0, b = i < theirs ? other->lastCommand[i] : 0;
    mineOver |= a > b;
    theirsOver |= b > a;
  }
  if (!theirsOver) return;
  if (!mineOver) {
    streams = other;
    return;
  }
  // Neither covers the other: only blocks of different launches could meet so, which happens for no kernel that is
  // correct. Kept for the life of the process.
  static std::deque<StreamClock> merged;
  StreamClock &sum = merged.emplace_back(*streams);
  sum.blocksBelow = std::max(sum.blocksBelow, other->blocksBelow);
  sum.lastCommand.resize(std::max(mine, theirs));
  for (size_t i = 0; i < theirs; ++i) sum.lastCommand[i] = std::max(sum.lastCommand[i], other->lastCommand[i]);
  streams = &sum;
}

namespace {
struct Allocation {
  uint32_t first;
  CommandPlace place;
};
std::vector<Allocation> allocations; // ascending
uint32_t nextBlock = 1;
} // namespace

uint32_t allocateBlocks(uint32_t count, CommandPlace place) {
  constexpr uint32_t kMost = 1u << 28;
  if (count >= kMost - nextBlock) {
    std::fputs("mmc emulation: 2^28 blocks have run, which is all that clocks can name; start a new process\n", stderr);
    std::abort();
  }
  const uint32_t first = nextBlock;
  allocations.push_back({first, place});
  nextBlock += count;
  return first;
}

CommandPlace placeOfBlock(uint32_t block) {
  auto at = std::upper_bound(allocations.begin(), allocations.end(), block,
                             [](uint32_t b, const Allocation &a) { return b < a.first; });
  return at == allocations.begin() ? CommandPlace{} : (at - 1)->place;
}

} // namespace mmc::emu
