// Implements what the driver knows of host memory.
#include "runtime/cuda/emulation/driver/HostMemory.h"

#include <cstdlib>
#include <cstring>

namespace mmc::emu::driver {

namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kRecent = 256;

uint64_t hashOf(HostRange range) {
  uint64_t hash = range.bytes * 0x9e3779b97f4a7c15, word = 0;
  uint64_t at = 0;
  for (; at + 8 <= range.bytes; at += 8) {
    std::memcpy(&word, range.begin + at, 8);
    hash = (hash ^ word) * 0x9fb21c651e98df25;
    hash ^= hash >> 32;
  }
  word = 0;
  std::memcpy(&word, range.begin + at, range.bytes - at);
  return (hash ^ word) * 0x9fb21c651e98df25;
}

bool meet(HostRange a, HostRange b) { return a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes; }

} // namespace

void *HostMemory::allocate(uint64_t bytes, CUctx_st *context) {
  if (bytes > uint64_t(1) << 46) return nullptr;
  auto *pointer = static_cast<uint8_t *>(std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage));
  if (pointer) blocks[pointer] = {bytes, false, false, context};
  return pointer;
}

bool HostMemory::add(void *pointer, uint64_t bytes, CUctx_st *context) {
  if (overlaps(pointer, bytes)) return false;
  blocks[static_cast<uint8_t *>(pointer)] = {bytes, true, false, context};
  return true;
}

bool HostMemory::overlaps(const void *pointer, uint64_t bytes) const {
  const HostRange range{static_cast<const uint8_t *>(pointer), bytes};
  for (auto &[begin, block] : blocks)
    if (meet({begin, block.bytes}, range)) return true;
  return false;
}

HostMemory::Block *HostMemory::find(void *pointer) {
  auto at = blocks.find(static_cast<uint8_t *>(pointer));
  return at == blocks.end() ? nullptr : &at->second;
}

HostMemory::Block *HostMemory::holding(const void *pointer, uint64_t bytes) {
  auto *begin = const_cast<uint8_t *>(static_cast<const uint8_t *>(pointer));
  auto at = blocks.upper_bound(begin);
  if (at == blocks.begin()) return nullptr;
  --at;
  const uint64_t offset = uint64_t(begin - at->first);
  return offset <= at->second.bytes && bytes <= at->second.bytes - offset ? &at->second : nullptr;
}

void HostMemory::remove(void *pointer) {
  auto at = blocks.find(static_cast<uint8_t *>(pointer));
  if (!at->second.registered) std::free(pointer);
  blocks.erase(at);
}

void HostMemory::removeAllOf(CUctx_st *context) {
  for (auto at = blocks.begin(); at != blocks.end();) {
    auto next = std::next(at);
    if (at->second.context == context) remove(at->first);
    at = next;
  }
}

HostPrint HostMemory::print(HostRange range) {
  // Kernels may write to memory whose device pointer was asked for.
  const Block *block = range.bytes ? holding(range.begin, range.bytes) : nullptr;
  if (!block || block->deviceMapped) return {};
  return {range, hashOf(range), writes};
}

bool HostMemory::isUnchanged(const HostPrint &print) {
  if (!print.range.bytes || hashOf(print.range) == print.hash) return true;
  if (writes - print.writes > kRecent) return true; // too many to tell
  for (uint64_t i = print.writes; i < writes; ++i)
    if (meet(recentWrites[i % kRecent], print.range)) return true;
  const Block *block = holding(print.range.begin, print.range.bytes);
  return !block || block->deviceMapped;
}

void HostMemory::written(HostRange range) {
  recentWrites.resize(kRecent);
  recentWrites[writes++ % kRecent] = range;
}

} // namespace mmc::emu::driver
