// The memory of weights, and what can be read off it once it is filled.
#include "runtime/src/WeightLoader.h"

#include <algorithm>

namespace mmc::runtime {

std::vector<WeightWindow> weightWindows(const PlanTables &plan, uint64_t bytes) {
  std::vector<WeightWindow> windows(1);
  for (const Weight &weight : plan.weights)
    for (uint64_t instance = 0; instance < weight.instances(); ++instance) {
      WeightWindow &last = windows.back();
      const uint64_t end = last.end;
      if (last.begin == end || end + weight.bytes - last.begin <= bytes)
        last.end += weight.bytes;
      else
        windows.push_back({end, end + weight.bytes});
    }
  return windows;
}

WeightStore WeightStore::placesOnly(const PlanTables &plan) {
  WeightStore store;
  uint64_t bytes = 0;
  for (const Weight &weight : plan.weights) {
    store.offsets.push_back(bytes);
    bytes += weight.instances() * weight.bytes;
  }
  return store;
}

Expected<WeightStore> WeightStore::createWindow(const PlanTables &plan, const WeightWindow &window,
                                                Mapping::Kind kind) {
  WeightStore store = placesOnly(plan);
  Expected<Mapping> memory = Mapping::create(window.end - window.begin, kind, "weights");
  if (!memory.ok()) return memory.status();
  store.memory = std::move(*memory);
  store.memory.adviseHugePages();
  store.first = window.begin;
  return store;
}

Expected<WeightStore> WeightStore::create(const PlanTables &plan, Mapping::Kind kind) {
  return createWindow(plan, {0, plan.weightsBytes()}, kind);
}

uint8_t *WeightStore::expert(const PlanTables &plan, size_t weight, uint64_t instance, uint64_t expert) const {
  const Weight &of = plan.weights[weight];
  return memory.data() + (offsets[weight] + instance * of.bytes + expert * of.expertBytes - first);
}

bool WeightStore::holds(const PlanTables &plan, size_t weight, uint64_t instance) const {
  const uint64_t begin = offsets[weight] + instance * plan.weights[weight].bytes;
  return begin >= first && begin - first < memory.size();
}

std::vector<int32_t> zeroEmbeddingRows(const PlanTables &plan, const WeightStore &store) {
  const Weight &weight = plan.weights[plan.embeddingWeight];
  const uint64_t elementBytes = dtypeBytes(weight.layout.dtype);
  const uint8_t *table = store.expert(plan, plan.embeddingWeight, 0, 0);
  auto isZero = [&](uint64_t row) {
    for (uint64_t column = 0; column < weight.shape[1]; ++column) {
      const uint64_t coordinates[] = {row, column};
      const uint8_t *element = table + elementIndex(weight.layout, weight.shape, coordinates) * elementBytes;
      // Every byte but the sign bit, which is the top bit of the last byte: -0 is zero.
      if (std::any_of(element, element + elementBytes - 1, [](uint8_t byte) { return byte != 0; }) ||
          (element[elementBytes - 1] & 0x7f))
        return false;
    }
    return true;
  };
  std::vector<int32_t> rows;
  for (uint64_t row = 0; row < weight.shape[0]; ++row)
    if (isZero(row)) rows.push_back(int32_t(row));
  return rows;
}

void WeightsFingerprint::add(const PlanTables &plan, const WeightStore &store) {
  constexpr uint64_t kSample = 64;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const Weight &weight = plan.weights[i];
    for (uint64_t instance = 0; instance < weight.instances(); ++instance)
      for (uint64_t expert = 0; store.holds(plan, i, instance) && expert < weight.expertCount(); ++expert) {
        const uint8_t *tensor = store.expert(plan, i, instance, expert);
        for (uint64_t position : {uint64_t(0), weight.expertBytes / 3, weight.expertBytes / 2})
          stream.update(std::span(tensor + position, size_t(std::min(kSample, weight.expertBytes - position))));
      }
  }
}

} // namespace mmc::runtime
