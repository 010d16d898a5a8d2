// Checks the values of a decoded plan: figures, stack, weights, constants, pools, buffers, entry points.
// PlanVerifyPrograms.cpp checks code.
//
// Every product is formed under kMaxBytes, so that sums of a few of them cannot wrap in 64 bits.
#include "runtime/src/PlanVerify.h"

#include "runtime/src/Errors.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace mmc::runtime {

Status badField(const std::string &field, const std::string &found, const std::string &expected) {
  return Status(kMetadataValue, "plan metadata: " + field + " is " + found + ", expected " + expected);
}

Status badField(const std::string &field, uint64_t found, const std::string &expected) {
  return badField(field, std::to_string(found), expected);
}

Status checkRange(const std::string &field, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return {};
  return badField(field, value, std::to_string(low) + " to " + std::to_string(high));
}

std::string entryName(const char *list, size_t index, const std::string &name) {
  const std::string text = std::string(list) + "[" + std::to_string(index) + "]";
  return name.empty() ? text : text + " '" + name.substr(0, 120) + "'";
}

Status checkShape(const std::string &field, const std::vector<uint64_t> &shape, uint64_t factor, uint64_t &product) {
  MMC_RETURN_IF_ERROR(checkRange(field + " shape rank", shape.size(), 0, kMaxRank));
  product = factor;
  for (uint64_t extent : shape) {
    if (extent == 0) return badField(field + " shape extent", uint64_t(0), "at least 1");
    if (__builtin_mul_overflow(product, extent, &product) || product > kMaxBytes)
      return badField(field + " shape", std::string("beyond 2^56 bytes"), "less");
  }
  return {};
}

Status verifyTables(PlanTables &plan, uint64_t constantsBytes, uint64_t imagesBytes) {
  MMC_RETURN_IF_ERROR(verifyFigures(plan));
  MMC_RETURN_IF_ERROR(verifyStack(plan));
  MMC_RETURN_IF_ERROR(verifyWeights(plan));
  MMC_RETURN_IF_ERROR(verifyBindings(plan));
  MMC_RETURN_IF_ERROR(verifyConstants(plan, constantsBytes));
  MMC_RETURN_IF_ERROR(verifyMemory(plan));
  MMC_RETURN_IF_ERROR(verifyEntryPoints(plan));
  MMC_RETURN_IF_ERROR(verifyKernels(plan));
  MMC_RETURN_IF_ERROR(verifyDeviceCode(plan, imagesBytes));
  MMC_RETURN_IF_ERROR(verifyPrograms(plan));
  MMC_RETURN_IF_ERROR(verifyBranches(plan));
  return verifyLiveness(plan);
}

Status verifyFigures(const PlanTables &plan) {
  for (const std::string &feature : plan.requiredFeatures)
    if (feature != kFeatureNextLayerWeights && feature != kFeatureTensorMaps)
      return Status(kRequiredFeature,
                    "the plan requires feature '" + feature.substr(0, 120) + "', which this runtime does not have");
  if (plan.target != kTargetCpu && !plan.onDevice())
    return Status(kUnsupportedTarget, "the plan is for target '" + plan.target.substr(0, 120) +
                                          "', this runtime executes cpu, cuda and cuda-emu");
  constexpr uint64_t kMaxInt = 0x7fffffff; // token ids, positions and slots are int32
  MMC_RETURN_IF_ERROR(checkRange("ranks", plan.ranks, 1, 1024));
  MMC_RETURN_IF_ERROR(checkRange("vocabulary", plan.vocabulary, 1, kMaxInt));
  MMC_RETURN_IF_ERROR(checkRange("max_model_len", plan.maxModelLen, 1, kMaxInt));
  MMC_RETURN_IF_ERROR(checkRange("max_num_seqs", plan.maxNumSeqs, 1, 1u << 20));
  MMC_RETURN_IF_ERROR(checkRange("max_num_batched_tokens", plan.maxNumBatchedTokens, 1, 1u << 24));
  MMC_RETURN_IF_ERROR(checkRange("recurrence_block", plan.recurrenceBlock, 1, 1u << 24));
  MMC_RETURN_IF_ERROR(checkRange("parameters_active", plan.parametersActive, 0, plan.parametersTotal));
  for (int32_t token : plan.stopTokens)
    if (token < 0 || uint32_t(token) >= plan.vocabulary)
      return badField("stop_tokens", std::to_string(token), "an id below " + std::to_string(plan.vocabulary));
  return {};
}

