// Implements the checks: what an access finds in the cells it touches, and what it leaves there.
//
// Invariant: nothing is reported that did not happen, byte by byte; see CellForms.cpp.
#include "runtime/cuda/emulation/core/Cells.h"
#include "runtime/cuda/emulation/core/Internal.h"

#include <algorithm>
#include <bit>
#include <string>

namespace mmc::emu::cells {

namespace {

/// An access and what its reports need.
struct Access16 {
  const Accessor &who;
  uint64_t offset; // of the cell
  uint16_t mask;
  bool write;
  uint32_t source = 0; // index, looked up when first needed

  uint32_t sourceNumber() {
    if (!source) source = sourceIndex(who.source);
    return source;
  }
};

bool own(const Accessor &who, Epoch epoch) { return epoch >> 24 == who.self >> 24; }

bool seesWrite(const Accessor &who, Epoch epoch) {
  if (epoch == 0 || own(who, epoch)) return true;
  if (epoch >> 24 == who.ownColumn >> 24 && (who.proxy != Proxy::async || epochClock(epoch) <= who.ownAsyncClock))
    return true;
  return !who.writesSeen || who.writesSeen->contains(epoch);
}

bool seesRead(const Accessor &who, Epoch epoch) {
  if (epoch == 0 || own(who, epoch) || epoch >> 24 == who.ownColumn >> 24) return true;
  return !who.readsSeen || who.readsSeen->contains(epoch);
}

const char *verb(const Accessor &who, bool write) {
  if (who.proxy == Proxy::async) return write ? "the async proxy writes" : "the async proxy reads";
  if (who.proxy == Proxy::atomic) return write ? "an atomic changes" : "an atomic reads";
  return write ? "writes" : "reads";
}

std::string where(const Access16 &access) {
  const uint64_t first = access.offset + uint64_t(std::countr_zero(access.mask));
  return memory::describeAddress(reinterpret_cast<const void *>(hot.base + first));
}

void reportConflict(Access16 &access, Epoch other, uint32_t otherSource, bool otherWrote, bool otherAsync,
                    bool otherAtomic) {
  const Accessor &who = access.who;
  const bool unfenced = otherWrote && who.proxy == Proxy::async && !otherAsync && seesRead(who, other);
  std::string text =
      std::string(verb(who, access.write)) + " " + where(access) + ", which " + describeEpoch(other) +
      (otherAtomic ? (otherWrote ? " changed by an atomic" : " read by an atomic") : (otherWrote ? " wrote" : " read"));
  text += unfenced ? " through the generic proxy without a proxy fence between" : "; nothing orders the two";
  reports::add(unfenced ? Finding::missingProxyFence : Finding::race, who.thread, who.source, text,
               sourceAddress(otherSource));
}

template <class Holder> void checkWriter(Access16 &access, const Holder &holder) {
  if (!seesWrite(access.who, holder.writer))
    reportConflict(access, holder.writer, holder.writerSource, true, holder.flags & kAsyncWriter, false);
}

template <class Holder> void checkReaders(Access16 &access, const Holder &holder) {
  if (AccessSet *set = readersOf(holder)) {
    for (const Access &entry : set->entries)
      if (const Epoch unseen = entry.firstNot([&](Epoch epoch) { return seesRead(access.who, epoch); }))
        return reportConflict(access, unseen, entry.source, false, entry.async, false);
  } else if (!seesRead(access.who, holder.reader)) {
    reportConflict(access, holder.reader, holder.readerSource, false, holder.flags & kAsyncReader, false);
  }
}

/// Adds the access to the set, in the place of an earlier one of the same column.
void insert(AccessSet &set, Access16 &access) {
  auto &entries = set.entries;
  // Accesses that are ordered before this one say nothing more; to look for them costs, so it is done as the set grows.
  if (entries.size() >= 8 && std::has_single_bit(entries.size()))
    std::erase_if(entries, [&](const Access &e) {
      return !e.firstNot([&](Epoch epoch) { return seesRead(access.who, epoch); });
    });
  set.insert({access.who.self, access.sourceNumber(), 1, access.who.proxy == Proxy::async});
}

template <class Holder> void setReader(Access16 &access, Holder &holder) {
  dropReaders(holder);
  holder.reader = access.who.self;
  holder.readerSource = access.sourceNumber();
  if (access.who.proxy == Proxy::async) holder.flags |= kAsyncReader;
}

/// Adds a reader of the same bytes as the former ones.
template <class Holder> void addReader(Access16 &access, Holder &holder) {
  AccessSet *set = readersOf(holder);
  if (!set) {
    if (holder.reader == access.who.self) return;
    if (seesRead(access.who, holder.reader)) return setReader(access, holder);
    set = allocateSet();
    set->entries.push_back({holder.reader, holder.readerSource, 1, bool(holder.flags & kAsyncReader)});
    holder.reader = reinterpret_cast<Epoch>(set);
    holder.flags = uint16_t((holder.flags | kReaderSet) & ~kAsyncReader);
  } else if (const Clock *seen = access.who.readsSeen;
             seen && seen->getStreams() && epochBlock(set->entries.back().epoch) < seen->getStreams()->blocksBelow) {
    return setReader(access, holder); // all of an earlier launch
  }
  insert(*set, access);
}

template <class Holder> void setWriter(Access16 &access, Holder &holder) {
  holder.writer = access.who.self;
  holder.writerSource = access.sourceNumber();
  holder.flags = uint16_t((holder.flags & ~kAsyncWriter) | (access.who.proxy == Proxy::async ? kAsyncWriter : 0));
}

/// Reads where the whole form can say so; else false, and nothing has happened.
bool readWhole(Cell &cell, Access16 &access) {
  const uint16_t mask = access.mask;
  const bool set = cell.flags & kReaderSet;
  const bool covers = !(cell.readMask & ~mask);
  bool replace = cell.readMask == 0 || (covers && !set && seesRead(access.who, cell.reader));
  const bool again = !set && cell.reader == access.who.self;
  if (!replace && !again && cell.readMask != mask) return false;
  if (cell.initialised & mask) checkWriter(access, cell);
  if (replace) {
    setReader(access, cell);
    cell.readMask = mask;
  } else if (again) {
    cell.readMask |= mask;
  } else {
    addReader(access, cell);
  }
  return true;
}

bool writeWhole(Cell &cell, Access16 &access) {
  const uint16_t mask = access.mask;
  const bool covers = !((cell.initialised | cell.readMask) & ~mask);
  const bool ownReads = cell.readMask == 0 || (!(cell.flags & kReaderSet) && cell.reader == access.who.self);
  if (!covers && !(cell.writer == access.who.self && ownReads)) return false;
  if (cell.initialised & mask) checkWriter(access, cell);
  if (cell.readMask & mask) checkReaders(access, cell);
  cell.readMask &= uint16_t(~mask);
  if (!cell.readMask) dropReaders(cell);
  setWriter(access, cell);
  cell.initialised |= mask;
  return true;
}

/// A plain access against atomics: those that change for all, those that only read for writes.
void checkAtomics(Access16 &access, const Part &part) {
  auto check = [&](const AccessSet *set, bool wrote) {
    if (!set) return;
    auto sees = [&](Epoch epoch) { return wrote ? seesWrite(access.who, epoch) : seesRead(access.who, epoch); };
    for (const Access &entry : set->entries)
      if (const Epoch unseen = entry.firstNot(sees))
        return reportConflict(access, unseen, entry.source, wrote, false, true);
  };
  check(part.atomicWrites, true);
  if (access.write) check(part.atomicReads, false);
}

void touchPart(Part &part, Access16 &access) {
  const bool atomic = access.who.proxy == Proxy::atomic;
  checkWriter(access, part);
  if (access.write) checkReaders(access, part);
  if (!atomic) checkAtomics(access, part);
  if (atomic) {
    AccessSet *&set = access.write ? part.atomicWrites : part.atomicReads;
    if (!set) set = allocateSet();
    insert(*set, access);
  } else if (access.write) {
    dropReaders(part);
    dropAtomics(part);
    setWriter(access, part);
  } else if (part.reader == 0) {
    setReader(access, part);
  } else {
    addReader(access, part);
  }
}

void touchSplit(Cell &cell, Access16 &access) {
  split(cell, access.mask);
  const uint32_t unit = uint32_t(cell.reader);
  Part *parts = partsOf(cell);
  for (uint32_t i = 0; i < 16 / unit; ++i)
    if (access.mask >> (i * unit) & 1) touchPart(parts[i], access);
  if (!access.write) return;
  cell.initialised |= access.mask;
  if (access.mask != 0xffff || access.who.proxy == Proxy::atomic) return;
  releaseParts(cell);
  setWriter(access, cell);
}

/// False if the access is out of bounds: it must not happen.
bool touch(Cell &cell, Access16 &access) {
  if (access.mask & ~cell.live) {
    if (!cell.live) cell.live = memory::liveBytesOfCell(access.offset);
    if (const uint16_t dead = access.mask & uint16_t(~cell.live)) {
      access.mask = dead;
      reports::add(Finding::outOfBounds, access.who.thread, access.who.source,
                   std::string(verb(access.who, access.write)) + " " + where(access));
      return false;
    }
  }
  if (!access.write && (access.mask & ~cell.initialised) && !access.who.passesOn) {
    Access16 bytes = access;
    bytes.mask = access.mask & uint16_t(~cell.initialised);
    reports::add(Finding::uninitialisedRead, access.who.thread, access.who.source,
                 std::string(verb(access.who, false)) + " " + where(bytes) + ", which nothing has written");
  }
  const bool whole = !(cell.flags & kSplit) && access.who.proxy != Proxy::atomic;
  if (!whole || !(access.write ? writeWhole(cell, access) : readWhole(cell, access))) touchSplit(cell, access);
  return true;
}

} // namespace

/// Walks the cells of the access.
bool touchAll(uint64_t offset, uint64_t bytes, const Accessor &who, bool write) {
  Access16 access{who, offset & ~uint64_t(15), 0, write};
  while (bytes) {
    const uint32_t shift = uint32_t(offset & 15);
    const uint32_t count = uint32_t(std::min<uint64_t>(bytes, 16 - shift));
    access.offset = offset - shift;
    access.mask = uint16_t(((1u << count) - 1) << shift);
    if (!touch(hot.cells[offset >> 4], access)) return false;
    offset += count;
    bytes -= count;
  }
  return true;
}

} // namespace mmc::emu::cells
