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

} // namespace

void read(const void *address, uint64_t bytes, const Accessor &who, bool aligned) {
  access(address, bytes, who, aligned, false);
}
void write(void *address, uint64_t bytes, const Accessor &who, bool aligned) {
  access(address, bytes, who, aligned, true);
}

void hookedRead(const void *address, uint32_t bytes, uint64_t source, bool aligned) {
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  if (hot.checks) {
    Cell &cell = hot.cells[offset >> 4];
    const uint32_t mask = ((1u << bytes) - 1) << (offset & 15);
    const Thread &thread = *hot.thread;
    const Epoch self = thread.epoch();
    // Past the cell's end the mask has more than 16 bits, and fails the tests for live bytes.
    if (!(offset & (bytes - 1)) && !(cell.flags & (kSplit | kReaderSet)) &&
        !(mask & ~uint32_t(cell.live & cell.initialised))) {
      if (cell.reader == self && !(mask & ~uint32_t(cell.readMask))) {
        if (offset < hot.globalBytes) hot.counters->globalBytesRead += bytes;
        return;
      }
      if (seen(thread, cell.writer) && (!(cell.readMask & ~mask) && seen(thread, cell.reader))) {
        cell.reader = self;
        cell.readMask = uint16_t(mask);
        cell.readerSource = sourceIndex(source);
        cell.flags &= uint16_t(~kAsyncReader);
        if (offset < hot.globalBytes) hot.counters->globalBytesRead += bytes;
        return;
      }
    }
  }
  access(address, bytes, hookAccessor(source), aligned, false);
}

void hookedWrite(void *address, uint32_t bytes, uint64_t source, bool aligned) {
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  if (hot.checks) {
    Cell &cell = hot.cells[offset >> 4];
    const uint32_t mask = ((1u << bytes) - 1) << (offset & 15);
    const Thread &thread = *hot.thread;
    const Epoch self = thread.epoch();
    if (!(offset & (bytes - 1)) && !(cell.flags & (kSplit | kReaderSet)) && !(mask & ~uint32_t(cell.live))) {
      const bool covers = !((cell.initialised | cell.readMask) & ~mask);
      if ((covers && seen(thread, cell.writer) && seen(thread, cell.reader)) ||
          (cell.writer == self && !cell.readMask)) {
        if (cell.writer != self || (cell.flags & kAsyncWriter)) {
          cell.writer = self;
          cell.writerSource = sourceIndex(source);
          cell.flags = 0;
        }
        cell.reader = 0;
        cell.readMask = 0;
        cell.initialised |= uint16_t(mask);
        if (offset < hot.globalBytes) hot.counters->globalBytesWritten += bytes;
        return;
      }
    }
  }
  access(address, bytes, hookAccessor(source), aligned, true);
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
  for (uint64_t at = offset; at < offset + bytes; ++at)
    if (!(hot.cells[at >> 4].initialised >> (at & 15) & 1)) return false;
  return true;
}

} // namespace mmc::emu::memory
