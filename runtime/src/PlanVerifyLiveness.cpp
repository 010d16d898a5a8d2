// Checks that temporaries which hold values at the same time do not share bytes of the arena, in any entry point.
//
// What holds a value when follows from the commands alone. In a program a buffer is in use from the first launch that
// names it to the last; where the first only writes it, what it held before is not needed, otherwise its value comes
// from a program before. Such values are traced backwards along the orders in which a step runs programs: the body up
// to its stack, the layer kinds that follow one another in the stack, the rest of the body, the head, and the head
// again.
#include "runtime/src/PlanVerify.h"

#include <algorithm>
#include <set>

namespace mmc::runtime {

namespace {

/// A run of launches without a stack between them, and where in it each buffer is in use.
struct Stretch {
  struct Use {
    bool named = false, needed = false; // needed: the first launch that names it may read what it held
    size_t first = 0, last = 0;
  };
  std::vector<Use> uses;     // per buffer
  std::vector<bool> in, out; // per buffer: holds a value that is used later, when the stretch begins and ends
  size_t length = 0;
  std::set<size_t> next; // stretches that may follow
};

class LivenessVerifier {
public:
  explicit LivenessVerifier(const PlanTables &plan) : plan(plan), count(plan.buffers.size()) {}

  Status run() {
    makeStretches();
    spread();
    findConflicts();
    for (size_t i = 0; i < plan.entryPoints.size(); ++i)
      MMC_RETURN_IF_ERROR(entryPoint(plan.entryPoints[i], entryName("entry_points", i)));
    return {};
  }

private:
  /// Layer kinds have their own numbers; the body's halves and the head follow.
  void makeStretches() {
    const size_t kinds = plan.layerKinds.size(), before = kinds, after = kinds + 1, head = kinds + 2;
    stretches.resize(kinds + 3);
    for (Stretch &stretch : stretches) {
      stretch.uses.resize(count);
      stretch.in.resize(count);
      stretch.out.resize(count);
    }
    for (size_t kind = 0; kind < kinds; ++kind)
      for (const Command &command : plan.layerKinds[kind].commands) add(stretches[kind], command.launch);
    size_t half = before;
    for (const Command &command : plan.body.commands)
      command.isStack ? void(half = after) : add(stretches[half], command.launch);
    for (const Command &command : plan.head.commands) add(stretches[head], command.launch);
    size_t last = before;
    for (uint8_t kind : plan.stack) {
      stretches[last].next.insert(kind);
      last = kind;
    }
    stretches[last].next.insert(after);
    stretches[after].next.insert(head);
    stretches[head].next.insert(head);
  }

  void add(Stretch &stretch, const Launch &launch) {
    const size_t at = stretch.length++;
    const Kernel &kernel = plan.kernels[launch.kernel];
    for (size_t i = 0; i < launch.arguments.size(); ++i) {
      const Argument &argument = launch.arguments[i];
      if (argument.kind != ArgumentKind::buffer) continue;
      Stretch::Use &use = stretch.uses[argument.index];
      if (!use.named) use.first = at;
      use.named = true;
      use.last = at;
      use.needed |= use.first == at && (!argument.written || (kernel.described && kernel.interface[i].read));
    }
  }

  /// Traces needed values backwards until nothing changes: a buffer's bit of a stretch is set once, so this ends.
  void spread() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = stretches.size(); i-- > 0;) {
        Stretch &stretch = stretches[i];
        for (size_t follower : stretch.next)
          for (size_t b = 0; b < count; ++b)
            if (stretches[follower].in[b]) stretch.out[b] = true;
        for (size_t b = 0; b < count; ++b) {
          const Stretch::Use &use = stretch.uses[b];
          if (stretch.in[b] || !(use.named ? use.needed : stretch.out[b])) continue;
          stretch.in[b] = changed = true;
        }
      }
    }
  }

  void findConflicts() {
    std::vector<bool> seen(count * count);
    for (const Stretch &stretch : stretches) {
      struct Span {
        size_t buffer, first, last;
      };
      std::vector<Span> spans;
      for (size_t b = 0; b < count; ++b)
        if (const Stretch::Use &use = stretch.uses[b]; use.named || stretch.in[b])
          spans.push_back({b, stretch.in[b] ? 0 : use.first, stretch.out[b] ? stretch.length : use.last});
      for (size_t i = 0; i < spans.size(); ++i)
        for (size_t j = 0; j < i; ++j) {
          const size_t pair = spans[j].buffer * count + spans[i].buffer;
          if (seen[pair] || spans[i].first > spans[j].last || spans[j].first > spans[i].last) continue;
          seen[pair] = true;
          conflicts.emplace_back(spans[j].buffer, spans[i].buffer);
        }
    }
  }

  Status entryPoint(const EntryPoint &entry, const std::string &who) {
    for (auto [a, b] : conflicts) {
      const uint64_t beginA = entry.offsets[a], endA = beginA + bufferBytes(plan.buffers[a], entry);
      const uint64_t beginB = entry.offsets[b], endB = beginB + bufferBytes(plan.buffers[b], entry);
      if (endA <= beginB || endB <= beginA) continue;
      return badField(who + " " + entryName("offsets", b, plan.buffers[b].name) + " range",
                      std::to_string(beginB) + " to " + std::to_string(endB),
                      "apart from " + entryName("offsets", a, plan.buffers[a].name) + " at " + std::to_string(beginA) +
                          " to " + std::to_string(endA) + ": both hold values at once");
    }
    return {};
  }

  const PlanTables &plan;
  const size_t count; // of buffers
  std::vector<Stretch> stretches;
  std::vector<std::pair<size_t, size_t>> conflicts;
};

} // namespace

Status verifyLiveness(const PlanTables &plan) { return LivenessVerifier(plan).run(); }

} // namespace mmc::runtime
