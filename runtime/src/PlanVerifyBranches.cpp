// Checks that launches which may run at the same time touch no byte in common that one of them writes.
//
// Launches stand beside each other where no other command is between them and their branches differ. Then every order
// of theirs leaves what the order of the plan leaves, so all else is checked, and can be thought of, in that order.
#include "runtime/src/PlanVerify.h"

namespace mmc::runtime {

namespace {

constexpr size_t kMostNeighbours = 4; // bounds the time that pairs take

class BranchVerifier {
public:
  explicit BranchVerifier(const PlanTables &plan)
      : plan(plan), shared(plan.buffers.size() * plan.buffers.size(), kUnknown) {}

  Status program(const Program &program, const std::string &name) {
    std::vector<const Launch *> neighbours;
    for (size_t i = 0; i < program.commands.size(); ++i) {
      const Command &command = program.commands[i];
      if (command.isStack || command.launch.branch == 0) {
        neighbours.clear();
        continue;
      }
      const std::string who = name + ".commands[" + std::to_string(i) + "]";
      MMC_RETURN_IF_ERROR(checkRange(who + " branch", command.launch.branch, 0, kMostBranches));
      neighbours.push_back(&command.launch);
      MMC_RETURN_IF_ERROR(checkRange(who + " neighbours on branches", neighbours.size(), 1, kMostNeighbours));
      for (const Launch *other : neighbours)
        if (other->branch != command.launch.branch) MMC_RETURN_IF_ERROR(pair(*other, command.launch, who));
    }
    return {};
  }

private:
  Status pair(const Launch &a, const Launch &b, const std::string &who) {
    const bool apart = haveOtherSequences(a, b);
    for (size_t i = 0; i < a.arguments.size(); ++i)
      for (size_t j = 0; j < b.arguments.size(); ++j) {
        const Argument &x = a.arguments[i], &y = b.arguments[j];
        if (!(x.written || y.written) || !haveBytesInCommon(x, y)) continue;
        if (apart && x.index == y.index && isOwn(a, i) && isOwn(b, j)) continue;
        const Kernel &kernel = plan.kernels[b.kernel], &other = plan.kernels[a.kernel];
        return badField(who + "." + entryName("arguments", j, kernel.parameters[j]) + " on branch " +
                            std::to_string(b.branch),
                        "memory that '" + other.name + "' on branch " + std::to_string(a.branch) + " touches as '" +
                            other.parameters[i] + "', and one of them writes",
                        "branches apart");
      }
    return {};
  }

  bool haveBytesInCommon(const Argument &x, const Argument &y) {
    if (x.kind != y.kind) return false; // each kind that can be written has memory of its own
    if (x.kind == ArgumentKind::buffer) return haveSharedBytes(x.index, y.index);
    return x.kind != ArgumentKind::pool || x.index == y.index;
  }

  /// Of two buffers, in any entry point.
  bool haveSharedBytes(uint32_t a, uint32_t b) {
    if (a == b) return true;
    uint8_t &known = shared[size_t(a) * plan.buffers.size() + b];
    if (known != kUnknown) return known;
    known = 0;
    for (const EntryPoint &entry : plan.entryPoints) {
      const uint64_t beginA = entry.offsets[a], endA = beginA + bufferBytes(plan.buffers[a], entry);
      const uint64_t beginB = entry.offsets[b], endB = beginB + bufferBytes(plan.buffers[b], entry);
      if (beginA < endB && beginB < endA) known = 1;
    }
    return known;
  }

  /// Whether the kernel touches only rows or units of its records through the word.
  bool isOwn(const Launch &launch, size_t argument) const {
    const Kernel &kernel = plan.kernels[launch.kernel];
    return kernel.described && kernel.interface[argument].own;
  }

  /// The filter of a launch's only work list; `all` where it has another number of lists.
  WorkFilter filterOf(const Launch &launch) const {
    const Argument *list = nullptr;
    for (const Argument &argument : launch.arguments) {
      if (argument.kind != ArgumentKind::workList) continue;
      if (list) return WorkFilter::all;
      list = &argument;
    }
    return list ? plan.workLists[list->index].filter : WorkFilter::all;
  }

  bool haveOtherSequences(const Launch &a, const Launch &b) const {
    const WorkFilter x = filterOf(a), y = filterOf(b);
    return x != y && x != WorkFilter::all && y != WorkFilter::all;
  }

  static constexpr uint8_t kUnknown = 2;
  const PlanTables &plan;
  std::vector<uint8_t> shared; // by pairs of buffers: 0, 1 or unknown
};

} // namespace

Status verifyBranches(const PlanTables &plan) {
  BranchVerifier verifier(plan);
  for (size_t kind = 0; kind < plan.layerKinds.size(); ++kind)
    MMC_RETURN_IF_ERROR(verifier.program(plan.layerKinds[kind], "layers[" + std::to_string(kind) + "]"));
  MMC_RETURN_IF_ERROR(verifier.program(plan.body, "body"));
  return verifier.program(plan.head, "head");
}

} // namespace mmc::runtime
