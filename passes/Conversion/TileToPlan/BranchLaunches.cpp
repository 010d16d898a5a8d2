// Lets the launches over sequences that prefill and over those that decode run at the same time.
//
//   plan.launch @cuda::@prefill [..., #plan.bind<buffer, @o, written>, #plan.bind<work_list, @prefill>] ...
//   plan.launch @cuda::@decode [..., #plan.bind<buffer, @o, written>, #plan.bind<work_list, @decode>] ...
// becomes
//   plan.launch @cuda::@prefill [...] domain [...] branch 1
//   plan.launch @cuda::@decode [...] domain [...] branch 2
//
// Invariant: two launches of different branches never touch one byte that either writes. A buffer or pool that both
// name is told apart by what their kernels touch of it: rows or slots of their own records, of lists that have no
// sequence in common. What only one of them names lies apart from the buffers of the other in every entry point. The
// runtime checks the same when it loads a plan.
#include "passes/Conversion/TileToPlan/TileToPlan.h"

#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Analysis/OwnRows.h"
#include "passes/Conversion/TileToPlan/EntryPoints.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/MapVector.h"

#include <optional>

using namespace mlir;

namespace mmc {

#define GEN_PASS_DECL_BRANCHLAUNCHES
#define GEN_PASS_DEF_BRANCHLAUNCHES
#include "passes/Conversion/TileToPlan/Passes.h.inc"

namespace {

/// What a launch does to a buffer or pool, over all of its words.
struct Use {
  bool written = false, own = true;
};

using Uses = llvm::MapVector<Attribute, Use>; // by symbol

/// A launch over the sequences of one kind.
struct Candidate {
  planir::LaunchOp launch;
  planir::WorkFilter filter;
  Uses uses;
};

class Brancher {
public:
  explicit Brancher(planir::ModuleOp plan) : plan(plan) {
    for (auto buffer : plan.getOps<planir::BufferOp>()) buffers.push_back(buffer);
  }

  void run(planir::ProgramOp program) {
    SmallVector<Candidate> neighbours;
    for (Operation &op : program.getBody().front()) {
      auto launch = dyn_cast<planir::LaunchOp>(op);
      std::optional<Candidate> next = launch ? candidate(launch) : std::nullopt;
      if (next)
        neighbours.push_back(std::move(*next));
      else
        branch(neighbours), neighbours.clear();
    }
    branch(neighbours);
  }

private:
  void branch(MutableArrayRef<Candidate> neighbours) {
    constexpr size_t kMostNeighbours = 4; // as the runtime has it
    if (neighbours.size() > kMostNeighbours) return;
    auto prefills = [](const Candidate &c) { return c.filter == planir::WorkFilter::prefill; };
    if (llvm::all_of(neighbours, prefills) || llvm::none_of(neighbours, prefills)) return;
    for (const Candidate &a : neighbours)
      for (const Candidate &b : neighbours)
        if (a.filter != b.filter && !mayRunBeside(a, b)) return;
    for (Candidate &c : neighbours) c.launch.setBranch(prefills(c) ? 1 : 2);
  }

  /// The launch, if it is over one list of sequences that prefill or decode, and writes no logits.
  std::optional<Candidate> candidate(planir::LaunchOp launch) {
    auto kernel = dyn_cast_or_null<tile::KernelOp>(SymbolTable::lookupSymbolIn(plan, launch.getKernel()));
    if (!kernel || launch.getBranch() != 0) return {};
    std::optional<planir::WorkFilter> filter;
    for (auto binding : launch.getBindings().getAsRange<planir::BindingAttr>()) {
      if (binding.getKind() == planir::BindingKind::logits) return {};
      if (binding.getKind() != planir::BindingKind::work_list) continue;
      if (filter) return {};
      filter = cast<planir::WorkListOp>(plan.lookupSymbol(binding.getSymbol().getAttr())).getFilter();
    }
    if (!filter || *filter == planir::WorkFilter::all) return {};
    return Candidate{launch, *filter, usesOf(launch, kernel)};
  }

  /// By symbol, of buffers and pools.
  Uses usesOf(planir::LaunchOp launch, tile::KernelOp kernel) {
    Uses uses;
    unsigned word = 0;
    for (unsigned i = 0; i < kernel.getNumKernelArguments(); ++i) {
      auto view = dyn_cast<tile::ViewType>(kernel.getArgumentTypes()[i]);
      auto binding = cast<planir::BindingAttr>(launch.getBindings()[word]);
      word += view && isa_and_nonnull<tile::PagedAttr>(view.getLayout()) ? 2 : 1; // and its page table
      const bool pool = binding.getKind() == planir::BindingKind::pool;
      if (!pool && binding.getKind() != planir::BindingKind::buffer) continue;
      Use &use = uses[binding.getSymbol()];
      use.written |= binding.getWritten();
      use.own &= touchedThrough(kernel, i) == (pool ? Touched::ownSlot : Touched::ownRows);
    }
    return uses;
  }

  bool mayRunBeside(const Candidate &a, const Candidate &b) {
    for (const auto &[symbol, use] : a.uses)
      for (const auto &[other, otherUse] : b.uses) {
        if (!use.written && !otherUse.written) continue;
        if (symbol == other ? !(use.own && otherUse.own) : shareBytes(symbol, other)) return false;
      }
    return true;
  }

  /// Of two buffers, in any entry point.
  bool shareBytes(Attribute a, Attribute b) {
    auto ordinal = [&](Attribute symbol) {
      return llvm::find_if(
                 buffers,
                 [&](planir::BufferOp op) { return op.getSymName() == cast<FlatSymbolRefAttr>(symbol).getValue(); }) -
             buffers.begin();
    };
    const auto i = size_t(ordinal(a)), j = size_t(ordinal(b));
    if (i == buffers.size() || j == buffers.size()) return false; // pools have memory of their own
    auto range = [&](planir::EntryOp entry, size_t buffer) {
      const auto begin = uint64_t(entry.getOffsets()[buffer]);
      return std::pair(begin, begin + bytesOf(buffers[buffer], uint64_t(entry.getTokens()),
                                              uint64_t(entry.getSequences()), uint64_t(entry.getOutputs())));
    };
    return llvm::any_of(plan.getOps<planir::EntryOp>(), [&](planir::EntryOp entry) {
      const auto [beginA, endA] = range(entry, i);
      const auto [beginB, endB] = range(entry, j);
      return beginA < endB && beginB < endA;
    });
  }

  planir::ModuleOp plan;
  SmallVector<planir::BufferOp> buffers; // in the order of an entry's offsets
};

struct BranchLaunches : impl::BranchLaunchesBase<BranchLaunches> {
  void runOnOperation() override {
    for (auto plan : getOperation().getOps<planir::ModuleOp>()) {
      Brancher brancher(plan);
      for (auto program : plan.getOps<planir::ProgramOp>()) brancher.run(program);
    }
  }
};

} // namespace

void registerBranchLaunchesPass() { PassRegistration<BranchLaunches>(); }

std::unique_ptr<mlir::Pass> createBranchLaunchesPass() { return std::make_unique<BranchLaunches>(); }

} // namespace mmc
