// Checks every launch of every program of a decoded plan. Relies on the checks of PlanVerify.cpp and
// PlanVerifyKernels.cpp.
//
// Also checked is the schedule itself: no launch reads a temporary that nothing before it has written.
#include "runtime/src/PlanVerify.h"

#include <algorithm>

namespace mmc::runtime {

namespace {

enum class Place { body, layer, head };

/// Checks launches; keeps what concerns more than one of them.
class ProgramVerifier {
public:
  explicit ProgramVerifier(const PlanTables &plan)
      : plan(plan), kindLayers(plan.layerKinds.size()), poolOwner(plan.pools.size(), -1),
        smallest(plan.buffers.size(), kMaxBytes) {
    for (uint8_t kind : plan.stack) ++kindLayers[kind];
    for (const EntryPoint &entry : plan.entryPoints)
      for (size_t i = 0; i < smallest.size(); ++i)
        smallest[i] = std::min(smallest[i], bufferBytes(plan.buffers[i], entry));
    for (const Weight &weight : plan.weights) {
      std::vector<uint32_t> count(weight.perLayer ? plan.layerKinds.size() : 0);
      for (uint32_t layer : weight.layers) ++count[plan.stack[layer]];
      weightKinds.push_back(std::move(count));
    }
  }

  Status program(const Program &program, const std::string &name, Place place, size_t kind) {
    for (size_t i = 0; i < program.commands.size(); ++i) {
      if (program.commands[i].isStack) continue; // decodePlan refused stacks outside the body
      MMC_RETURN_IF_ERROR(
          launch(program.commands[i].launch, name + ".commands[" + std::to_string(i) + "]", place, kind));
    }
    return {};
  }

private:
  Status launch(const Launch &launch, const std::string &who, Place place, size_t kind) {
    if (launch.kernel >= plan.kernels.size())
      return badField(who + " kernel", launch.kernel, "a kernel below " + std::to_string(plan.kernels.size()));
    const Kernel &kernel = plan.kernels[launch.kernel];
    if (launch.arguments.size() != kernel.parameters.size())
      return badField(who + " arguments count", launch.arguments.size(),
                      std::to_string(kernel.parameters.size()) + ", the parameters of '" + kernel.name + "'");
    if (launch.domain.size() != kernel.domainRank)
      return badField(who + " domain rank", launch.domain.size(),
                      std::to_string(kernel.domainRank) + ", as '" + kernel.name + "' has");
    for (const DeviceFunction &function : kernel.functions)
      if (function.dealtRows == Rows::outputs && place != Place::head)
        return badField(who + " kernel '" + kernel.name + "' dealt_rows", std::string("outputs"),
                        "tokens or none: only the head has outputs");
    if (launch.grain == 0) return badField(who + " grain", uint64_t(0), "at least 1");
    for (size_t i = 0; i < launch.arguments.size(); ++i)
      MMC_RETURN_IF_ERROR(argument(launch.arguments[i], who + ".arguments[" + std::to_string(i) + "]", place, kind));
    MMC_RETURN_IF_ERROR(verifyInterface(plan, launch, who));
    uint64_t points = 1;
    for (size_t i = 0; i < launch.domain.size(); ++i)
      MMC_RETURN_IF_ERROR(extent(launch.domain[i], who + ".domain[" + std::to_string(i) + "]", place, points));
    return {};
  }

  Status extent(const Extent &extent, const std::string &who, Place place, uint64_t &points) {
    uint64_t bound = plan.maxNumBatchedTokens;
    if (extent.kind == ExtentKind::fixed) {
      MMC_RETURN_IF_ERROR(checkRange(who + " value", extent.value, 1, uint64_t(1) << 40));
      bound = extent.value;
    } else if (extent.kind == ExtentKind::work && extent.value >= plan.workLists.size()) {
      return badField(who + " value", extent.value, "a work list below " + std::to_string(plan.workLists.size()));
    } else if (extent.kind == ExtentKind::outputs && place != Place::head) {
      return badField(who + " kind", std::string("outputs"), "another: only the head has outputs");
    }
    // On a device a point is a block along x.
    constexpr uint64_t kMaxGrid = 0x7fffffff;
    if (__builtin_mul_overflow(points, bound, &points) || points > (plan.onDevice() ? kMaxGrid : kMaxBytes))
      return badField(who,
                      std::string(plan.onDevice() ? "beyond 2^31 - 1" : "beyond 2^56") + " points with those before it",
                      "less");
    return {};
  }