Status verifyStack(PlanTables &plan) {
  MMC_RETURN_IF_ERROR(checkRange("stack kinds count", plan.stack.size(), 0, kMaxLayers));
  if (plan.stack.size() != plan.layerCount)
    return badField("stack kinds count", plan.stack.size(), "layer_count = " + std::to_string(plan.layerCount));
  std::vector<uint32_t> seen(plan.layerKinds.size());
  plan.layerOrdinals.clear();
  for (uint8_t kind : plan.stack) {
    if (kind >= seen.size()) return badField("stack kind", kind, "a layer kind below " + std::to_string(seen.size()));
    plan.layerOrdinals.push_back(seen[kind]++);
  }
  return {};
}

static Status verifySource(const std::string &who, const Weight &weight, const WeightSource &source, uint64_t &rows) {
  const std::string name = who + " source '" + source.name.substr(0, 120) + "'";
  if (source.name.empty()) return badField(name + " name", std::string("empty"), "a tensor's name");
  uint64_t product;
  MMC_RETURN_IF_ERROR(checkShape(name, source.shape, 8, product));
  if (source.shape.size() != weight.shape.size())
    return badField(name + " rank", source.shape.size(), std::to_string(weight.shape.size()));
  for (size_t i = 0; i < source.slices.size(); ++i) {
    const DimensionSlice &slice = source.slices[i];
    if (slice.dimension >= source.shape.size() || (i && slice.dimension <= source.slices[i - 1].dimension))
      return badField(name + " slice dimension", slice.dimension,
                      "ascending, below " + std::to_string(source.shape.size()));
    if (slice.begin >= slice.end || slice.end > source.shape[slice.dimension])
      return badField(name + " slice", std::to_string(slice.begin) + " to " + std::to_string(slice.end),
                      "a range within 0 to " + std::to_string(source.shape[slice.dimension]));
  }
  const std::vector<uint64_t> sliced = source.slicedShape();
  if (!std::equal(sliced.begin() + 1, sliced.end(), weight.shape.begin() + 1))
    return badField(name + " sliced shape", std::string("another than the weight's"), "equal beyond dimension 0");
  rows += sliced[0];
  if ((source.name.find("{layer}") != std::string::npos) != weight.perLayer)
    return badField(name + " name", std::string(weight.perLayer ? "without" : "with") + " {layer}",
                    weight.perLayer ? "with it: the weight lists layers" : "without it: the weight lists no layers");
  if ((source.name.find("{expert}") != std::string::npos) != (weight.experts != 0))
    return badField(name + " name", std::string(weight.experts ? "without" : "with") + " {expert}",
                    weight.experts ? "with it: the weight has experts" : "without it: the weight has no experts");
  return {};
}

static Status verifyWeight(const PlanTables &plan, const std::string &who, const Weight &weight) {
  if (weight.sources.empty()) return badField(who + " sources count", uint64_t(0), "at least 1");
  MMC_RETURN_IF_ERROR(checkRange(who + " shape rank", weight.shape.size(), 1, kMaxRank));
  uint64_t product;
  MMC_RETURN_IF_ERROR(checkShape(who, weight.shape, 8, product));
  uint64_t rows = 0;
  for (const WeightSource &source : weight.sources) MMC_RETURN_IF_ERROR(verifySource(who, weight, source, rows));
  if (rows != weight.shape[0]) return badField(who + " rows of its sources", rows, std::to_string(weight.shape[0]));
  if (weight.layout.dtype != DType::f32 && weight.layout.dtype != DType::bf16 && weight.layout.dtype != DType::f16)
    return badField(who + " layout dtype", dtypeName(weight.layout.dtype), "float32, bfloat16 or float16");
  if (weight.layout.kind == LayoutKind::panels) {
    if (weight.shape.size() != 2)
      return badField(who + " shape rank", weight.shape.size(), "2, as its layout is panels");
    MMC_RETURN_IF_ERROR(checkRange(who + " layout panel_n", weight.layout.panelN, 1, 1u << 16));
    MMC_RETURN_IF_ERROR(checkRange(who + " layout panel_k", weight.layout.panelK, 1, 1u << 16));
    if (weight.layout.padN > 1u << 16 || weight.layout.padN % weight.layout.panelN != 0)
      return badField(who + " layout pad_n", weight.layout.padN, "a multiple of panel_n up to 65536");
    const std::vector<uint64_t> padded = {roundUp(weight.shape[0], weight.layout.rowMultiple()),
                                          roundUp(weight.shape[1], weight.layout.panelK)};
    MMC_RETURN_IF_ERROR(checkShape(who + " padded", padded, 8, product));
  }
  const uint64_t expertBytes = storedBytes(weight.layout, weight.shape);
  if (weight.expertBytes != expertBytes)
    return badField(who + " expert_bytes", weight.expertBytes, std::to_string(expertBytes));
  MMC_RETURN_IF_ERROR(checkShape(who + " bytes", {weight.expertCount(), weight.instances()}, expertBytes, product));
  if (weight.bytes != expertBytes * weight.expertCount())
    return badField(who + " bytes", weight.bytes, std::to_string(expertBytes * weight.expertCount()));
  for (size_t i = 0; i < weight.layers.size(); ++i)
    if (weight.layers[i] >= plan.layerCount || (i && weight.layers[i] <= weight.layers[i - 1]))
      return badField(who + " layers", weight.layers[i],
                      "ascending, below layer_count = " + std::to_string(plan.layerCount));
  const bool several = weight.sources.size() > 1, open = weight.nextElse.find('{') != std::string::npos;
  if (!weight.nextElse.empty() && (!weight.perLayer || weight.experts || several || open))
    return badField(who + " next_else", "'" + weight.nextElse.substr(0, 120) + "'",
                    "a tensor's name, beside one source with {layer} and without {expert}");
  const auto &features = plan.requiredFeatures;
  if (!weight.nextElse.empty() &&
      std::find(features.begin(), features.end(), kFeatureNextLayerWeights) == features.end())
    return badField(who + " next_else", "'" + weight.nextElse.substr(0, 120) + "'",
                    std::string("none, as required_features lacks ") + kFeatureNextLayerWeights);
  if (!std::isfinite(weight.randomMean) || !std::isfinite(weight.randomScale))
    return badField(who + " random_mean or random_scale", std::string("not finite"), "finite");
  return {};
}

