// Which operands come by tensor copies: the copy engine moves whole boxes, so it knows no limit of a load. Rows beyond
// it come as they are in memory, which is right only where nobody keeps what becomes of them.
#include "passes/Conversion/TileToHopper/Operand.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

namespace {

/// Follows the entries of a tile from a limit on, along one of its dimensions.
class Dropped {
public:
  explicit Dropped(Value limit) : limit(limit) {}

  /// Whether every op leaves them among the entries of their own number, and stores leave them out.
  bool follow(Value tile, int64_t dim) {
    if (!seen.insert({tile, dim}).second) return true;
    return llvm::all_of(tile.getUses(), [&](OpOperand &use) { return followUse(use, dim); });
  }

private:
  bool followUse(OpOperand &use, int64_t dim) {
    Operation *op = use.getOwner();
    if (auto store = dyn_cast<tile::StoreOp>(op))
      return dim == 0 && use.getOperandNumber() == 0 && store.getLimit() == limit;
    if (auto dot = dyn_cast<tile::DotOp>(op)) return followDot(dot, use.getOperandNumber(), dim);
    if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
      int64_t gone = reduce.getDim();
      return gone != dim && follow(reduce.getResult(), gone < dim ? dim - 1 : dim);
    }
    return isElementwise(op) && op->getNumResults() == 1 && follow(op->getResult(0), dim);
  }
  /// Rows of the left operand are rows of the product, columns of the right one its columns.
  bool followDot(tile::DotOp dot, unsigned operand, int64_t dim) {
    if (operand == 0) return dim == (dot.getTransposeA() ? 1 : 0) && follow(dot.getResult(), 0);
    if (operand == 1) return dim == (dot.getTransposeB() ? 0 : 1) && follow(dot.getResult(), 1);
    return follow(dot.getResult(), dim);
  }

  Value limit;
  llvm::DenseSet<std::pair<Value, int64_t>> seen;
};

bool isOnlyRead(Value view) {
  auto argument = dyn_cast<BlockArgument>(view);
  auto kernel = argument ? dyn_cast<tile::KernelOp>(argument.getOwner()->getParentOp()) : tile::KernelOp();
  auto access = kernel ? kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), tile::kAccessAttr) : StringAttr();
  return access && access.getValue() == "read";
}

} // namespace

bool Lowering::comesByTensor(const Operand &operand, SharedType tile) const {
  if (!byWarpgroups || !comesByRing(operand)) return false;
  auto load = dyn_cast<tile::LoadOp>(operand.load);
  if (!load) return false; // rows of a gather are no box
  // What a load lacks of the padded tile is zeros, and a box does not end there.
  if (cast<RankedTensorType>(operand.value.getType()).getShape() != ArrayRef(operand.shape)) return false;
  if (!isOnlyRead(load.getView()) || !fitsTensorMap(load.getView().getType(), load.getAlong(), tile)) return false;
  return !load.getLimit() || Dropped(load.getLimit()).follow(load.getResult(), 0);
}

} // namespace mmc::cuda