  Status argument(const Argument &argument, const std::string &who, Place place, size_t kind) {
    const bool mayWrite = argument.kind == ArgumentKind::buffer || argument.kind == ArgumentKind::pool ||
                          argument.kind == ArgumentKind::logits;
    if (argument.written && !mayWrite)
      return badField(who, std::string("a written ") + argumentKindName(argument.kind), "read only");
    switch (argument.kind) {
    case ArgumentKind::buffer:
      MMC_RETURN_IF_ERROR(index(argument, who, plan.buffers.size()));
      return offset(argument, who, smallest[argument.index]);
    case ArgumentKind::weight:
      return weight(argument, who, place, kind);
    case ArgumentKind::constant: {
      MMC_RETURN_IF_ERROR(index(argument, who, plan.constants.size()));
      const Constant &constant = plan.constants[argument.index];
      if (constant.layerBytes && place != Place::layer)
        return badField(who, "constant '" + constant.name + "' with a row per layer", "one without, outside layers");
      return offset(argument, who, constant.layerBytes ? constant.layerBytes : constant.bytes);
    }
    case ArgumentKind::pool:
      return pool(argument, who, place, kind);
    case ArgumentKind::workList:
    case ArgumentKind::workCount:
      MMC_RETURN_IF_ERROR(index(argument, who, plan.workLists.size()));
      return offset(argument, who, 1);
    case ArgumentKind::outputRows:
    case ArgumentKind::logits:
    case ArgumentKind::outputCount:
      if (place != Place::head)
        return badField(who, argumentKindName(argument.kind), "another kind: only the head has outputs");
      return offset(argument, who, 1);
    case ArgumentKind::immediate:
      if (plan.onDevice())
        return badField(who, std::string("an immediate"),
                        "another kind: words of target " + plan.target + " are pointers");
      return {};
    default:
      return offset(argument, who, 1);
    }
  }

  Status index(const Argument &argument, const std::string &who, size_t count) {
    if (argument.index < count) return {};
    return badField(who + " index", argument.index,
                    std::string("a ") + argumentKindName(argument.kind) + " below " + std::to_string(count));
  }

  Status offset(const Argument &argument, const std::string &who, uint64_t bytes) {
    if (argument.offset < bytes) return {};
    return badField(who + " offset", argument.offset, "below " + std::to_string(bytes));
  }

  Status weight(const Argument &argument, const std::string &who, Place place, size_t kind) {
    MMC_RETURN_IF_ERROR(index(argument, who, plan.weights.size()));
    const Weight &weight = plan.weights[argument.index];
    if (weight.perLayer) {
      if (place != Place::layer)
        return badField(who, "weight '" + weight.sources[0].name + "' with an instance per layer",
                        "one without, outside layers");
      if (weightKinds[argument.index][kind] != kindLayers[kind])
        return badField(who, "weight '" + weight.sources[0].name + "', absent in a layer that executes it",
                        "one that every such layer has");
    }
    return offset(argument, who, weight.bytes);
  }

  Status pool(const Argument &argument, const std::string &who, Place place, size_t kind) {
    MMC_RETURN_IF_ERROR(index(argument, who, plan.pools.size()));
    const Pool &pool = plan.pools[argument.index];
    const int64_t owner = place == Place::layer ? int64_t(kind) : int64_t(plan.layerKinds.size());
    if (poolOwner[argument.index] >= 0 && poolOwner[argument.index] != owner)
      return badField(who, "pool '" + pool.name + "' of another layer kind", "a pool of this one");
    poolOwner[argument.index] = owner;
    const uint64_t layers = place == Place::layer ? kindLayers[kind] : 1;
    if (pool.layers != layers)
      return badField("pool '" + pool.name + "' layers", pool.layers,
                      std::to_string(layers) + ", the layers that use it");
    return offset(argument, who, pool.unitBytes);
  }

