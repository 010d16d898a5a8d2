// Figures of a plan, computed from its verified tables.
#include "lib/Driver/PlanReport.h"

#include "lib/Driver/Console.h"
#include "runtime/src/LoadedPlan.h"

#include <nlohmann/json.hpp>
#include <set>

namespace mmc::driver {

using namespace mmc::runtime;
using Json = nlohmann::ordered_json;

Expected<PlanReport> planReportOf(const PlanImage &image) {
  auto tables = verifyPlan(image);
  MMC_RETURN_IF_ERROR(tables.status());
  PlanReport report{image.name(), toHex(image.digest()), image.size(), image.formatMinor(), {}, std::move(*tables)};
  report.segments.assign(image.segments().begin(), image.segments().end());
  return report;
}

Expected<PlanReport> readPlanReport(const std::string &path) {
  auto image = PlanImage::open(path);
  MMC_RETURN_IF_ERROR(image.status());
  return planReportOf(*image);
}

namespace {

bool runsInDecode(const PlanTables &tables, const Launch &launch) {
  for (const Extent &extent : launch.domain)
    if (extent.kind == ExtentKind::work && tables.workLists[extent.value].filter == WorkFilter::prefill) return false;
  return true;
}

uint64_t elements(const std::vector<uint64_t> &shape) {
  uint64_t count = 1;
  for (uint64_t extent : shape) count *= extent;
  return count;
}

/// The projection to the vocabulary: the largest weight that the head program is bound to.
std::optional<size_t> headWeight(const PlanTables &tables) {
  std::optional<size_t> found;
  for (const Command &command : tables.head.commands)
    for (const Argument &argument : command.launch.arguments)
      if (argument.kind == ArgumentKind::weight &&
          (!found || elements(tables.weights[argument.index].shape) > elements(tables.weights[*found].shape)))
        found = argument.index;
  return found;
}

/// The weights that some launch reads.
std::set<size_t> usedWeights(const PlanTables &tables) {
  std::set<size_t> used;
  auto collect = [&](const runtime::Program &program) {
    for (const Command &command : program.commands)
      for (const Argument &argument : command.launch.arguments)
        if (argument.kind == ArgumentKind::weight) used.insert(argument.index);
  };
  collect(tables.body);
  collect(tables.head);
  for (const runtime::Program &layer : tables.layerKinds) collect(layer);
  return used;
}

} // namespace

std::vector<uint64_t> decodeLaunches(const PlanTables &tables) {
  std::vector<uint64_t> counts(tables.kernels.size());
  auto add = [&](const runtime::Program &program, auto &&self) -> void {
    for (const Command &command : program.commands) {
      if (command.isStack) {
        for (uint8_t kind : tables.stack) self(tables.layerKinds[kind], self);
      } else if (runsInDecode(tables, command.launch)) {
        ++counts[command.launch.kernel];
      }
    }
  };
  add(tables.body, add);
  add(tables.head, add);
  return counts;
}

DecodeCost decodeCost(const PlanTables &tables) {
  DecodeCost cost;
  cost.activeParameters = tables.parametersActive;
  const std::optional<size_t> head = headWeight(tables);
  uint64_t denseElements = 0, denseBytes = 0, expertElements = 0, expertBytes = 0;
  for (size_t i : usedWeights(tables)) {
    const Weight &weight = tables.weights[i];
    const uint64_t count = elements(weight.shape) * weight.instances() * weight.expertCount();
    const uint64_t bytes = count * dtypeBytes(weight.layout.dtype);
    if (i == head) cost.headParameters = count, cost.weightBytes += bytes;
    if (i == head || i == tables.embeddingWeight) continue;
    (weight.experts ? expertElements : denseElements) += count;
    (weight.experts ? expertBytes : denseBytes) += bytes;
  }
  // Which share of the experts a token takes follows from the count of active parameters.
  const double share = expertElements && cost.activeParameters > denseElements
                           ? double(cost.activeParameters - denseElements) / double(expertElements)
                           : 0;
  cost.weightBytes += denseBytes + uint64_t(share * double(expertBytes));
  cost.stateBytes = 2 * tables.stateBytesPerSequence();
  return cost;
}

std::vector<std::string> certificateLines(const PlanReport &report) {
  const PlanTables &tables = report.tables;
  std::vector<std::string> lines = {
      cat("parameters         ", formatCount(tables.parametersTotal), ", active per token ",
          formatCount(tables.parametersActive)),
      cat("weights            ", formatBytes(tables.weightsBytes())),
      cat("state per sequence ", formatBytes(tables.stateBytesPerSequence())),
      cat("KV per token       ", formatBytes(tables.kvBytesPerToken())),
      cat("arena              ", formatBytes(tables.arenaBytes()), " (", formatCount(tables.maxNumBatchedTokens),
          " tokens, ", formatCount(tables.maxNumSeqs), " sequences)"),
      cat("longest context    ", formatCount(tables.maxModelLen), " tokens"),
      cat("one sequence       ",
          formatBytes(tables.stateBytesPerSequence() + tables.kvBytesPerToken() * tables.maxModelLen),
          " of state and KV at full length"),
      cat("digest             ", report.digest)};
  return lines;
}

namespace {

/// Of each tensor map the word that it is made for, the box and the swizzle.
Json mapsJson(const Kernel &kernel, const runtime::DeviceFunction &function) {
  Json maps = Json::array();
  for (const runtime::TensorMapRecord &map : function.maps)
    maps.push_back({{"argument", kernel.parameters[map.argument]},
                    {"dtype", dtypeName(map.dtype)},
                    {"sizes", map.sizes},
                    {"box", map.box},
                    {"swizzle", map.swizzle}});
  return maps;
}

/// The branch of each kernel's launches; 0 for those without.
std::vector<uint8_t> branchesOf(const PlanTables &tables) {
  std::vector<uint8_t> branches(tables.kernels.size());
  for (const runtime::Program &layer : tables.layerKinds)
    for (const Command &command : layer.commands) branches[command.launch.kernel] |= command.launch.branch;
  return branches;
}

Json kernelsJson(const PlanTables &tables) {
  const std::vector<uint64_t> counts = decodeLaunches(tables);
  const std::vector<uint8_t> branches = branchesOf(tables);
  Json kernels = Json::array();
  for (size_t i = 0; i < tables.kernels.size(); ++i) {
    const Kernel &kernel = tables.kernels[i];
    Json common = {{"name", kernel.name},
                   {"count", counts[i]},
                   {"domain_rank", kernel.domainRank},
                   {"branch", branches[i]},
                   {"parameters", kernel.parameters}};
    if (kernel.functions.empty()) {
      common.update({{"target", tables.target}, {"symbols", kernel.symbols}, {"scratch_bytes", kernel.scratchBytes}});
      kernels.push_back(common);
    }
    for (size_t variant = 0; variant < kernel.functions.size(); ++variant) {
      const runtime::DeviceFunction &function = kernel.functions[variant];
      common.update({{"target", cat(tables.target, ":", tables.variants[variant])},
                     {"family", function.family},
                     {"symbols", Json::array({kernel.symbols[variant]})},
                     {"threads", function.threads},
                     {"shared_bytes", function.sharedBytes},
                     {"tensor_maps", mapsJson(kernel, function)}});
      kernels.push_back(common);
    }
  }
  return kernels;
}

const char *segmentName(SegmentKind kind) {
  switch (kind) {
  case SegmentKind::metadata:
    return "metadata";
  case SegmentKind::constants:
    return "constants";
  case SegmentKind::hostObject:
    return "host_object";
  case SegmentKind::deviceImages:
    return "device_images";
  case SegmentKind::text:
    return "text";
  }
  return "unknown";
}

} // namespace

std::vector<std::string> targetsOf(const PlanTables &tables) {
  if (tables.target == "cpu") return {tables.target};
  std::vector<std::string> targets;
  for (const std::string &variant : tables.variants) targets.push_back(cat(tables.target, ":", variant));
  return targets;
}

std::string planJson(const PlanReport &report) {
  const PlanTables &tables = report.tables;
  Json json;
  json["kind"] = "plan";
  json["format"] = cat(kPlanFormatMajor, ".", report.formatMinor);
  json["digest"] = report.digest;
  json["producer"] = tables.producer;
  json["model"] = tables.model;
  json["targets"] = targetsOf(tables);
  json["dtype"] = dtypeName(tables.dtype);
  json["ranks"] = tables.ranks;
  json["file_bytes"] = report.fileBytes;
  json["parameters"] = {{"total", tables.parametersTotal}, {"active", tables.parametersActive}};
  json["cpu_variants"] = tables.target == "cpu" ? tables.variants : std::vector<std::string>();
  json["recurrence_block"] = tables.recurrenceBlock;
  json["page_tokens"] = tables.pageTokens;
  json["vocabulary"] = tables.vocabulary;
  json["layers"] = tables.layerCount;
  json["max_model_len"] = tables.maxModelLen;
  json["max_num_seqs"] = tables.maxNumSeqs;
  json["max_num_batched_tokens"] = tables.maxNumBatchedTokens;
  json["required_features"] = tables.requiredFeatures;
  json["stop_tokens"] = tables.stopTokens;
  json["kernels"] = kernelsJson(tables);
  json["memory"] = Json::array({{{"rank", 0},
                                 {"weights_bytes", tables.weightsBytes()},
                                 {"kv_bytes_per_token", tables.kvBytesPerToken()},
                                 {"state_bytes_per_sequence", tables.stateBytesPerSequence()},
                                 {"arena_bytes", tables.arenaBytes()},
                                 {"communication_bytes", 0},
                                 {"max_context", tables.maxModelLen}}});
  json["entry_points"] = Json::array();
  for (const EntryPoint &entry : tables.entryPoints)
    json["entry_points"].push_back({{"tokens", entry.tokens},
                                    {"sequences", entry.sequences},
                                    {"context", entry.context},
                                    {"outputs", entry.outputs},
                                    {"arena_bytes", entry.arenaBytes}});
  json["collectives"] = Json::array();
  json["segments"] = Json::array();
  for (const Segment &segment : report.segments)
    json["segments"].push_back(
        {{"kind", segmentName(segment.kind)}, {"bytes", segment.size}, {"digest", toHex(segment.digest)}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string planText(const PlanReport &report) {
  const PlanTables &tables = report.tables;
  std::string text = cat(report.name, ": plan, format ", kPlanFormatMajor, ".", report.formatMinor, ", ",
                         formatBytes(report.fileBytes), ", by ", tables.producer, "\n", "model              ",
                         tables.model, ", ", tables.layerCount, " layers, vocabulary ", formatCount(tables.vocabulary),
                         "\n", "target             ", tables.target, ", ", dtypeName(tables.dtype), ", variants");
  for (const std::string &variant : tables.variants) text += " " + variant;
  text +=
      cat("\nrecurrence block   ", tables.recurrenceBlock, "\nentry points       ", tables.entryPoints.size(), "\n");
  for (const std::string &line : certificateLines(report)) text += line + "\n";
  text += cat("kernels            ", tables.kernels.size(), " (launches in a decode step)\n");
  const std::vector<uint64_t> counts = decodeLaunches(tables);
  const std::vector<uint8_t> branches = branchesOf(tables);
  for (size_t i = 0; i < counts.size(); ++i) {
    std::string count = std::to_string(counts[i]);
    count.insert(0, count.size() < 6 ? 6 - count.size() : 0, ' ');
    text += cat(count, "  ", tables.kernels[i].name);
    for (size_t variant = 0; variant < tables.kernels[i].functions.size(); ++variant)
      text += cat(variant ? ", " : "  (", tables.variants[variant], " ", tables.kernels[i].functions[variant].family);
    if (branches[i]) text += cat(", branch ", int(branches[i]));
    text += tables.kernels[i].functions.empty() ? "\n" : ")\n";
  }
  return text;
}

} // namespace mmc::driver
