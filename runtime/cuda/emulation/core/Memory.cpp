// Implements where emulated memory lies: the reservation, global allocations, shared windows.
//
// One range holds global memory first and then the shared windows; the cells lie in a second range, so a cell is found
// by arithmetic. Addresses of global memory are given out once and used again only when all of the range has been, so
// that a use after free is seen. Cells start as zeros; which bytes of a cell are live is looked up when it is touched
// first, so an allocation costs nothing until then.
#include "runtime/cuda/emulation/core/Memory.h"

#include "runtime/cuda/emulation/core/Cells.h"
#include "runtime/cuda/emulation/core/Internal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <vector>

namespace mmc::emu {

Hot hot;

namespace memory {

namespace {

constexpr uint64_t kGlobalRange = uint64_t(1) << 40;
constexpr uint64_t kWindows = 64 << 10, kSharedRange = kWindows * kSharedWindow;
constexpr uint64_t kAlignment = 256;
/// Between two allocations, so that running off the end of one does not hit the next at once.
constexpr uint64_t kGap = 256;
constexpr uint64_t kCommitStep = 64 << 20, kPage = 4096;

/// A device's part of global memory.
struct Part {
  uint64_t begin = 0, end = 0, bump = 0, committed = 0; // offsets in global memory
  uint64_t used = 0;
};

struct State {
  uint64_t capacity = uint64_t(16) << 30;
  std::vector<Part> parts{{0, kGlobalRange - kAlignment}};
  uint64_t accessible = ~uint64_t(0);       // a bit for each part
  std::map<uint64_t, uint64_t> allocations; // live: offset to bytes asked for
  std::map<uint64_t, uint64_t> freed; // offset to bytes with the gap, merged; used again when `bump` is at the end
  std::vector<uint32_t> freeWindows;
  uint32_t windowsMade = 0;
};
State state;

/// Bytes live in each shared window, and the cells that were touched.
struct Window {
  uint32_t bytes = 0;
  bool closed = false;
  uint32_t firstCell = ~0u, lastCell = 0;
};
std::vector<Window> windows;

uint64_t roundUp(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

uint8_t *reserve(uint64_t bytes, int protection, const char *what) {
  void *range = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    std::fprintf(stderr,
                 "mmc emulation: cannot reserve %llu GiB of addresses for %s; is there a limit on virtual memory?\n",
                 static_cast<unsigned long long>(bytes >> 30), what);
    std::abort();
  }
  return static_cast<uint8_t *>(range);
}

/// Makes a part of the range usable.
bool commit(uint64_t offset, uint64_t bytes) {
  return mprotect(reinterpret_cast<void *>(hot.base + offset), bytes, PROT_READ | PROT_WRITE) == 0;
}

/// Calls visit(first cell, count) for the parts of the cells of [offset, offset + bytes) that have memory behind them.
template <class Visit> void visitTouchedCells(uint64_t offset, uint64_t bytes, Visit visit) {
  const uint64_t begin = reinterpret_cast<uint64_t>(hot.cells + offset / 16);
  const uint64_t end = reinterpret_cast<uint64_t>(hot.cells + roundUp(offset + bytes, 16) / 16);
  constexpr uint64_t kBatch = 1024;
  unsigned char present[kBatch];
  for (uint64_t page = begin / kPage * kPage; page < end; page += kBatch * kPage) {
    const uint64_t pages = std::min(kBatch, (end - page + kPage - 1) / kPage);
    if (mincore(reinterpret_cast<void *>(page), pages * kPage, present) != 0) std::memset(present, 1, pages);
    for (uint64_t i = 0; i < pages; ++i) {
      if (!(present[i] & 1)) continue;
      const uint64_t from = std::max(begin, page + i * kPage), to = std::min(end, page + (i + 1) * kPage);
      visit(reinterpret_cast<Cell *>(from), (to - from) / sizeof(Cell));
    }
  }
}

void dropCells(uint64_t offset, uint64_t bytes) {
  visitTouchedCells(offset, bytes, [](Cell *cells, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) cells::reset(cells[i]);
  });
  // Whole pages go back to the system; they read as zeros from then on.
  auto drop = [](uint64_t from, uint64_t to) {
    from = roundUp(from, kPage), to = to / kPage * kPage;
    if (from < to) madvise(reinterpret_cast<void *>(from), to - from, MADV_DONTNEED);
  };
  drop(hot.base + offset, hot.base + offset + bytes);
  const uint64_t firstCell = reinterpret_cast<uint64_t>(hot.cells + offset / 16);
  drop(firstCell, firstCell + roundUp(bytes, 16) * 2);
}

/// A place of `bytes` bytes; false if there is none.
bool findPlace(Part &part, uint64_t bytes, uint64_t &offset) {
  if (bytes <= part.end - part.bump) {
    offset = part.bump;
    const uint64_t end = roundUp(offset + bytes, kCommitStep);
    if (end > part.committed) {
      const bool accessible = state.accessible >> (&part - state.parts.data()) & 1;
      if (accessible && !commit(part.committed, end - part.committed)) return false;
      part.committed = end;
    }
    part.bump += bytes;
    return true;
  }
  for (auto at = state.freed.lower_bound(part.begin); at != state.freed.end() && at->first < part.end; ++at) {
    if (at->second < bytes) continue;
    offset = at->first;
    const uint64_t left = at->second - bytes;
    state.freed.erase(at);
    if (left) state.freed[offset + bytes] = left;
    return true;
  }
  return false;
}

uint64_t offsetOf(const void *address) { return reinterpret_cast<uint64_t>(address) - hot.base; }

/// The live allocation that holds the offset, or the end.
std::map<uint64_t, uint64_t>::iterator allocationAt(uint64_t offset) {
  auto at = state.allocations.upper_bound(offset);
  if (at == state.allocations.begin()) return state.allocations.end();
  --at;
  return offset - at->first < std::max<uint64_t>(at->second, 1) ? at : state.allocations.end();
}

Window &windowAt(uint64_t offset) { return windows[(offset - kGlobalRange) / kSharedWindow]; }

} // namespace

void initialise(bool checks) {
  hot.checks = checks;
  if (hot.base) return;
  constexpr uint64_t kBytes = kGlobalRange + kSharedRange;
  hot.base = reinterpret_cast<uint64_t>(reserve(kBytes, PROT_NONE, "emulated memory"));
  hot.cells = reinterpret_cast<Cell *>(reserve(kBytes * 2, PROT_READ | PROT_WRITE, "its shadow"));
  hot.bytes = kBytes;
  hot.globalBytes = kGlobalRange;
}

bool checksOn() { return hot.checks; }
void setCapacity(uint64_t bytes) { state.capacity = bytes; }
uint64_t used(uint32_t device) { return state.parts[device].used; }

void setDevices(uint32_t devices) {
  if (devices == state.parts.size() || !state.allocations.empty()) return;
  setAccessible(~uint64_t(0));
  const uint64_t bytes = kGlobalRange / devices / kCommitStep * kCommitStep;
  state.freed.clear();
  state.parts.clear();
  // The last bytes of a part are never given out, so that free ranges of two parts never touch.
  for (uint64_t i = 0; i < devices; ++i)
    state.parts.push_back({i * bytes, (i + 1) * bytes - kAlignment, i * bytes, i * bytes});
}

uint32_t deviceOf(const void *address) {
  uint32_t device = 0;
  while (device + 1 < state.parts.size() && offsetOf(address) >= state.parts[device + 1].begin) ++device;
  return device;
}

void setAccessible(uint64_t devices) {
  for (size_t i = 0; i < state.parts.size(); ++i) {
    const Part &part = state.parts[i];
    if (((devices ^ state.accessible) >> i & 1) == 0 || part.committed == part.begin) continue;
    mprotect(reinterpret_cast<void *>(hot.base + part.begin), part.committed - part.begin,
             devices >> i & 1 ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
  state.accessible = devices;
}

void *allocateGlobal(uint64_t bytes, uint32_t device) {
  if (bytes > state.capacity) return nullptr;
  const uint64_t rounded = roundUp(std::max<uint64_t>(bytes, 1), kAlignment);
  uint64_t offset;
  Part &part = state.parts[device];
  if (rounded > state.capacity - part.used || !findPlace(part, rounded + kGap, offset)) return nullptr;
  part.used += rounded;
  state.allocations[offset] = bytes;
  return reinterpret_cast<void *>(hot.base + offset);
}

bool freeGlobal(void *pointer) {
  auto at = state.allocations.find(offsetOf(pointer));
  if (at == state.allocations.end()) return false;
  uint64_t offset = at->first, bytes = roundUp(std::max<uint64_t>(at->second, 1), kAlignment);
  state.parts[deviceOf(pointer)].used -= bytes;
  state.allocations.erase(at);
  dropCells(offset, bytes);
  bytes += kGap;
  auto next = state.freed.lower_bound(offset);
  if (next != state.freed.end() && next->first == offset + bytes) {
    bytes += next->second;
    next = state.freed.erase(next);
  }
  if (next != state.freed.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == offset) {
      before->second += bytes;
      return true;
    }
  }
  state.freed[offset] = bytes;
  return true;
}

Range globalAllocationOf(const void *address) {
  const uint64_t offset = offsetOf(address);
  if (offset >= kGlobalRange) return {};
  auto at = allocationAt(offset);
  if (at == state.allocations.end()) return {};
  return {reinterpret_cast<uint8_t *>(hot.base + at->first), at->second};
}

uint8_t *acquireShared(uint64_t bytes) {
  uint32_t index;
  if (!state.freeWindows.empty()) {
    index = state.freeWindows.back();
    state.freeWindows.pop_back();
  } else {
    if (state.windowsMade == kWindows) return nullptr;
    index = state.windowsMade++;
    windows.push_back({});
    if (!commit(kGlobalRange + index * kSharedWindow, kSharedWindow)) return nullptr;
  }
  windows[index].bytes = uint32_t(bytes);
  windows[index].closed = false;
  auto *window = reinterpret_cast<uint8_t *>(hot.base + kGlobalRange + index * kSharedWindow);
  // NaN in every format: what reads it without having written it shows in the result, even without checks.
  std::memset(window, 0xff, bytes);
  return window;
}

void closeShared(uint8_t *window) {
  Window &state = windowAt(offsetOf(window));
  if (state.closed) return;
  state.closed = true;
  Cell *first = hot.cells + offsetOf(window) / 16;
  if (state.firstCell <= state.lastCell)
    for (uint32_t i = state.firstCell; i <= state.lastCell; ++i) cells::reset(first[i]);
  state.firstCell = ~0u, state.lastCell = 0;
}

void releaseShared(uint8_t *window) {
  closeShared(window);
  state.freeWindows.push_back(uint32_t((offsetOf(window) - kGlobalRange) / kSharedWindow));
}

Kind classify(const void *address) {
  const uint64_t offset = offsetOf(address);
  return offset >= hot.bytes ? Kind::none : offset < kGlobalRange ? Kind::global : Kind::shared;
}

uint8_t *sharedWindowOf(const void *address) {
  const uint64_t offset = (offsetOf(address) - kGlobalRange) / kSharedWindow * kSharedWindow;
  return reinterpret_cast<uint8_t *>(hot.base + kGlobalRange + offset);
}

uint16_t liveBytesOfCell(uint64_t cellOffset) {
  uint64_t from = 0, bytes = 0; // live bytes, relative to the cell
  if (cellOffset < kGlobalRange) {
    auto at = state.allocations.upper_bound(cellOffset);
    if (at == state.allocations.begin()) return 0;
    --at; // allocations begin at multiples of 256, so a cell begins in the same one as all of its bytes
    from = cellOffset - at->first, bytes = at->second;
  } else {
    const uint64_t index = (cellOffset - kGlobalRange) / kSharedWindow;
    if (index >= windows.size() || windows[index].closed) return 0;
    from = (cellOffset - kGlobalRange) % kSharedWindow, bytes = windows[index].bytes;
    if (from < bytes) {
      windows[index].firstCell = std::min(windows[index].firstCell, uint32_t(from / 16));
      windows[index].lastCell = std::max(windows[index].lastCell, uint32_t(from / 16));
    }
  }
  if (from >= bytes) return 0;
  return bytes - from >= 16 ? 0xffff : uint16_t((1u << (bytes - from)) - 1);
}

std::string describeAddress(const void *address) {
  char text[128];
  const uint64_t offset = offsetOf(address);
  if (offset >= hot.bytes) {
    std::snprintf(text, sizeof text, "address %p, which is not emulated memory", address);
  } else if (offset >= kGlobalRange) {
    const uint64_t inWindow = (offset - kGlobalRange) % kSharedWindow;
    std::snprintf(text, sizeof text, "byte 0x%llx of shared memory", static_cast<unsigned long long>(inWindow));
    if ((offset - kGlobalRange) / kSharedWindow < windows.size()) {
      const Window &window = windowAt(offset);
      if (inWindow >= window.bytes || window.closed)
        std::snprintf(text, sizeof text, "byte 0x%llx of shared memory, of which %s%u bytes",
                      static_cast<unsigned long long>(inWindow),
                      window.closed ? "the block has ended, which had " : "there are ", window.bytes);
    }
  } else {
    auto at = state.allocations.upper_bound(offset);
    if (at != state.allocations.begin() && (--at, true) && offset - at->first < at->second + kGap)
      std::snprintf(text, sizeof text, "byte %llu of a global allocation of %llu bytes",
                    static_cast<unsigned long long>(offset - at->first), static_cast<unsigned long long>(at->second));
    else if (auto was = state.freed.upper_bound(offset);
             was != state.freed.begin() && (--was, true) && offset - was->first < was->second)
      std::snprintf(text, sizeof text, "global address %p, which was freed", address);
    else
      std::snprintf(text, sizeof text, "global address %p, which was never allocated", address);
  }
  return text;
}

void compact(uint32_t blocksBelow) {
  for (auto &[offset, bytes] : state.allocations)
    visitTouchedCells(offset, bytes, [&](Cell *cells, uint64_t count) {
      for (uint64_t i = 0; i < count; ++i) cells::forget(cells[i], blocksBelow);
    });
}

} // namespace memory
} // namespace mmc::emu