  const PlanTables &plan;
  std::vector<uint64_t> kindLayers;               // layers of each kind
  std::vector<int64_t> poolOwner;                 // layer kind whose launches use the pool; -1: none yet
  std::vector<uint64_t> smallest;                 // bytes of each buffer in its smallest entry point
  std::vector<std::vector<uint32_t>> weightKinds; // per weight: how many of its layers are of each kind
};

/// Walks the schedule once, in the order of execution, and fails at the first read of an unwritten buffer.
class ScheduleVerifier {
public:
  explicit ScheduleVerifier(const PlanTables &plan) : plan(plan), written(plan.buffers.size()) {}

  Status run() {
    for (const Command &command : plan.body.commands) {
      if (!command.isStack) {
        MMC_RETURN_IF_ERROR(launch(command.launch, "body"));
        continue;
      }
      // What is written only grows, so a kind's first layer is the strictest.
      std::vector<bool> seen(plan.layerKinds.size());
      for (uint8_t kind : plan.stack) {
        if (seen[kind]) continue;
        seen[kind] = true;
        for (const Command &inner : plan.layerKinds[kind].commands)
          MMC_RETURN_IF_ERROR(launch(inner.launch, plan.layerKinds[kind].name));
      }
    }
    for (const Command &command : plan.head.commands) MMC_RETURN_IF_ERROR(launch(command.launch, "head"));
    return {};
  }

private:
  Status launch(const Launch &launch, const std::string &program) {
    for (const Argument &argument : launch.arguments)
      if (argument.kind == ArgumentKind::buffer && !argument.written && !written[argument.index] &&
          !alsoWritten(launch, argument.index))
        return badField("program '" + program + "' kernel '" + plan.kernels[launch.kernel].name + "'",
                        "a reader of buffer '" + plan.buffers[argument.index].name + "', which nothing has written",
                        "a writer before it");
    for (const Argument &argument : launch.arguments)
      if (argument.kind == ArgumentKind::buffer && argument.written) written[argument.index] = true;
    return {};
  }

  static bool alsoWritten(const Launch &launch, uint32_t buffer) {
    return std::any_of(launch.arguments.begin(), launch.arguments.end(), [&](const Argument &argument) {
      return argument.kind == ArgumentKind::buffer && argument.written && argument.index == buffer;
    });
  }

  const PlanTables &plan;
  std::vector<bool> written;
};

} // namespace

Status verifyPrograms(const PlanTables &plan) {
  if (plan.body.commands.empty()) return badField("body commands count", uint64_t(0), "at least 1");
  if (plan.head.commands.empty()) return badField("head commands count", uint64_t(0), "at least 1");
  ProgramVerifier verifier(plan);
  for (size_t kind = 0; kind < plan.layerKinds.size(); ++kind)
    MMC_RETURN_IF_ERROR(
        verifier.program(plan.layerKinds[kind], "layers[" + std::to_string(kind) + "]", Place::layer, kind));
  MMC_RETURN_IF_ERROR(verifier.program(plan.body, "body", Place::body, 0));
  MMC_RETURN_IF_ERROR(verifier.program(plan.head, "head", Place::head, 0));
  const bool writesLogits =
      std::any_of(plan.head.commands.begin(), plan.head.commands.end(), [](const Command &command) {
        return std::any_of(
            command.launch.arguments.begin(), command.launch.arguments.end(),
            [](const Argument &argument) { return argument.kind == ArgumentKind::logits && argument.written; });
      });
  if (!writesLogits) return badField("head", std::string("without a launch that writes logits"), "one");
  return ScheduleVerifier(plan).run();
}

} // namespace mmc::runtime
