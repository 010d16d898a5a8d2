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
class Segment;

/// A counted reference to a Segment; null is all zeros.
class SegmentRef {
public:
  SegmentRef() = default;
  SegmentRef(const SegmentRef &other);
  SegmentRef(SegmentRef &&other) noexcept : segment(std::exchange(other.segment, nullptr)) {}
  SegmentRef &operator=(SegmentRef other) noexcept {
    std::swap(segment, other.segment);
    return *this;
  }
  ~SegmentRef();

  uint32_t get(uint32_t column) const;
  /// values[column] = max(values[column], clock), copying the segment where it is shared.
  void raise(uint32_t column, uint32_t clock);
  /// Element-wise maximum. Equal references cost nothing; a result equal to one side shares it.
  void join(const SegmentRef &other);
  bool sameAs(const SegmentRef &other) const { return segment == other.segment; }

private:
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
  Clock() = default;
  /// The clock of a block that starts: nothing of its own, and everything that `streams` orders before its launch
  /// (which must outlive the block).
  Clock(uint32_t block, const StreamClock *streams) : ownBlock(block), streams(streams) {}

  /// True if the access is ordered before. The holder's own column is its own business (see the note above).
  bool contains(Epoch epoch) const;
  void raise(uint32_t block, uint32_t column, uint32_t clock);
  void raise(Epoch epoch) { raise(epochBlock(epoch), epochColumn(epoch), epochClock(epoch)); }
  void join(const Clock &other);
  /// For griddepcontrol.wait: from here on the launch's predecessors are ordered before too.
  void setStreams(const StreamClock *clock) { streams = clock; }
  const StreamClock *getStreams() const { return streams; }
  bool empty() const { return ownBlock == 0 && others.empty(); }

private:
  uint32_t ownBlock = 0;
  SegmentRef own;
  std::vector<std::pair<uint32_t, SegmentRef>> others; // of blocks of the same launch, sorted by block
  const StreamClock *streams = nullptr;
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
