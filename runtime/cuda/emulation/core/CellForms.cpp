// Implements the forms of a cell: whole or split into parts, one reader or a set of them; and their storage.
//
// Invariant: an epoch in a cell speaks for all bytes that the cell (or the part) says it does, and for no other: where
// the whole form cannot say that, the cell is split.
#include "runtime/cuda/emulation/core/Cells.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace mmc::emu::cells {

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

} // namespace

void AccessSet::insertInside(const Access &access) {
  auto next = std::upper_bound(entries.begin(), entries.end(), access.begin(),
                               [](uint64_t column, const Access &a) { return column < a.begin(); });
  if (next != entries.begin() && access.begin() < std::prev(next)->end()) {
    // Inside of a run: what is left of it is kept.
    auto run = std::prev(next);
    if (run->alike(access)) return;
    Access before = *run, after = *run;
    before.count = uint16_t(access.begin() - run->begin());
    after.epoch += uint64_t(before.count + 1) << 24;
    after.count = uint16_t(run->count - before.count - 1);
    *run = access;
    if (after.count) run = std::prev(entries.insert(std::next(run), after));
    if (before.count) entries.insert(run, before);
    return;
  }
  const bool joinsBefore =
      next != entries.begin() && std::prev(next)->end() == access.begin() && std::prev(next)->alike(access);
  const bool joinsNext = next != entries.end() && access.end() == next->begin() && next->alike(access);
  if (joinsBefore) {
    auto before = std::prev(next);
    ++before->count;
    if (!joinsNext) return;
    before->count = uint16_t(before->count + next->count);
    entries.erase(next);
  } else if (joinsNext) {
    next->epoch = access.epoch;
    ++next->count;
  } else {
    entries.insert(next, access);
  }
}

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

void dropAtomics(Part &part) {
  for (AccessSet **set : {&part.atomicReads, &part.atomicWrites})
    if (*set) releaseSet(std::exchange(*set, nullptr));
}

void releaseParts(Cell &cell) {
  const uint32_t count = 16 / uint32_t(cell.reader);
  Part *parts = partsOf(cell);
  for (uint32_t i = 0; i < count; ++i) {
    dropReaders(parts[i]);
    dropAtomics(parts[i]);
  }
  freeParts[std::countr_zero(count)].push_back(parts);
  cell.flags = 0;
  cell.writer = cell.reader = 0;
}

void split(Cell &cell, uint16_t mask) {
  if (cell.flags & kSplit) {
    const uint32_t old = uint32_t(cell.reader), unit = std::min(old, unitOf(mask));
    if (unit == old) return;
    Part *from = partsOf(cell), *to = allocateParts(16 / unit);
    for (uint32_t i = 0; i < 16 / unit; ++i) {
      const Part &whole = from[i * unit / old];
      to[i] = whole;
      to[i].atomicReads = copyOf(whole.atomicReads);
      to[i].atomicWrites = copyOf(whole.atomicWrites);
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
    for (AccessSet **set : {&part.atomicReads, &part.atomicWrites})
      if (*set && old((*set)->entries.back().epoch)) releaseSet(std::exchange(*set, nullptr));
    empty &= !part.reader && !part.writer && !part.atomicReads && !part.atomicWrites;
  }
  if (empty) releaseParts(cell);
}

} // namespace mmc::emu::cells
