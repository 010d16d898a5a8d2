// Checks which checkpoint tensors the weights of a decoded plan take: no element of a tensor goes to two weights, or
// twice to one. The same tensor under another layout is no second use of it: two kernels may read one matrix
// differently.
//
// Names are compared with layers and experts filled in, so a pattern and a plain name cannot hide from each other.
#include "runtime/src/PlanVerify.h"
#include "runtime/src/TensorNames.h"

#include <algorithm>
#include <unordered_map>

namespace mmc::runtime {

namespace {

constexpr uint64_t kMaxTensors = uint64_t(1) << 18;
constexpr size_t kMaxTensorName = 512;

struct Use {
  size_t weight;
  const WeightSource *source;
};

bool sameLayout(const Layout &a, const Layout &b) {
  return a.dtype == b.dtype && a.kind == b.kind && a.panelN == b.panelN && a.panelK == b.panelK &&
         a.rowMultiple() == b.rowMultiple();
}

/// Do two uses of one tensor have an element in common?
bool overlap(const WeightSource &a, const WeightSource &b) {
  auto range = [](const WeightSource &source, size_t dimension) -> std::pair<uint64_t, uint64_t> {
    for (const DimensionSlice &slice : source.slices)
      if (slice.dimension == dimension) return {slice.begin, slice.end};
    return {0, ~uint64_t(0)};
  };
  for (size_t i = 0; i < kMaxRank; ++i) {
    const auto [beginA, endA] = range(a, i);
    const auto [beginB, endB] = range(b, i);
    if (endA <= beginB || endB <= beginA) return false;
  }
  return true;
}

uint64_t elements(const WeightSource &source) {
  uint64_t product = 1;
  for (uint64_t extent : source.slicedShape()) product *= extent;
  return product;
}

class BindingVerifier {
public:
  explicit BindingVerifier(const PlanTables &plan) : plan(plan) {}

  Status run() {
    uint64_t tensors = 0;
    for (size_t i = 0; i < plan.weights.size(); ++i) {
      const Weight &weight = plan.weights[i];
      // Each is at least a few bytes of plan and of memory; a count beyond this is no model's.
      const uint64_t count =
          std::min(weight.instances(), kMaxTensors + 1) * std::min(weight.expertCount(), kMaxTensors + 1);
      tensors += std::min(count, kMaxTensors + 1) * weight.sources.size();
      MMC_RETURN_IF_ERROR(checkRange("tensors of the weights", tensors, 1, kMaxTensors));
      for (const WeightSource &source : weight.sources) {
        const size_t length = std::max(source.name.size(), weight.nextElse.size());
        MMC_RETURN_IF_ERROR(checkRange(who(i) + " source name length", length, 1, kMaxTensorName));
        for (uint64_t instance = 0; instance < weight.instances(); ++instance)
          for (uint64_t expert = 0; expert < weight.expertCount(); ++expert)
            MMC_RETURN_IF_ERROR(tensor({i, &source}, plan.tensorName(weight, source, instance, expert)));
      }
    }
    if (plan.parametersTotal < total)
      return badField("parameters_total", plan.parametersTotal,
                      "at least " + std::to_string(total) + ", the elements of the weights' tensors");
    return {};
  }

private:
  Status tensor(Use use, const std::string &name) {
    std::vector<Use> &others = uses[name];
    bool counted = false;
    for (const Use &other : others) {
      if (!overlap(*use.source, *other.source)) continue;
      if (sameLayout(plan.weights[use.weight].layout, plan.weights[other.weight].layout))
        return badField(who(use.weight) + " source", "tensor '" + name + "'",
                        "another: " + who(other.weight) + " is bound to it");
      counted = true;
    }
    // Few slices share a tensor; many would make this quadratic.
    MMC_RETURN_IF_ERROR(checkRange("weights that share tensor '" + name + "'", others.size() + 1, 1, 64));
    if (!counted) total += elements(*use.source);
    others.push_back(use);
    return {};
  }

  std::string who(size_t weight) const { return entryName("weights", weight, plan.weights[weight].sources[0].name); }

  const PlanTables &plan;
  std::unordered_map<std::string, std::vector<Use>> uses;
  uint64_t total = 0;
};

} // namespace

Status verifyBindings(const PlanTables &plan) { return BindingVerifier(plan).run(); }

} // namespace mmc::runtime
