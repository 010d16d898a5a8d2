// The states of a cell, for the two files that know them.
//
// A cell is whole (Cell itself: one writer of all its initialised bytes, one reader or set of readers of the bytes in
// readMask) or split (kSplit): then `writer` is a pointer to 2, 4, 8 or 16 Parts, of as many bytes each as `reader`
// says. Parts hold what is exact for each byte; they appear on the first access that the whole form cannot describe,
// and vanish when a write covers the cell.
#pragma once

#include "runtime/cuda/emulation/core/Memory.h"

#include <vector>

namespace mmc::emu::cells {

/// Accesses with one clock value by `count` neighbouring columns: what the lanes of a warp leave behind.
struct Access {
  Epoch epoch; // of the first
  uint32_t source;
  uint16_t count;
  bool async;

  uint64_t begin() const { return epoch >> 24; } // block and column
  uint64_t end() const { return begin() + count; }
  bool alike(const Access &other) const {
    return epochClock(epoch) == epochClock(other.epoch) && source == other.source && async == other.async;
  }
  /// The first of its epochs that the predicate does not hold for; 0: it holds for all.
  template <class Predicate> Epoch firstNot(Predicate holds) const {
    for (uint32_t i = 0; i < count; ++i)
      if (const Epoch one = epoch + (uint64_t(i) << 24); !holds(one)) return one;
    return 0;
  }
};
/// Accesses by several that nothing orders among themselves; ascending, the last one of each column.
struct AccessSet {
  std::vector<Access> entries;
  /// Adds an access by one column, in the place of an earlier one.
  void insert(const Access &access) {
    if (entries.empty() || access.begin() > entries.back().end())
      entries.push_back(access);
    else if (access.begin() == entries.back().end() && entries.back().alike(access))
      ++entries.back().count;
    else
      insertInside(access);
  }

private:
  void insertInside(const Access &access);
};

/// The state of some bytes that were always accessed alike.
struct Part {
  Epoch writer = 0;
  Epoch reader = 0; // with kReaderSet a pointer to an AccessSet
  AccessSet *atomicReads = nullptr, *atomicWrites = nullptr;
  uint32_t writerSource = 0, readerSource = 0;
  uint16_t flags = 0;
};

template <class Holder> AccessSet *readersOf(const Holder &holder) {
  return (holder.flags & kReaderSet) ? reinterpret_cast<AccessSet *>(holder.reader) : nullptr;
}
inline Part *partsOf(const Cell &cell) { return reinterpret_cast<Part *>(cell.writer); }

AccessSet *allocateSet();
void releaseSet(AccessSet *set);
template <class Holder> void dropReaders(Holder &holder) {
  if (AccessSet *set = readersOf(holder)) releaseSet(set);
  holder.reader = 0;
  holder.flags &= uint16_t(~(kReaderSet | kAsyncReader));
}
void dropAtomics(Part &part);
/// Splits the cell, or splits it further, so that an access to the bytes of the mask can be told from one to the
/// others.
void split(Cell &cell, uint16_t mask);
/// Makes a split cell a whole one that knows nothing.
void releaseParts(Cell &cell);
/// Checks and records an access of `bytes` bytes at the offset in emulated memory. False if it is out of bounds: it
/// must not happen.
bool touchAll(uint64_t offset, uint64_t bytes, const Accessor &who, bool write);

/// Forgets everything, and gives back what hangs on it.
void reset(Cell &cell);
/// Forgets accesses of blocks with serials below `blocksBelow`.
void forget(Cell &cell, uint32_t blocksBelow);

} // namespace mmc::emu::cells

namespace mmc::emu::memory {
/// Which of the 16 bytes at the offset (a multiple of 16) are live.
uint16_t liveBytesOfCell(uint64_t cellOffset);
} // namespace mmc::emu::memory
