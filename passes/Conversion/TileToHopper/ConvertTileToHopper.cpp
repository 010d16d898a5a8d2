// The pass: a hopper kernel for each tile kernel. What is decided about values is in Layouts.h, how they come about in
// Lowering.h.
#include "passes/Conversion/TileToHopper/Operand.h"
#include "passes/Conversion/TileToHopper/Passes.h"
#include "passes/Conversion/TileToHopper/SplitRoles.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace mmc::cuda {

#define GEN_PASS_DEF_CONVERTTILETOHOPPER
#include "passes/Conversion/TileToHopper/Passes.h.inc"

namespace {

/// Registers of a thread that accumulators may take, and those that other tiles may; the rest is for operands and
/// addresses.
constexpr int64_t kAccumulatorRegisters = 112, kTileRegisters = 64;

/// Accumulators that a loop holds at once: those that it carries, and one for each product that begins in its body.
int64_t accumulatorsOf(scf::ForOp loop) {
  int64_t elements = 0;
  for (Value carried : loop.getRegionIterArgs())
    if (auto tile = dyn_cast<RankedTensorType>(carried.getType())) elements += tile.getNumElements();
  loop.walk([&](tile::DotOp dot) {
    if (!dot.getAcc()) elements += cast<RankedTensorType>(dot.getType()).getNumElements();
  });
  return elements;
}

/// Threads of a block: one warp where the kernel has neither products nor large tiles, or no tiles at all; otherwise
/// four, or eight where four could not hold its tiles in registers.
int64_t threadsFor(tile::KernelOp kernel) {
  int64_t largest = 0, accumulators = 0;
  bool hasProducts = false;
  kernel.walk([&](Operation *op) {
    hasProducts |= isa<tile::DotOp>(op);
    if (auto loop = dyn_cast<scf::ForOp>(op)) accumulators = std::max(accumulators, accumulatorsOf(loop));
    for (Type type : op->getResultTypes())
      if (auto tile = dyn_cast<RankedTensorType>(type)) largest = std::max(largest, tile.getNumElements());
  });
  if (!hasProducts && largest <= 2048) return 32;
  int64_t held = hasProducts ? accumulators / kAccumulatorRegisters : largest / kTileRegisters;
  return held > 128 ? 256 : 128;
}

bool hasTiles(tile::KernelOp kernel) {
  return kernel
      .walk([](Operation *op) {
        return llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>) ? WalkResult::interrupt()
                                                                                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// What neither layouts nor addresses exist for.
LogicalResult checkKernel(tile::KernelOp kernel) {
  // convert_tile_to_hopper_c3
  for (Type type : kernel.getArgumentTypes())
    if (auto view = dyn_cast<tile::ViewType>(type); view && isa_and_nonnull<tile::PanelsAttr>(view.getLayout()))
      return kernel.emitOpError("expected strided or paged views, got ") << view;
  WalkResult walk = kernel.walk([](Operation *op) -> WalkResult {
    // convert_tile_to_hopper_c2
    for (Type type : op->getResultTypes())
      if (auto tile = dyn_cast<RankedTensorType>(type); tile && (tile.getRank() < 1 || tile.getRank() > 3))
        return op->emitOpError("expected tiles of rank 1 to 3, got ") << tile;
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// The kernel without its body.
hopper::KernelOp createKernel(tile::KernelOp kernel, OpBuilder &builder) {
  OperationState state(kernel.getLoc(), hopper::KernelOp::getOperationName());
  for (StringRef name : {StringRef("sym_name"), StringRef("function_type"), StringRef("domain"), StringRef("arg_attrs"),
                         StringRef(hopper::kFamilyAttr)})
    if (Attribute attribute = kernel->getAttr(name)) state.addAttribute(name, attribute);
  state.addAttribute("threads", builder.getI64IntegerAttr(threadsFor(kernel)));
  state.addAttribute("blocks", builder.getI64IntegerAttr(1));
  if (!hasTiles(kernel)) state.addAttribute("serial", builder.getUnitAttr());
  Block *entry = new Block;
  for (BlockArgument argument : kernel.getBody().front().getArguments())
    entry->addArgument(argument.getType(), argument.getLoc());
  state.addRegion()->push_back(entry);
  return cast<hopper::KernelOp>(builder.create(state));
}

/// Whether other warps may fill the shared tiles: in kernels of warpgroups, where rows that are gathered stand in a
/// list and are not computed.
bool mayHaveRoles(tile::KernelOp kernel) {
  bool computed =
      kernel
          .walk([](tile::GatherOp gather) { return listOf(gather) ? WalkResult::advance() : WalkResult::interrupt(); })
          .wasInterrupted();
  return !computed && kernel->hasAttr(hopper::kFamilyAttr);
}

/// What the kernel's structure of shared memory takes at most: tiles, barriers, the scratch of reductions.
int64_t sharedBytes(hopper::KernelOp kernel) {
  constexpr int64_t kScratch = 4096, kAlignment = 1024;
  int64_t bytes = kScratch + kAlignment;
  for (auto alloc : kernel.getOps<hopper::AllocOp>()) bytes += alloc.getType().getBytes();
  for (auto ring : kernel.getOps<hopper::RingOp>()) bytes += 16 * ring.getType().getStages();
  return bytes;
}

/// The kernel with roles, in its place; null, and no trace of it, where copies depend on what only those who compute
/// know, or where the stages do not fit.
FailureOr<hopper::KernelOp> convertWithRoles(tile::KernelOp kernel, OpBuilder &builder) {
  hopper::KernelOp target = createKernel(kernel, builder);
  if (failed(Lowering(kernel, target, /*roles=*/true).run())) return target.erase(), failure();
  if (succeeded(splitRoles(target)) && sharedBytes(target) <= hopper::kSharedLimit) return target;
  target.erase();
  return hopper::KernelOp();
}

LogicalResult convert(tile::KernelOp kernel) {
  if (failed(checkKernel(kernel))) return failure();
  OpBuilder builder(kernel);
  if (mayHaveRoles(kernel)) {
    FailureOr<hopper::KernelOp> target = convertWithRoles(kernel, builder);
    if (failed(target)) return failure();
    if (*target) return kernel.erase(), success();
  }
  hopper::KernelOp target = createKernel(kernel, builder);
  if (failed(Lowering(kernel, target, /*roles=*/false).run())) return target.erase(), failure();
  kernel.erase();
  return success();
}

struct ConvertTileToHopper : impl::ConvertTileToHopperBase<ConvertTileToHopper> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<tile::KernelOp> kernels;
    getOperation().walk([&](tile::KernelOp kernel) { kernels.push_back(kernel); });
    for (tile::KernelOp kernel : kernels)
      if (failed(convert(kernel))) {
        kernel.emitRemark() << "kernel " << kernel.getSymName() << " cannot be converted to hopper";
        return signalPassFailure();
      }
  }
};

} // namespace
} // namespace mmc::cuda
