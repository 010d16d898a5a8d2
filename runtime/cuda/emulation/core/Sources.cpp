// Numbers return addresses, so that a cell can hold one in 32 bits.
#include "runtime/cuda/emulation/core/Internal.h"

#include <vector>

namespace mmc::emu {

namespace {
/// Indices by address: a table that grows, and a small one in front of it.
struct Sources {
  std::vector<uint64_t> addresses{0};
  std::vector<uint32_t> table = std::vector<uint32_t>(1 << 16); // open addressing
} sources;
uint64_t hashOf(uint64_t address) { return (address * 0x9e3779b97f4a7c15) >> 20; }
} // namespace

RecentSource recentSources[1024];

uint32_t findSourceIndex(uint64_t address) {
  RecentSource &recent = recentSources[(address ^ address >> 10) & 1023];
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