Status verifyWeights(const PlanTables &plan) {
  uint64_t total = 0;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const Weight &weight = plan.weights[i];
    MMC_RETURN_IF_ERROR(
        verifyWeight(plan, entryName("weights", i, weight.sources.empty() ? "" : weight.sources[0].name), weight));
    total += weight.bytes * weight.instances();
    MMC_RETURN_IF_ERROR(checkRange("weights bytes", total, 0, kMaxBytes));
  }
  if (plan.embeddingWeight >= plan.weights.size())
    return badField("embedding_weight", plan.embeddingWeight, "a weight below " + std::to_string(plan.weights.size()));
  const Weight &embedding = plan.weights[plan.embeddingWeight];
  if (embedding.perLayer || embedding.experts || embedding.shape.size() != 2 || embedding.shape[0] != plan.vocabulary)
    return badField("embedding_weight", plan.embeddingWeight,
                    "a weight of shape [vocabulary, width], without layers and experts");
  return {};
}

Status verifyConstants(const PlanTables &plan, uint64_t constantsBytes) {
  for (size_t i = 0; i < plan.constants.size(); ++i) {
    const Constant &constant = plan.constants[i];
    const std::string who = entryName("constants", i, constant.name);
    uint64_t bytes;
    MMC_RETURN_IF_ERROR(checkShape(who, constant.shape, dtypeBytes(constant.dtype), bytes));
    if (constant.bytes != bytes) return badField(who + " bytes", constant.bytes, std::to_string(bytes));
    if (constant.offset % kAlignment) return badField(who + " offset", constant.offset, "a multiple of 64");
    if (constant.offset > constantsBytes || bytes > constantsBytes - constant.offset)
      return badField(who + " end", std::to_string(constant.offset) + " + " + std::to_string(bytes),
                      "within the constants segment of " + std::to_string(constantsBytes) + " bytes");
    if (constant.layerBytes && (constant.shape.empty() || constant.shape[0] != plan.layerCount ||
                                constant.layerBytes != bytes / constant.shape[0]))
      return badField(who + " layer_bytes", constant.layerBytes, "0, or bytes / layer_count with layer_count rows");
  }
  return {};
}

