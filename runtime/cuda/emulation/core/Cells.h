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

/// Accesses by several that nothing orders among themselves, ascending by block and column, one for each.
struct Access {
  Epoch epoch;
  uint32_t source;
  bool async, writes; // `writes`: of an atomic, in a set of atomics
};
struct AccessSet {
  std::vector<Access> entries;
};

/// The state of some bytes that were always accessed alike.
struct Part {
  Epoch writer = 0;
  Epoch reader = 0; // with kReaderSet a pointer to an AccessSet
  AccessSet *atomics = nullptr;
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
