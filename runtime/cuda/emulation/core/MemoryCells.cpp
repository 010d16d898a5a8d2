// Implements the checks: what an access finds in the cells it touches, and what it leaves there.
//
// Invariant: an epoch in a cell speaks for all bytes that the cell (or the part) says it does, and for no other: where
// the whole form cannot say that, the cell is split. So nothing is reported that did not happen, byte by byte.
#include "runtime/cuda/emulation/core/Cells.h"
#include "runtime/cuda/emulation/core/Internal.h"

#include <algorithm>
#include <bit>
#include <string>

namespace mmc::emu {

namespace cells {

namespace {

/// Arrays of parts by the logarithm of their length, given back and used again.
std::vector<Part *> freeParts[5];

Part *allocateParts(uint32_t count) {
  auto &pool = freeParts[std::countr_zero(count)];
  if (pool.empty()) {
    constexpr uint32_t kSlab = 1024;
    Part *slab = new Part[kSlab];
    for (uint32_t i = 0; i + count <= kSlab; i += count) pool.push_back(slab + i);
  }
  Part *parts = pool.back();
  pool.pop_back();
  std::fill(parts, parts + count, Part{});
  return parts;
}

std::vector<AccessSet *> freeSets;
AccessSet *allocateSet() {
  if (freeSets.empty()) return new AccessSet;
  AccessSet *set = freeSets.back();
  freeSets.pop_back();
  return set;
}
void releaseSet(AccessSet *set) {
  set->entries.clear();
  freeSets.push_back(set);
}

template <class Holder> AccessSet *readersOf(Holder &holder) {
  return (holder.flags & kReaderSet) ? reinterpret_cast<AccessSet *>(holder.reader) : nullptr;
}
template <class Holder> void dropReaders(Holder &holder) {
  if (AccessSet *set = readersOf(holder)) releaseSet(set);
  holder.reader = 0;
  holder.flags &= uint16_t(~(kReaderSet | kAsyncReader));
}

Part *partsOf(Cell &cell) { return reinterpret_cast<Part *>(cell.writer); }

void releaseParts(Cell &cell) {
  const uint32_t count = 16 / uint32_t(cell.reader);
  Part *parts = partsOf(cell);
  for (uint32_t i = 0; i < count; ++i) {
    dropReaders(parts[i]);
    if (parts[i].atomics) releaseSet(parts[i].atomics);
  }
  freeParts[std::countr_zero(count)].push_back(parts);
  cell.flags = 0;
  cell.writer = cell.reader = 0;
}

/// The largest number of bytes, up to 8, of which the mask is made whole.
uint32_t unitOf(uint16_t mask) {
  for (uint32_t unit = 8; unit > 1; unit /= 2) {
    const uint16_t one = uint16_t((1u << unit) - 1);
    bool whole = true;
    for (uint32_t at = 0; at < 16; at += unit) {
      const uint16_t part = uint16_t(mask >> at) & one;
      whole &= part == 0 || part == one;
    }
    if (whole) return unit;
  }
  return 1;
}

AccessSet *copyOf(const AccessSet *set) {
  if (!set) return nullptr;
  AccessSet *copy = allocateSet();
  copy->entries = set->entries;
  return copy;
}

/// Splits the cell, or splits it further, so that an access to the bytes of the mask can be told from one to the
/// others.
void split(Cell &cell, uint16_t mask) {
  if (cell.flags & kSplit) {
    const uint32_t old = uint32_t(cell.reader), unit = std::min(old, unitOf(mask));
    if (unit == old) return;
    Part *from = partsOf(cell), *to = allocateParts(16 / unit);
    for (uint32_t i = 0; i < 16 / unit; ++i) {
      const Part &whole = from[i * unit / old];
      to[i] = whole;
      to[i].atomics = copyOf(whole.atomics);
      if (AccessSet *set = readersOf(whole)) to[i].reader = reinterpret_cast<Epoch>(copyOf(set));
    }
    const uint16_t flags = cell.flags;
    releaseParts(cell);
    cell.writer = reinterpret_cast<Epoch>(to);
    cell.reader = unit;
    cell.flags = flags;
    return;
  }
  const uint32_t unit = std::min({unitOf(mask), unitOf(cell.initialised), unitOf(cell.readMask)});
  Part *parts = allocateParts(16 / unit);
  for (uint32_t i = 0; i < 16 / unit; ++i) {
    if (cell.initialised >> (i * unit) & 1) {
      parts[i].writer = cell.writer;
      parts[i].writerSource = cell.writerSource;
      parts[i].flags |= cell.flags & kAsyncWriter;
    }
    if (cell.readMask >> (i * unit) & 1) {
      parts[i].flags |= cell.flags & (kAsyncReader | kReaderSet);
      AccessSet *set = readersOf(cell);
      parts[i].reader = set ? reinterpret_cast<Epoch>(copyOf(set)) : cell.reader;
      parts[i].readerSource = cell.readerSource;
    }
  }
  dropReaders(cell);
  cell.writer = reinterpret_cast<Epoch>(parts);
  cell.reader = unit;
  cell.readMask = 0;
  cell.flags = kSplit;
}

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
      if (!seesRead(access.who, entry.epoch))
        return reportConflict(access, entry.epoch, entry.source, false, entry.async, false);
  } else if (!seesRead(access.who, holder.reader)) {
    reportConflict(access, holder.reader, holder.readerSource, false, holder.flags & kAsyncReader, false);
  }
}

/// Adds the access to the set, in the place of an earlier one of the same column.
void insert(AccessSet &set, Access16 &access, bool writes) {
  const Access entry{access.who.self, access.sourceNumber(), access.who.proxy == Proxy::async, writes};
  auto &entries = set.entries;
  // Accesses that are ordered before this one say nothing more; to look for them costs, so it is done as the set grows.
  if (entries.size() >= 8 && std::has_single_bit(entries.size()))
    std::erase_if(entries, [&](const Access &e) { return e.writes <= writes && seesRead(access.who, e.epoch); });
  if (entries.empty() || entries.back().epoch >> 24 < entry.epoch >> 24) {
    entries.push_back(entry);
    return;
  }
  auto at = std::lower_bound(entries.begin(), entries.end(), entry.epoch >> 24,
                             [](const Access &e, uint64_t column) { return e.epoch >> 24 < column; });
  if (at != entries.end() && at->epoch >> 24 == entry.epoch >> 24) {
    const bool wrote = at->writes;
    *at = entry;
    at->writes |= wrote;
  } else {
    entries.insert(at, entry);
  }
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
    set->entries.push_back({holder.reader, holder.readerSource, bool(holder.flags & kAsyncReader), false});
    holder.reader = reinterpret_cast<Epoch>(set);
    holder.flags = uint16_t((holder.flags | kReaderSet) & ~kAsyncReader);
  } else if (const Clock *seen = access.who.readsSeen;
             seen && seen->getStreams() && epochBlock(set->entries.back().epoch) < seen->getStreams()->blocksBelow) {
    return setReader(access, holder); // all of an earlier launch
  }
  insert(*set, access, false);
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

void touchPart(Part &part, Access16 &access) {
  const bool atomic = access.who.proxy == Proxy::atomic;
  checkWriter(access, part);
  if (access.write) checkReaders(access, part);
  if (part.atomics && !atomic)
    for (const Access &entry : part.atomics->entries)
      if ((entry.writes || access.write) && !seesWrite(access.who, entry.epoch)) {
        reportConflict(access, entry.epoch, entry.source, entry.writes, false, true);
        break;
      }
  if (atomic) {
    if (!part.atomics) part.atomics = allocateSet();
    insert(*part.atomics, access, access.write);
  } else if (access.write) {
    dropReaders(part);
    if (part.atomics) releaseSet(std::exchange(part.atomics, nullptr));
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

void reset(Cell &cell) {
  if (cell.flags & kSplit)
    releaseParts(cell);
  else
    dropReaders(cell);
  cell = Cell{};
}

void forget(Cell &cell, uint32_t blocksBelow) {
  auto old = [&](Epoch epoch) { return epochBlock(epoch) < blocksBelow; };
  auto forgetIn = [&](auto &holder) {
    AccessSet *set = readersOf(holder);
    if (old(set ? set->entries.back().epoch : holder.reader)) dropReaders(holder);
    if (old(holder.writer)) {
      holder.writer = 0;
      holder.flags &= uint16_t(~kAsyncWriter);
    }
  };
  if (!(cell.flags & kSplit)) {
    forgetIn(cell);
    if (!cell.reader) cell.readMask = 0;
    return;
  }
  bool empty = true;
  for (uint32_t i = 0; i < 16 / uint32_t(cell.reader); ++i) {
    Part &part = partsOf(cell)[i];
    forgetIn(part);
    if (part.atomics && old(part.atomics->entries.back().epoch)) releaseSet(std::exchange(part.atomics, nullptr));
    empty &= !part.reader && !part.writer && !part.atomics;
  }
  if (empty) releaseParts(cell);
}

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

} // namespace cells

namespace memory {

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

} // namespace memory

namespace {
/// Indices by address: a table that grows, and a small one in front of it.
struct Sources {
  std::vector<uint64_t> addresses{0};
  std::vector<uint32_t> table = std::vector<uint32_t>(1 << 16); // open addressing
  struct Recent {
    uint64_t address = 0;
    uint32_t index = 0;
  } recent[1024];
} sources;
uint64_t hashOf(uint64_t address) { return (address * 0x9e3779b97f4a7c15) >> 20; }
} // namespace

uint32_t sourceIndex(uint64_t address) {
  Sources::Recent &recent = sources.recent[(address ^ address >> 10) & 1023];
  if (recent.address == address) return recent.index;
  if (sources.addresses.size() * 2 > sources.table.size()) {
    std::vector<uint32_t> larger(sources.table.size() * 2);
    for (uint32_t i = 1; i < sources.addresses.size(); ++i) {
      uint64_t at = hashOf(sources.addresses[i]) & (larger.size() - 1);
      while (larger[at]) at = (at + 1) & (larger.size() - 1);
      larger[at] = i;
    }
    sources.table = std::move(larger);
  }
  uint64_t at = hashOf(address) & (sources.table.size() - 1);
  while (sources.table[at] && sources.addresses[sources.table[at]] != address)
    at = (at + 1) & (sources.table.size() - 1);
  if (!sources.table[at]) {
    sources.table[at] = uint32_t(sources.addresses.size());
    sources.addresses.push_back(address);
  }
  recent = {address, sources.table[at]};
  return recent.index;
}

uint64_t sourceAddress(uint32_t index) { return sources.addresses[index]; }

} // namespace mmc::emu
