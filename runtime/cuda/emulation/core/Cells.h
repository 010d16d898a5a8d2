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

/// Forgets everything, and gives back what hangs on it.
void reset(Cell &cell);
/// Forgets accesses of blocks with serials below `blocksBelow`.
void forget(Cell &cell, uint32_t blocksBelow);

} // namespace mmc::emu::cells

namespace mmc::emu::memory {
/// Which of the 16 bytes at the offset (a multiple of 16) are live.
uint16_t liveBytesOfCell(uint64_t cellOffset);
} // namespace mmc::emu::memory