Status verifyMemory(const PlanTables &plan) {
  bool pages = false;
  for (size_t i = 0; i < plan.pools.size(); ++i) {
    const Pool &pool = plan.pools[i];
    const std::string who = entryName("pools", i, pool.name);
    uint64_t bytes, total;
    MMC_RETURN_IF_ERROR(checkShape(who, pool.shape, dtypeBytes(pool.dtype), bytes));
    const uint64_t element = dtypeBytes(pool.dtype);
    if (pool.unitBytes < bytes || pool.unitBytes % element)
      return badField(who + " unit_bytes", pool.unitBytes,
                      "a multiple of " + std::to_string(element) + ", at least " + std::to_string(bytes));
    MMC_RETURN_IF_ERROR(checkRange(who + " layers", pool.layers, 1, kMaxLayers));
    MMC_RETURN_IF_ERROR(checkShape(who + " unit_bytes", {pool.layers}, pool.unitBytes, total));
    MMC_RETURN_IF_ERROR(checkRange(who + " unit_bytes", pool.unitBytes, 1, uint64_t(1) << 40));
    pages |= pool.kind == PoolKind::pages;
  }
  if (pages) {
    MMC_RETURN_IF_ERROR(checkRange("page_tokens", plan.pageTokens, 1, 1u << 24));
    const uint64_t needed = ceilDivide(plan.maxModelLen, plan.pageTokens);
    if (plan.pagesPerSequence != needed)
      return badField("pages_per_sequence", plan.pagesPerSequence, std::to_string(needed));
  } else {
    MMC_RETURN_IF_ERROR(checkRange("page_tokens without a pool of pages", plan.pageTokens, 0, 0));
    MMC_RETURN_IF_ERROR(checkRange("pages_per_sequence without a pool of pages", plan.pagesPerSequence, 0, 0));
  }
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer &buffer = plan.buffers[i];
    const std::string who = entryName("buffers", i, buffer.name);
    for (uint64_t bytes : {buffer.bytesPerToken, buffer.bytesPerSequence, buffer.bytesPerOutput, buffer.bytesFixed})
      MMC_RETURN_IF_ERROR(checkRange(who + " bytes", bytes, 0, uint64_t(1) << 32));
    if (!(buffer.bytesPerToken | buffer.bytesPerSequence | buffer.bytesPerOutput | buffer.bytesFixed))
      return badField(who + " size", uint64_t(0), "at least 1 byte");
  }
  for (size_t i = 0; i < plan.workLists.size(); ++i)
    MMC_RETURN_IF_ERROR(checkRange(entryName("work_lists", i) + " tile_rows", plan.workLists[i].tileRows, 0, 1u << 24));
  return {};
}

static Status verifyEntryPoint(const PlanTables &plan, const std::string &who, const EntryPoint &entry) {
  MMC_RETURN_IF_ERROR(checkRange(who + " tokens", entry.tokens, 1, 1u << 24));
  MMC_RETURN_IF_ERROR(checkRange(who + " sequences", entry.sequences, 1, 1u << 20));
  MMC_RETURN_IF_ERROR(checkRange(who + " context", entry.context, 1, plan.maxModelLen));
  MMC_RETURN_IF_ERROR(checkRange(who + " outputs", entry.outputs, 1, 1u << 24));
  MMC_RETURN_IF_ERROR(checkRange(who + " arena_bytes", entry.arenaBytes, 0, kMaxBytes));
  if (entry.offsets.size() != plan.buffers.size())
    return badField(who + " offsets count", entry.offsets.size(),
                    std::to_string(plan.buffers.size()) + ", one per buffer");
  for (size_t i = 0; i < entry.offsets.size(); ++i) {
    const std::string buffer = who + " " + entryName("offsets", i, plan.buffers[i].name);
    if (entry.offsets[i] % kAlignment) return badField(buffer, entry.offsets[i], "a multiple of 64");
    const uint64_t bytes = bufferBytes(plan.buffers[i], entry);
    if (entry.offsets[i] > entry.arenaBytes || bytes > entry.arenaBytes - entry.offsets[i])
      return badField(buffer + " end", std::to_string(entry.offsets[i]) + " + " + std::to_string(bytes),
                      "within arena_bytes = " + std::to_string(entry.arenaBytes));
  }
  return {};
}

Status verifyEntryPoints(const PlanTables &plan) {
  if (plan.entryPoints.empty()) return badField("entry_points count", uint64_t(0), "at least 1");
  auto key = [](const EntryPoint &entry) { return std::tuple(entry.tokens, entry.sequences, entry.context); };
  bool covered = false;
  for (size_t i = 0; i < plan.entryPoints.size(); ++i) {
    const EntryPoint &entry = plan.entryPoints[i];
    const std::string who = entryName("entry_points", i);
    if (i && key(plan.entryPoints[i - 1]) >= key(entry))
      return badField(who, std::string("not after the one before"), "ascending order");
    MMC_RETURN_IF_ERROR(verifyEntryPoint(plan, who, entry));
    // A step has no more entries than tokens.
    covered |= entry.tokens >= plan.maxNumBatchedTokens &&
               entry.sequences >= std::min(plan.maxNumSeqs, plan.maxNumBatchedTokens) &&
               entry.context >= plan.maxModelLen;
  }
  if (!covered)
    return badField("entry_points", std::string("too small"),
                    "one for max_num_batched_tokens, max_num_seqs and max_model_len");
  return {};
}

} // namespace mmc::runtime
