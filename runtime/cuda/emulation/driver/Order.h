// What is ordered before what, among commands of streams and the host. All of it follows from the calls alone, whatever
// order the commands are executed in: a race is reported although the order at hand happened to be harmless.
//
// Every stream has a number; its commands count from 1. A graph that can be launched has numbers of its own, one for
// each of its branches. Invariant: a number is given out again only when the host has waited for all that ran under it,
// because then every later command is ordered after that.
#pragma once

#include "runtime/cuda/emulation/core/Clock.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mmc::emu::driver {

/// Element-wise maximum.
void join(StreamClock &into, const StreamClock &other);
/// The command at `place`, and those of its stream before it, are ordered before.
void join(StreamClock &into, CommandPlace place);
bool contains(const StreamClock &clock, CommandPlace place);

class Order {
public:
  uint32_t newStream();
  /// Its stream is gone, and all of its commands have been executed.
  void retire(uint32_t stream);

  /// The place of the next command.
  CommandPlace submit(uint32_t stream) { return {stream, ++submitted[stream]}; }
  uint64_t lastOf(uint32_t stream) const { return submitted[stream]; }
  void setExecuted(CommandPlace place) { executed[place.stream] = std::max(executed[place.stream], place.index); }
  bool isExecuted(CommandPlace place) const { return executed[place.stream] >= place.index; }

  /// What the host has waited for.
  const StreamClock &host() const { return hostClock; }
  /// The host waits for what the clock contains.
  void hostWaits(const StreamClock &clock);

private:
  StreamClock hostClock;
  std::vector<uint64_t> submitted{0}, executed{0}; // by stream; 0 is none
  std::vector<uint32_t> retired;
  uint32_t compacted = 1; // blocks below this are forgotten
};

} // namespace mmc::emu::driver
