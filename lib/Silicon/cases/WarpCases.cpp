// Cases of ptx/warp.cuh: a word per lane in, a word per lane out.
#include "lib/Silicon/Numbers.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace mmc::silicon {

namespace {

/// What a lane gets, of all lanes' values.
using Exchange = std::function<uint32_t(const Words &values, uint32_t lane)>;

void add(std::vector<Case> &cases, const std::string &kernel, const Exchange &result) {
  Case c;
  c.name = "warp." + kernel;
  c.module = "silicon_warp";
  c.kernel = kernel;
  c.input = Random(c.name).words(32);
  c.initial.assign(32, kUntouched);
  for (uint32_t lane = 0; lane < 32; ++lane) c.words.push_back(result(c.input, lane));
  cases.push_back(std::move(c));
}

/// The value of `source` in the lane's group of `width`; its own where that is outside of the group.
uint32_t fromGroup(const Words &values, uint32_t lane, uint32_t width, int source) {
  const uint32_t first = lane / width * width;
  return source < 0 || source >= int(width) ? values[lane] : values[first + uint32_t(source)];
}

void addShuffles(std::vector<Case> &cases) {
  add(cases, "shuffleWarp", [](const Words &v, uint32_t lane) { return v[(lane * 5 + 3) % 32]; });
  add(cases, "shuffleGroup",
      [](const Words &v, uint32_t lane) { return fromGroup(v, lane, 8, int((lane * 3 + 1) % 8)); });
  const auto moved = [](uint32_t width, int distance) {
    return [=](const Words &v, uint32_t lane) { return fromGroup(v, lane, width, int(lane % width) + distance); };
  };
  add(cases, "shuffleUpWarp", moved(32, -3));
  add(cases, "shuffleUpGroup", moved(8, -2));
  add(cases, "shuffleDownWarp", moved(32, 5));
  add(cases, "shuffleDownGroup", moved(16, 3));
  add(cases, "shuffleXorWarp", [](const Words &v, uint32_t lane) { return v[lane ^ 21]; });
  add(cases, "shuffleXorGroup", [](const Words &v, uint32_t lane) { return v[lane ^ 6]; });
  add(cases, "shuffleLong", [](const Words &v, uint32_t lane) { return v[lane ^ 9] << 16; });
}

template <class Combine> Exchange overAll(Combine combine) {
  return [=](const Words &v, uint32_t) { return std::accumulate(v.begin() + 1, v.end(), v[0], combine); };
}
uint32_t lanesWhere(const std::function<bool(uint32_t lane)> &predicate) {
  uint32_t lanes = 0;
  for (uint32_t lane = 0; lane < 32; ++lane) lanes |= uint32_t(predicate(lane)) << lane;
  return lanes;
}

void addReductions(std::vector<Case> &cases) {
  const auto sum = [](uint32_t a, uint32_t b) { return a + b; };
  add(cases, "reduceAddUnsigned", overAll(sum));
  add(cases, "reduceAddSigned", overAll(sum));
  add(cases, "reduceMinUnsigned", overAll([](uint32_t a, uint32_t b) { return std::min(a, b); }));
  add(cases, "reduceMaxUnsigned", overAll([](uint32_t a, uint32_t b) { return std::max(a, b); }));
  add(cases, "reduceMinSigned",
      overAll([](uint32_t a, uint32_t b) { return uint32_t(std::min(int32_t(a), int32_t(b))); }));
  add(cases, "reduceMaxSigned",
      overAll([](uint32_t a, uint32_t b) { return uint32_t(std::max(int32_t(a), int32_t(b))); }));
  add(cases, "reduceAndWarp", overAll([](uint32_t a, uint32_t b) { return a & b; }));
  add(cases, "reduceOrWarp", overAll([](uint32_t a, uint32_t b) { return a | b; }));
  add(cases, "reduceXorWarp", overAll([](uint32_t a, uint32_t b) { return a ^ b; }));
}

void addVotes(std::vector<Case> &cases) {
  add(cases, "voteAllWarp", [](const Words &v, uint32_t) {
    return uint32_t(std::all_of(v.begin(), v.end(), [](uint32_t x) { return x & 1; }));
  });
  add(cases, "voteAnyWarp", [](const Words &, uint32_t) { return 1u; });
  add(cases, "voteBallotWarp",
      [](const Words &v, uint32_t) { return lanesWhere([&](uint32_t lane) { return v[lane] & 2; }); });
  add(cases, "electedLanes", [](const Words &, uint32_t) { return 1u; });
  add(cases, "matchAnyWarp", [](const Words &v, uint32_t lane) {
    return lanesWhere([&](uint32_t other) { return v[other] % 5 == v[lane] % 5; });
  });
  add(cases, "matchAllDiffer", [](const Words &, uint32_t) { return 0u; });
  add(cases, "matchAllAgree", [](const Words &, uint32_t) { return ~0u; });
}

/// Row r of an 8 x 8 matrix of 16-bit elements lies in lanes 4 r to 4 r + 3.
uint32_t transposed(const Words &v, uint32_t lane) {
  const auto at = [&](uint32_t row, uint32_t column) { return v[row * 4 + column / 2] >> 16 * (column % 2) & 0xffff; };
  const uint32_t row = lane / 4, column = lane % 4 * 2;
  return at(column + 1, row) << 16 | at(column, row);
}

uint32_t masked(const Words &v, uint32_t lane) {
  uint32_t upper = 0, pairs = 0;
  if (lane >= 16) {
    const uint32_t odd = lanesWhere([&](uint32_t other) { return other >= 16 && (v[other] & 1); });
    upper = fromGroup(v, lane, 16, int(lane % 16) + 4) + odd;
  }
  if (lane & 2) {
    uint32_t sum = 0;
    for (uint32_t other = 0; other < 32; ++other) sum += other & 2 ? v[other] : 0;
    pairs = sum ^ lanesWhere([&](uint32_t other) { return (other & 2) && v[other] % 3 == v[lane] % 3; });
  }
  return upper ^ pairs;
}

} // namespace

void addWarpCases(std::vector<Case> &cases) {
  addShuffles(cases);
  addVotes(cases);
  addReductions(cases);
  add(cases, "transposeWarp", transposed);
  add(cases, "maskedLanes", masked);
}

} // namespace mmc::silicon
