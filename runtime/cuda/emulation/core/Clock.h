// Vector clocks of the emulated device: which accesses are ordered before now.
//
// Every thread of every block, and every asynchronous operation, is a column of its block's segment; an access is
// stamped with an Epoch (block, column, clock). A Clock says for every column up to which clock value it is ordered
// before the holder. Segments are shared and copied on write: after a barrier all threads of a block hold the same one.
//
// NOTE: a holder's own column is not in its Clock; it is a scalar of the holder (Thread::clock), because it changes at
// every release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace mmc::emu {

/// Block serial (28 bits, unique in the process, 0 = the host), column (12 bits), clock (24 bits). 0: nobody.
using Epoch = uint64_t;

constexpr Epoch makeEpoch(uint32_t block, uint32_t column, uint32_t clock) {
  return uint64_t(block) << 36 | uint64_t(column) << 24 | clock;
}
constexpr uint32_t epochBlock(Epoch e) { return uint32_t(e >> 36); }
constexpr uint32_t epochColumn(Epoch e) { return uint32_t(e >> 24) & 0xfff; }
constexpr uint32_t epochClock(Epoch e) { return uint32_t(e) & 0xffffff; }
constexpr uint32_t kMaxColumns = 4096;

/// Clock values of a block's columns; missing ones are 0. Shared by reference count, one scheduler thread only.
///
/// Contents are named: `id` changes whenever the values do, and `included` remembers a few ids whose contents are known
/// to be no greater anywhere. A barrier that meets the same segment from every thread so joins it once.
struct alignas(32) Segment {
  uint32_t references;
  uint32_t capacity; // a power of two, at least 8
  uint64_t id;
  uint64_t included[4];
  uint32_t nextIncluded;

  /// `capacity` of them, behind the object.
  uint32_t *values() { return reinterpret_cast<uint32_t *>(this + 1); }
  bool includes(uint64_t other) const {
    return included[0] == other || included[1] == other || included[2] == other || included[3] == other;
  }
  void include(uint64_t other) { included[nextIncluded++ & 3] = other; }
};

/// A counted reference to a Segment; null is all zeros.
class SegmentRef {
public:
  SegmentRef() = default;
  SegmentRef(const SegmentRef &other) : segment(other.segment) {
    if (segment) ++segment->references;
  }
  SegmentRef(SegmentRef &&other) noexcept : segment(std::exchange(other.segment, nullptr)) {}
  SegmentRef &operator=(SegmentRef other) noexcept {
    std::swap(segment, other.segment);
    return *this;
  }
  ~SegmentRef() {
    if (segment && --segment->references == 0) release(segment);
  }

  uint32_t get(uint32_t column) const { return segment && column < segment->capacity ? segment->values()[column] : 0; }
  /// values[column] = max(values[column], clock), copying the segment where it is shared.
  void raise(uint32_t column, uint32_t clock);
  /// Element-wise maximum. Equal references cost nothing; a result equal to one side shares it.
  void join(const SegmentRef &other) {
    if (!other.segment || other.segment == segment) return;
    if (!segment || other.segment->includes(segment->id))
      *this = other;
    else if (!segment->includes(other.segment->id))
      joinSlowly(other.segment);
  }
  bool sameAs(const SegmentRef &other) const { return segment == other.segment; }

private:
  static void release(Segment *segment);
  /// Makes the segment unshared and long enough for `columns` columns.
  void own(uint32_t columns);
  void joinSlowly(Segment *other);

  Segment *segment = nullptr;
};

/// Which commands of which streams are ordered before a launch or a host access. Shared and immutable once published.
struct StreamClock {
  /// Every block with a serial below this is ordered before, whatever its stream: the quick answer for old launches.
  uint32_t blocksBelow = 1;
  /// Index of the last command ordered before, per stream id.
  std::vector<uint64_t> lastCommand;
};

class Clock {
public:
  /// Empty; the first block that it meets becomes its own.
  Clock() = default;
  /// The clock of a block that starts: nothing of its own, and everything that `streams` orders before its launch
  /// (which must outlive the block).
  Clock(uint32_t block, const StreamClock *streams) : ownBlock(block), streams(streams) {}

  /// True if the access is ordered before. The holder's own column is its own business (see the note above). Accesses
  /// of nobody and of the host itself (block 0) are always ordered before.
  bool contains(Epoch epoch) const {
    const uint32_t block = epochBlock(epoch);
    if (block == ownBlock) return own.get(epochColumn(epoch)) >= epochClock(epoch);
    return block == 0 || containsOther(epoch);
  }
  /// Up to which clock value a column of the holder's own block is ordered before.
  uint32_t knownOf(uint32_t column) const { return own.get(column); }
  void raise(uint32_t block, uint32_t column, uint32_t clock);
  void raise(Epoch epoch) { raise(epochBlock(epoch), epochColumn(epoch), epochClock(epoch)); }
  void join(const Clock &other) {
    // Threads of one block, with nothing but their block between them.
    if (ownBlock == other.ownBlock && streams == other.streams && other.others.empty() && !global && !other.global)
      own.join(other.own);
    else
      joinAll(other);
  }
  /// Of a thread's async clock: what it holds for global memory, where a proxy fence of one space has set the two
  /// apart.
  const Clock &forGlobal() const { return global ? *global : *this; }
  bool hasGlobal() const { return global != nullptr; }
  /// Sets them apart (`clock` has no part of its own).
  void setGlobal(Clock clock);
  /// For griddepcontrol.wait: from here on the launch's predecessors are ordered before too.
  void setStreams(const StreamClock *clock) {
    streams = clock;
    if (global) globalPart().streams = clock;
  }
  const StreamClock *getStreams() const { return streams; }
  bool empty() const { return ownBlock == 0 && others.empty(); }
  /// True if it is a copy of the other, or it of this: quick, and false for contents that are equal by chance.
  bool sameAs(const Clock &other) const {
    return ownBlock == other.ownBlock && own.sameAs(other.own) && streams == other.streams && others.empty() &&
           other.others.empty() && global == other.global;
  }

private:
  void joinAll(const Clock &other);
  bool containsOther(Epoch epoch) const;
  SegmentRef &segmentOf(uint32_t block);
  void joinStreams(const StreamClock *other);
  /// The part for global memory, made if there is none, unshared.
  Clock &globalPart();
  void joinOne(const Clock &other);

  uint32_t ownBlock = 0;
  SegmentRef own;
  std::vector<std::pair<uint32_t, SegmentRef>> others; // of blocks of the same launch, sorted by block
  const StreamClock *streams = nullptr;
  std::shared_ptr<Clock> global; // null: the same as the rest; shared by copies, copied before it changes
};

/// Where a command stands: recorded by the launch that the block belongs to.
struct CommandPlace {
  uint32_t stream = 0;
  uint64_t index = 0;
};
/// Registers the serials [first, first + count) as blocks of the command at `place`; serials grow without gaps. Returns
/// the first serial.
uint32_t allocateBlocks(uint32_t count, CommandPlace place);
/// Of a block that allocateBlocks gave out.
CommandPlace placeOfBlock(uint32_t block);

} // namespace mmc::emu
