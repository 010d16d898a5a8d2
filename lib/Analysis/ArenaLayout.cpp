#include "lib/Analysis/ArenaLayout.h"

#include <algorithm>
#include <numeric>

namespace mmc {

static uint64_t roundUp(uint64_t value) { return (value + 63) / 64 * 64; }

ArenaLayout layOutArena(const std::vector<uint64_t> &sizes, const Interference &interference) {
  std::vector<unsigned> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](unsigned a, unsigned b) { return std::pair(sizes[b], a) < std::pair(sizes[a], b); });

  ArenaLayout layout;
  layout.offsets.assign(sizes.size(), 0);
  std::vector<unsigned> placed;
  for (unsigned buffer : order) {
    if (sizes[buffer] == 0) continue;
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (unsigned other : placed)
      if (interference.has(buffer, other))
        taken.emplace_back(layout.offsets[other], layout.offsets[other] + roundUp(sizes[other]));
    std::sort(taken.begin(), taken.end());
    uint64_t at = 0, need = roundUp(sizes[buffer]);
    for (auto [begin, end] : taken) {
      if (begin >= at + need) break;
      at = std::max(at, end);
    }
    layout.offsets[buffer] = at;
    layout.bytes = std::max(layout.bytes, at + need);
    placed.push_back(buffer);
  }
  return layout;
}

} // namespace mmc
