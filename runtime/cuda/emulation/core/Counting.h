// Counts what a launch moves: sectors of global memory, bytes, wavefronts of shared memory, by place in the kernel. Off
// unless asked for; then the hooks look at one word more and nothing else happens.
//
// The memory system of a GPU sees a warp's access as one request, but the lanes of a warp are fibers that run one after
// the other. A request is put together from the lanes' accesses at one return address: the n-th access of each lane
// there since the lanes last met (a barrier, or an instruction of the whole warp) belongs to the n-th request. It is
// complete when every lane that has not exited has its part; what is left when the lanes meet again is a request of
// fewer lanes, as under a branch.
#pragma once

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mmc::emu::counting {

constexpr uint64_t kSector = 32;

enum class Kind : uint8_t { load, store, atomic };

/// One return address, one memory, one kind of access.
struct Place {
  uint64_t source = 0;
  Kind kind = Kind::load;
  bool shared = false;
  uint64_t requests = 0;
  uint64_t bytes = 0; // asked for by the lanes, each its own
  // Of global memory: sectors of 32 bytes that the requests touch, and those of which one request uses every byte.
  uint64_t sectors = 0, wholeSectors = 0;
  // Of shared memory: wavefronts that the requests take, and those among them that bank conflicts cost.
  uint64_t wavefronts = 0, conflicts = 0;
};

/// Of global memory.
struct Traffic {
  uint64_t bytes = 0; // asked for
  uint64_t sectors = 0, wholeSectors = 0;
  uint64_t distinctSectors = 0; // each once, however often it is touched
};

struct LaunchCounts {
  std::string kernel;
  Traffic loads, stores, atomics;
  uint64_t wavefronts = 0, conflicts = 0;
  std::vector<Place> places; // in the order of their first request
};

/// From the next launch on; whatever was counted so far is dropped.
void enable(bool on);
/// Of the last launch.
LaunchCounts take();

/// A lane's access of at most 16 bytes, plain or by an instruction; does nothing while nothing is counted. Shared
/// memory: the window of any block.
void access(const Thread &thread, const void *address, uint32_t bytes, Kind kind, uint64_t source);
/// Of any length, in pieces of 16 bytes: what the compiler copies as a whole.
void accessRange(const Thread &thread, const void *address, uint64_t bytes, Kind kind, uint64_t source);
/// The eight rows of 16 bytes of a matrix (ldmatrix, stmatrix): one wavefront where they lie in different banks.
void matrix(const void *const (&rows)[8], Kind kind, uint64_t source);
/// Contiguous bytes of a bulk or tensor copy: a request by itself. Its side in shared memory has no conflicts and is
/// not counted.
void bulk(const void *global, uint64_t bytes, Kind kind, uint64_t source);
/// All lanes of the warp are at one point.
void meet(Warp &warp);

/// One line of JSON, with a newline: totals, and the places that leave sectors partly unused or have conflicts.
std::string toJson(const LaunchCounts &counts, const LaunchOptions &options);

} // namespace mmc::emu::counting
