// Derived figures of a decoded plan. They rely on decodePlan having checked that none of these sums and products wraps.
#include "runtime/src/PlanTables.h"

#include <algorithm>

namespace mmc::runtime {

const char *argumentKindName(ArgumentKind kind) {
  constexpr const char *names[] = {"buffer",       "weight",         "constant",      "pool",
                                   "page_table",   "token_ids",      "row_positions", "row_slots",
                                   "output_rows",  "work_list",      "logits",        "token_count",
                                   "output_count", "sequence_count", "work_count",    "immediate"};
  return uint8_t(kind) < std::size(names) ? names[uint8_t(kind)] : "unknown";
}

std::vector<uint64_t> WeightSource::slicedShape() const {
  std::vector<uint64_t> sliced = shape;
  for (const DimensionSlice &slice : slices) sliced[slice.dimension] = slice.end - slice.begin;
  return sliced;
}

uint64_t bufferBytes(const Buffer &buffer, const EntryPoint &entry) {
  return roundUp(buffer.bytesPerToken * entry.tokens + buffer.bytesPerSequence * entry.sequences +
                     buffer.bytesPerOutput * entry.outputs + buffer.bytesFixed,
                 kAlignment);
}

uint64_t PlanTables::weightsBytes() const {
  uint64_t bytes = 0;
  for (const Weight &weight : weights) bytes += weight.instances() * weight.bytes;
  return bytes;
}

uint64_t PlanTables::stateBytesPerSequence() const {
  uint64_t bytes = 0;
  for (const Pool &pool : pools)
    if (pool.kind == PoolKind::slots) bytes += pool.layers * pool.unitBytes;
  return bytes;
}

uint64_t PlanTables::kvBytesPerToken() const {
  uint64_t bytes = 0;
  for (const Pool &pool : pools)
    if (pool.kind == PoolKind::pages) bytes += pool.layers * pool.unitBytes;
  return pageTokens ? ceilDivide(bytes, pageTokens) : 0;
}

uint64_t PlanTables::arenaBytes() const {
  uint64_t bytes = 0;
  for (const EntryPoint &entry : entryPoints) bytes = std::max(bytes, entry.arenaBytes);
  return bytes;
}

} // namespace mmc::runtime
