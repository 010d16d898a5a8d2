// Implements the order of commands.
#include "runtime/cuda/emulation/driver/Order.h"

#include "runtime/cuda/emulation/core/Memory.h"

namespace mmc::emu::driver {

void join(StreamClock &into, const StreamClock &other) {
  into.blocksBelow = std::max(into.blocksBelow, other.blocksBelow);
  if (into.lastCommand.size() < other.lastCommand.size()) into.lastCommand.resize(other.lastCommand.size());
  for (size_t i = 0; i < other.lastCommand.size(); ++i)
    into.lastCommand[i] = std::max(into.lastCommand[i], other.lastCommand[i]);
}

void join(StreamClock &into, CommandPlace place) {
  if (into.lastCommand.size() <= place.stream) into.lastCommand.resize(place.stream + 1);
  into.lastCommand[place.stream] = std::max(into.lastCommand[place.stream], place.index);
}

bool contains(const StreamClock &clock, CommandPlace place) {
  return place.index == 0 ||
         (place.stream < clock.lastCommand.size() && clock.lastCommand[place.stream] >= place.index);
}

uint32_t Order::newStream() {
  for (size_t i = 0; i < retired.size(); ++i) {
    const uint32_t stream = retired[i];
    if (!contains(hostClock, {stream, submitted[stream]})) continue;
    retired.erase(retired.begin() + long(i));
    executed[stream] = submitted[stream]; // which a graph's branch does not say
    return stream;
  }
  submitted.push_back(0);
  executed.push_back(0);
  return uint32_t(submitted.size() - 1);
}

void Order::retire(uint32_t stream) { retired.push_back(stream); }

void Order::hostWaits(const StreamClock &clock) {
  join(hostClock, clock);
  for (uint32_t i = 0; i < submitted.size(); ++i)
    if (!contains(hostClock, {i, submitted[i]})) return;
  // The host has waited for everything: no launch so far can race with one to come. Memory of them goes now and then,
  // because to look for it takes a walk over the shadow.
  constexpr uint32_t kOften = 1 << 16;
  const uint32_t next = allocateBlocks(1, {});
  hostClock.blocksBelow = next;
  if (next - compacted < kOften) return;
  memory::compact(next);
  compacted = next;
}

} // namespace mmc::emu::driver
