// Implements the counting of requests: lanes' accesses to requests, requests to places.
#include "runtime/cuda/emulation/core/Counting.h"

#include "runtime/cuda/emulation/core/Internal.h"
#include "runtime/cuda/emulation/core/Requests.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace mmc::emu::counting {

namespace {

/// The sectors of a page of memory that were touched, one bit each, by kind of access.
struct TouchedPage {
  uint64_t bits[3][2] = {};
};

struct State {
  LaunchCounts counts;
  std::unordered_map<uint64_t, uint32_t> placeOf; // by key
  std::unordered_map<uint64_t, TouchedPage> pages;
};
State state;

constexpr uint64_t kPage = 128 * kSector;

Traffic &trafficOf(Kind kind) {
  return kind == Kind::load ? state.counts.loads : kind == Kind::store ? state.counts.stores : state.counts.atomics;
}

/// Return addresses have 48 bits.
uint64_t keyOf(uint64_t source, Kind kind, bool shared) { return source << 3 | uint64_t(kind) << 1 | uint64_t(shared); }

Place &placeAt(uint64_t key) {
  const auto [at, added] = state.placeOf.try_emplace(key, uint32_t(state.counts.places.size()));
  if (added) state.counts.places.push_back({key >> 3, Kind(key >> 1 & 3), (key & 1) != 0});
  return state.counts.places[at->second];
}

void touch(uint64_t sector, Kind kind) {
  uint64_t &bits = state.pages[sector * kSector / kPage].bits[uint32_t(kind)][sector / 64 % 2];
  const uint64_t bit = uint64_t(1) << sector % 64;
  if (bits & bit) return;
  bits |= bit;
  ++trafficOf(kind).distinctSectors;
}

void addSector(Place &place, uint64_t sector, bool whole) {
  Traffic &traffic = trafficOf(place.kind);
  ++place.sectors, ++traffic.sectors;
  if (whole) ++place.wholeSectors, ++traffic.wholeSectors;
  touch(sector, place.kind);
}

void addWavefronts(Place &place, Wavefronts found) {
  place.wavefronts += found.taken, state.counts.wavefronts += found.taken;
  place.conflicts += found.taken - found.needed, state.counts.conflicts += found.taken - found.needed;
}

void finish(uint64_t key, const Request &request) {
  Place &place = placeAt(key);
  ++place.requests;
  const uint64_t bytes = uint64_t(std::popcount(request.lanes)) * request.bytes;
  place.bytes += bytes;
  if (place.shared) return addWavefronts(place, wavefrontsOf(request));
  trafficOf(place.kind).bytes += bytes;
  eachSector(request, [&](uint64_t sector, uint32_t used) { addSector(place, sector, used == ~0u); });
}

/// The requests of one place that still miss lanes.
struct Open {
  uint64_t key = 0;
  uint64_t first = 0;        // number of requests[0]
  uint64_t ordinal[32] = {}; // of each lane's next access
  std::deque<Request> requests;
};

/// Of one warp. Kept with the warp from launch to launch.
struct WarpRequests {
  std::vector<Open> open;
  size_t last = 0;

  Open &at(uint64_t key) {
    if (last < open.size() && open[last].key == key) return open[last];
    for (last = 0; last < open.size(); ++last)
      if (open[last].key == key) return open[last];
    open.emplace_back().key = key;
    return open.back();
  }
};

WarpRequests &requestsOf(Warp &warp) {
  if (!warp.requests) warp.requests = std::make_shared<WarpRequests>();
  return *static_cast<WarpRequests *>(warp.requests.get());
}

} // namespace

void enable(bool on) {
  hot.counting = on;
  state = {};
}

LaunchCounts take() {
  LaunchCounts counts = std::move(state.counts);
  state = {};
  return counts;
}

void access(const Thread &thread, const void *address, uint32_t bytes, Kind kind, uint64_t source) {
  if (!hot.counting) return;
  const uint64_t offset = reinterpret_cast<uint64_t>(address) - hot.base;
  if (offset >= hot.bytes || bytes == 0) return;
  Warp &warp = *thread.warp;
  Open &open = requestsOf(warp).at(keyOf(source, kind, offset >= hot.globalBytes));
  const uint64_t index = open.ordinal[thread.lane]++ - open.first;
  while (open.requests.size() <= index) open.requests.emplace_back();
  Request &request = open.requests[index];
  request.add(thread.lane, offset, bytes);
  // Only the oldest is looked at: lanes come in order, so the others follow it.
  while (!open.requests.empty() && !(warp.present & ~open.requests.front().lanes)) {
    finish(open.key, open.requests.front());
    open.requests.pop_front();
    ++open.first;
  }
}

void accessRange(const Thread &thread, const void *address, uint64_t bytes, Kind kind, uint64_t source) {
  constexpr uint64_t kPiece = 16;
  for (uint64_t at = 0; at < bytes; at += kPiece)
    access(thread, static_cast<const uint8_t *>(address) + at, uint32_t(std::min(bytes - at, kPiece)), kind, source);
}

void matrix(const void *const (&rows)[8], Kind kind, uint64_t source) {
  if (!hot.counting) return;
  Request request;
  for (uint32_t i = 0; i < 8; ++i) request.add(i, reinterpret_cast<uint64_t>(rows[i]) - hot.base, 16);
  finish(keyOf(source, kind, true), request);
}

void bulk(const void *global, uint64_t bytes, Kind kind, uint64_t source) {
  const uint64_t begin = reinterpret_cast<uint64_t>(global) - hot.base, end = begin + bytes;
  if (!hot.counting || begin >= hot.globalBytes || bytes == 0) return;
  Place &place = placeAt(keyOf(source, kind, false));
  ++place.requests;
  place.bytes += bytes;
  trafficOf(kind).bytes += bytes;
  for (uint64_t sector = begin / kSector; sector * kSector < end; ++sector)
    addSector(place, sector, sector * kSector >= begin && (sector + 1) * kSector <= end);
}

void meet(Warp &warp) {
  if (!hot.counting || !warp.requests) return;
  WarpRequests &requests = requestsOf(warp);
  for (const Open &open : requests.open)
    for (const Request &request : open.requests) finish(open.key, request);
  requests.open.clear();
}

} // namespace mmc::emu::counting
