// The memory of weights, and what can be read off it once it is filled.
#include "runtime/src/WeightLoader.h"

#include <algorithm>

namespace mmc::runtime {

Expected<WeightStore> WeightStore::create(const PlanTables &plan, Mapping::Kind kind) {
  WeightStore store;
  uint64_t bytes = 0;
  for (const Weight &weight : plan.weights) {
    store.offsets.push_back(bytes);
    bytes += weight.instances() * weight.bytes;
  }
  Expected<Mapping> memory = Mapping::create(bytes, kind, "weights");
  if (!memory.ok()) return memory.status();
  store.memory = std::move(*memory);
  store.memory.adviseHugePages();
  return store;
}

uint8_t *WeightStore::expert(const PlanTables &plan, size_t weight, uint64_t instance, uint64_t expert) const {
  return base(weight) + instance * plan.weights[weight].bytes + expert * plan.weights[weight].expertBytes;
}

std::vector<int32_t> zeroEmbeddingRows(const PlanTables &plan, const WeightStore &store) {
  const Weight &weight = plan.weights[plan.embeddingWeight];
  const uint64_t elementBytes = dtypeBytes(weight.layout.dtype);
  const uint8_t *table = store.base(plan.embeddingWeight);
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

Digest weightsFingerprint(const PlanTables &plan, const WeightStore &store) {
  constexpr uint64_t kSample = 64;
  DigestStream stream;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const Weight &weight = plan.weights[i];
    for (uint64_t instance = 0; instance < weight.instances(); ++instance)
      for (uint64_t expert = 0; expert < weight.expertCount(); ++expert) {
        const uint8_t *tensor = store.expert(plan, i, instance, expert);
        for (uint64_t position : {uint64_t(0), weight.expertBytes / 3, weight.expertBytes / 2})
          stream.update(std::span(tensor + position, size_t(std::min(kSample, weight.expertBytes - position))));
      }
  }
  return stream.finish();
}

} // namespace mmc::runtime
