// Implements accesses to emulated memory: counted, tested for alignment and bounds, then checked cell by cell. The
// hooks' way in decides the usual case, one cell in a simple state, by itself.
#include "runtime/cuda/emulation/core/Cells.h"
#include "runtime/cuda/emulation/core/Internal.h"

#include <algorithm>
#include <bit>
#include <string>

namespace mmc::emu::memory {

namespace {

void access(const void *address, uint64_t bytes, const Accessor &who, bool aligned, bool write) {
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  if (who.thread && offset < hot.globalBytes) {
    Counters &counters = who.thread->block->launch->counters;
    (write ? counters.globalBytesWritten : counters.globalBytesRead) += bytes;
  }
  if (!hot.checks || bytes == 0) return;
  if (who.proxy == Proxy::async && offset < hot.globalBytes && who.writesSeen && who.writesSeen->hasGlobal()) {
    Accessor global = who;
    global.writesSeen = &who.writesSeen->forGlobal();
    return access(address, bytes, global, aligned, write);
  }
  if (aligned && bytes <= 16 && std::has_single_bit(bytes) && (offset & (bytes - 1)))
    reports::add(Finding::misaligned, who.thread, who.source,
                 std::string(write ? "writes " : "reads ") + std::to_string(bytes) + " bytes at " +
                     describeAddress(address) + ", which is no multiple of " + std::to_string(bytes));
  bool inside = offset < hot.bytes && bytes <= hot.bytes - offset;
  if (!inside)
    reports::add(Finding::outOfBounds, who.thread, who.source,
                 std::string(write ? "writes " : "reads ") + describeAddress(address));
  else
    inside = cells::touchAll(offset, bytes, who, write);
  if (!inside) scheduler::abandon();
}

Accessor hookAccessor(uint64_t source) {
  Thread &thread = *hot.thread;
  Accessor who;
  who.writesSeen = who.readsSeen = &thread.vc;
  who.self = thread.epoch();
  who.ownColumn = thread.column;
  who.thread = &thread;
  who.source = source;
  return who;
}

bool seen(const Thread &thread, Epoch epoch) { return epoch >> 24 == thread.column >> 24 || thread.vc.contains(epoch); }

template <bool isWrite> void count(uint64_t offset, uint32_t bytes) {
  if (offset < hot.globalBytes) (isWrite ? hot.counters->globalBytesWritten : hot.counters->globalBytesRead) += bytes;
}

/// One more reader in a set of readers of the same bytes, if it comes at the end: lanes in their order.
bool appendReader(const Cell &cell, Epoch self, uint64_t source) {
  auto &entries = cells::readersOf(cell)->entries;
  cells::Access &last = entries.back();
  if (epochBlock(last.epoch) != epochBlock(self) || last.end() > self >> 24) return false;
  const cells::Access access{self, sourceIndex(source), 1, false};
  if (last.end() == self >> 24 && last.alike(access)) {
    ++last.count;
    return true;
  }
  if (entries.size() >= 8 && std::has_single_bit(entries.size())) return false; // time to look for old ones
  entries.push_back(access);
  return true;
}

// The four below do what CellChecks.cpp does in the cases that need no more than a look; false: nothing has happened.

bool readSimply(Cell &cell, uint32_t mask, const Thread &thread, uint64_t source) {
  const Epoch self = thread.epoch();
  if (!(cell.flags & kReaderSet)) {
    if (cell.reader == self) {
      if (!(mask & ~uint32_t(cell.readMask))) return true;
      if (!seen(thread, cell.writer)) return false;
      cell.readMask |= uint16_t(mask);
      return true;
    }
    if ((cell.readMask & ~mask) || !seen(thread, cell.writer) || !seen(thread, cell.reader)) return false;
    cell.reader = self;
    cell.readMask = uint16_t(mask);
    cell.readerSource = sourceIndex(source);
    cell.flags &= uint16_t(~kAsyncReader);
    return true;
  }
  return cell.readMask == mask && seen(thread, cell.writer) && appendReader(cell, self, source);
}

bool writeSimply(Cell &cell, uint32_t mask, const Thread &thread, uint64_t source) {
  if (cell.flags & kReaderSet) return false;
  const Epoch self = thread.epoch();
  if (cell.writer == self && (!cell.readMask || cell.reader == self)) {
    cell.readMask &= uint16_t(~mask);
    if (!cell.readMask) cell.reader = 0;
  } else {
    const bool covers = !((cell.initialised | cell.readMask) & ~mask);
    if (!covers || !seen(thread, cell.writer) || !seen(thread, cell.reader)) return false;
    cell.writer = self;
    cell.writerSource = sourceIndex(source);
    cell.flags = 0;
    cell.reader = 0;
    cell.readMask = 0;
  }
  cell.initialised |= uint16_t(mask);
  return true;
}

/// The part that the access covers exactly, if its state is simple.
cells::Part *simplePart(const Cell &cell, uint64_t offset, uint32_t bytes) {
  if (cell.reader != bytes) return nullptr;
  cells::Part &part = cells::partsOf(cell)[(offset & 15) >> std::countr_zero(bytes)];
  return part.atomicReads || part.atomicWrites || (part.flags & kReaderSet) ? nullptr : &part;
}

bool readPart(cells::Part &part, const Thread &thread, uint64_t source) {
  const Epoch self = thread.epoch();
  if (part.reader == self) return true;
  if (!seen(thread, part.writer) || !seen(thread, part.reader)) return false;
  part.reader = self;
  part.readerSource = sourceIndex(source);
  part.flags &= uint16_t(~kAsyncReader);
  return true;
}

bool writePart(cells::Part &part, const Thread &thread, uint64_t source) {
  const Epoch self = thread.epoch();
  if (part.writer != self) {
    if (!seen(thread, part.writer) || !seen(thread, part.reader)) return false;
    part.writer = self;
    part.writerSource = sourceIndex(source);
    part.flags = 0;
  } else if (part.reader && part.reader != self) {
    return false;
  }
  part.reader = 0;
  return true;
}

template <bool isWrite> void hooked(const void *address, uint32_t bytes, uint64_t source, bool aligned) {
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  if (!hot.checks) return count<isWrite>(offset, bytes);
  Cell &cell = hot.cells[offset >> 4];
  // Past the cell's end the mask has more than 16 bits, and fails the test for live bytes.
  const uint32_t mask = ((1u << bytes) - 1) << (offset & 15);
  const uint32_t usable = isWrite ? cell.live : cell.live & cell.initialised;
  if (!(offset & (bytes - 1)) && !(mask & ~usable)) {
    const Thread &thread = *hot.thread;
    bool done = false;
    if (!(cell.flags & kSplit))
      done = isWrite ? writeSimply(cell, mask, thread, source) : readSimply(cell, mask, thread, source);
    else if (cells::Part *part = simplePart(cell, offset, bytes)) {
      done = isWrite ? writePart(*part, thread, source) : readPart(*part, thread, source);
      if (isWrite && done) cell.initialised |= uint16_t(mask);
    }
    if (done) return count<isWrite>(offset, bytes);
  }
  access(address, bytes, hookAccessor(source), aligned, isWrite);
}

} // namespace

void read(const void *address, uint64_t bytes, const Accessor &who, bool aligned) {
  access(address, bytes, who, aligned, false);
}
void write(void *address, uint64_t bytes, const Accessor &who, bool aligned) {
  access(address, bytes, who, aligned, true);
}

void hookedRead(const void *address, uint32_t bytes, uint64_t source, bool aligned) {
  hooked<false>(address, bytes, source, aligned);
}
void hookedWrite(void *address, uint32_t bytes, uint64_t source, bool aligned) {
  hooked<true>(address, bytes, source, aligned);
}

void hookedRange(const void *address, uint64_t bytes, bool write, uint64_t source) {
  access(address, bytes, hookAccessor(source), false, write);
}

void setInitialised(void *address, uint64_t bytes, bool initialised) {
  if (!hot.checks) return;
  uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  for (uint64_t end = offset + bytes; offset < end; offset = (offset | 15) + 1) {
    const uint32_t from = uint32_t(offset & 15), to = uint32_t(std::min<uint64_t>(16, end - (offset & ~uint64_t(15))));
    const uint16_t mask = uint16_t((1u << to) - (1u << from));
    Cell &cell = hot.cells[offset >> 4];
    if (!initialised) {
      cell.initialised &= uint16_t(~mask);
      continue;
    }
    // A whole cell's writer speaks for all initialised bytes, so bytes that nobody wrote need a cell without one.
    if (!(cell.flags & kSplit) && cell.writer && (mask & ~cell.initialised)) cells::split(cell, mask);
    cell.initialised |= mask;
  }
}

uint64_t writerSourceOf(const void *address) {
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  if (!hot.checks || offset >= hot.bytes) return 0;
  const Cell &cell = hot.cells[offset >> 4];
  if (!(cell.flags & kSplit)) return sourceAddress(cell.writerSource);
  return sourceAddress(reinterpret_cast<const cells::Part *>(cell.writer)[(offset & 15) / cell.reader].writerSource);
}

bool isInitialised(const void *address, uint64_t bytes) {
  if (!hot.checks) return true;
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  for (uint64_t at = offset, end = offset + bytes; at < end; at = (at | 15) + 1) {
    const uint32_t from = uint32_t(at & 15), to = uint32_t(std::min<uint64_t>(16, end - (at & ~uint64_t(15))));
    const uint32_t mask = (1u << to) - (1u << from);
    if (mask & ~uint32_t(hot.cells[at >> 4].initialised)) return false;
  }
  return true;
}

} // namespace mmc::emu::memory
