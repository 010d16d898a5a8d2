// Derived figures of a decoded plan. They rely on decodePlan having checked that none of these sums and products wraps.
#include "runtime/src/PlanTables.h"
#include "runtime/src/TensorNames.h"

#include <algorithm>

namespace mmc::runtime {

const char *argumentKindName(ArgumentKind kind) {
  constexpr const char *names[] = {"buffer",       "weight",         "constant",      "pool",
                                   "page_table",   "token_ids",      "row_positions", "row_slots",
                                   "output_rows",  "work_list",      "logits",        "token_count",
                                   "output_count", "sequence_count", "work_count",    "immediate"};
  return uint8_t(kind) < std::size(names) ? names[uint8_t(kind)] : "unknown";
}

const char *rowsName(Rows rows) {
  constexpr const char *names[] = {"in all", "per token", "per output", "per sequence"};
  return uint8_t(rows) < std::size(names) ? names[uint8_t(rows)] : "unknown";
}

std::string kernelSymbol(const std::string &kernel, const std::string &variant) {
  std::string symbol = kernel + "__" + variant;
  std::replace(symbol.end() - ptrdiff_t(variant.size()), symbol.end(), '-', '_');
  return symbol;
}

static std::string parameterRecord(const Parameter &parameter) {
  std::string text;
  for (ArgumentKind kind : parameter.kinds) text += (text.empty() ? "" : "|") + std::string(argumentKindName(kind));
  if (parameter.read) text += " read";
  if (parameter.written) text += " written";
  text += std::string(" ") + dtypeName(parameter.dtype) + " " + std::to_string(parameter.bytes) + " bytes " +
          rowsName(parameter.rows);
  for (size_t i = 0; i < parameter.shape.size(); ++i)
    text += (i ? "x" : " shape ") + std::to_string(parameter.shape[i]);
  auto figures = [&](const char *name, std::initializer_list<uint64_t> values) {
    if (std::all_of(values.begin(), values.end(), [](uint64_t value) { return value == 0; })) return;
    text += std::string(" ") + name;
    for (uint64_t value : values) text += " " + std::to_string(value);
  };
  figures("panels", {parameter.panelN, parameter.panelK, parameter.padN});
  figures("pages", {parameter.pageTokens, parameter.pagesPerSequence});
  figures("work", {parameter.filters, parameter.tileRows});
  return text;
}

std::string kernelRecord(const Kernel &kernel, uint64_t scratchBytes) {
  constexpr const char *extents[] = {"fixed", "tokens", "outputs", "sequences", "work"};
  std::string text = "kernel " + kernel.name + "\nscratch " + std::to_string(scratchBytes) + "\ndomain";
  for (const Extent &extent : kernel.domain)
    text += std::string(" ") + extents[uint8_t(extent.kind)] + " " + std::to_string(extent.value);
  text += "\n";
  for (const Parameter &parameter : kernel.interface) text += parameterRecord(parameter) + "\n";
  return text;
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

std::string PlanTables::tensorName(const Weight &weight, const WeightSource &source, uint64_t instance,
                                   uint64_t expert) const {
  const uint64_t layer = weight.perLayer ? weight.layers[instance] : 0;
  if (weight.nextElse.empty()) return expandName(source.name, layer, expert);
  return layer + 1 == layerCount ? weight.nextElse : expandName(source.name, layer + 1, expert);
}

uint64_t PlanTables::arenaBytes() const {
  uint64_t bytes = 0;
  for (const EntryPoint &entry : entryPoints) bytes = std::max(bytes, entry.arenaBytes);
  return bytes;
}

} // namespace mmc::runtime
