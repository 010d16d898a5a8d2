#include "lib/Analysis/OwnRows.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <optional>

using namespace mlir;

namespace mmc {

namespace {

/// One access of a view.
struct Access {
  Value index; // of dimension 0
  Value limit;
  int64_t rows; // of the tile that lie along dimension 0
};

Access accessOf(Value index, ArrayRef<int64_t> along, Value limit, Type tile) {
  const bool spans = !along.empty() && along.front() == 0;
  return {index, spans ? limit : Value(), spans ? cast<ShapedType>(tile).getDimSize(0) : 1};
}

/// A number that `value` is not below; counts, places and points of a kernel are not negative.
std::optional<int64_t> lowerBound(Value value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value)) return constant;
  if (auto point = value.getDefiningOp<tile::PointOp>()) return value == point.getRows() ? 1 : 0;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return isa<tile::KernelOp>(argument.getOwner()->getParentOp()) ? std::optional<int64_t>(0) : std::nullopt;
  Operation *op = value.getDefiningOp();
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivSIOp, arith::MinSIOp, arith::MaxSIOp>(op)) return {};
  const std::optional<int64_t> a = lowerBound(op->getOperand(0)), b = lowerBound(op->getOperand(1));
  const std::optional<int64_t> divisor = getConstantIntValue(op->getOperand(1));
  if (!a || (isa<arith::SubIOp>(op) ? !divisor : !b)) return {};
  if (isa<arith::AddIOp>(op)) return *a + *b;
  if (isa<arith::SubIOp>(op)) return *a - *divisor;
  if (isa<arith::MinSIOp>(op)) return std::min(*a, *b);
  if (isa<arith::MaxSIOp>(op)) return std::max(*a, *b);
  if (*a < 0 || *b < (isa<arith::DivSIOp>(op) ? 1 : 0)) return {};
  return isa<arith::MulIOp>(op) ? *a * *b : divisor ? *a / *divisor : 0;
}

/// `value` is `bound`, or the smaller of that and something else.
bool isAtMost(Value value, Value bound) {
  if (value == bound) return true;
  auto minimum = value.getDefiningOp<arith::MinSIOp>();
  return minimum && (isAtMost(minimum.getLhs(), bound) || isAtMost(minimum.getRhs(), bound));
}

/// `value` is at most `rows` less `taken`.
bool isAtMostRest(Value value, Value rows, Value taken) {
  if (auto minimum = value.getDefiningOp<arith::MinSIOp>())
    return isAtMostRest(minimum.getLhs(), rows, taken) || isAtMostRest(minimum.getRhs(), rows, taken);
  auto rest = value.getDefiningOp<arith::SubIOp>();
  return rest && isAtMost(rest.getLhs(), rows) && rest.getRhs() == taken;
}

/// `value` counts from 0 or more to below `rows`.
bool countsRows(Value value, Value rows) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
  return loop && loop.getInductionVar() == value && lowerBound(loop.getLowerBound()).value_or(-1) >= 0 &&
         isAtMost(loop.getUpperBound(), rows);
}

/// A record has at least one row, so its first one is its own.
bool isInOwnRows(const Access &access, tile::PointOp point) {
  if (access.index == point.getRow()) return access.limit ? access.limit == point.getRows() : access.rows == 1;
  auto sum = access.index.getDefiningOp<arith::AddIOp>();
  if (!sum) return false;
  const Value offset = sum.getLhs() == point.getRow() ? sum.getRhs() : sum.getLhs();
  if ((sum.getLhs() != point.getRow() && sum.getRhs() != point.getRow()) || !countsRows(offset, point.getRows()))
    return false;
  return access.limit ? isAtMostRest(access.limit, point.getRows(), offset) : access.rows == 1;
}

Touched touchedBy(const Access &access, tile::PointOp point) {
  if (isInOwnRows(access, point)) return Touched::ownRows;
  return access.index == point.getSlot() && access.rows == 1 && !access.limit ? Touched::ownSlot : Touched::anything;
}

/// The one record that a point of the kernel reads; null if there are several, or lists of several kinds.
tile::PointOp onlyPoint(tile::KernelOp kernel) {
  unsigned lists = 0;
  for (Type type : kernel.getArgumentTypes()) lists += isa<tile::RaggedType>(type);
  SmallVector<tile::PointOp> points;
  kernel.walk([&](tile::PointOp point) { points.push_back(point); });
  if (lists != 1 || points.size() != 1) return {};
  return llvm::is_contained(kernel.getPoints(), points.front().getRecord()) ? points.front() : tile::PointOp();
}

} // namespace

Touched touchedThrough(tile::KernelOp kernel, unsigned argument) {
  BlockArgument view = kernel.getBody().front().getArgument(argument);
  tile::PointOp point = onlyPoint(kernel);
  if (!point || !isa<tile::ViewType>(view.getType()) || view.use_empty()) return Touched::anything;
  std::optional<Touched> all;
  for (Operation *user : view.getUsers()) {
    Access access{{}, {}, 0};
    if (auto load = dyn_cast<tile::LoadOp>(user))
      access = accessOf(load.getIndices().front(), load.getAlong(), load.getLimit(), load.getType());
    else if (auto store = dyn_cast<tile::StoreOp>(user))
      access = accessOf(store.getIndices().front(), store.getAlong(), store.getLimit(), store.getValue().getType());
    else
      return Touched::anything;
    const Touched touched = touchedBy(access, point);
    if (touched == Touched::anything || (all && *all != touched)) return Touched::anything;
    all = touched;
  }
  return *all;
}

} // namespace mmc
