// The pass: a kernel's family of instructions. See Passes.td.
#include "passes/Conversion/TileToHopper/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/GlobPattern.h"

using namespace mlir;

namespace mmc::cuda {

#define GEN_PASS_DEF_CHOOSEFAMILY
#include "passes/Conversion/TileToHopper/Passes.h.inc"

namespace {

/// Rows of a product of one warpgroup.
constexpr int64_t kWarpgroupRows = 64;

bool hasLargeProduct(tile::KernelOp kernel) {
  return kernel
      .walk([](tile::DotOp dot) {
        bool large = cast<RankedTensorType>(dot.getType()).getDimSize(0) % kWarpgroupRows == 0;
        return large ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

struct ChooseFamily : impl::ChooseFamilyBase<ChooseFamily> {
  using Base::Base;

  void runOnOperation() override {
    if (variant != "sm_90a") return;
    SmallVector<llvm::GlobPattern> patterns;
    for (const std::string &text : portable) {
      auto pattern = llvm::GlobPattern::create(text);
      if (!pattern) {
        getOperation().emitError() << "expected a name with * for any characters, got " << text << ": "
                                   << llvm::toString(pattern.takeError());
        return signalPassFailure();
      }
      patterns.push_back(std::move(*pattern));
    }
    auto family = StringAttr::get(&getContext(), hopper::kWgmmaFamily);
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      bool stays = llvm::any_of(patterns, [&](auto &pattern) { return pattern.match(kernel.getSymName()); });
      if (!stays && hasLargeProduct(kernel)) kernel->setAttr(hopper::kFamilyAttr, family);
    }
  }
};

} // namespace
} // namespace mmc::cuda
