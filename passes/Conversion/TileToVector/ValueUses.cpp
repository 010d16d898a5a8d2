// Which tile values need memory, which products are fused into their consumer, how many rows are read.
#include "passes/Conversion/TileToVector/ValueUses.h"

#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

/// An expression this cheap may be evaluated again rather than be kept in memory; a function of math costs more.
static constexpr int kCheapTwice = 8, kCheapRepeated = 3, kCheapEpilogue = 10;

bool mmc::cpu::isElementwise(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1 && isTile(op->getResult(0).getType());
}

static bool isLazyOp(Operation *op) {
  return isElementwise(op) || (isa<tile::BroadcastOp>(op) && isTile(op->getResult(0).getType()));
}

ValueUses::ValueUses(tile::KernelOp kernel) {
  guardLoads(kernel);
  fuseDots(kernel);
}

int ValueUses::costOf(Value value) {
  auto found = costs.find(value);
  if (found != costs.end()) return found->second;
  int cost = 1;
  if (Operation *op = value.getDefiningOp(); op && isTile(value.getType())) {
    if (isElementwise(op)) {
      bool isMath =
          op->getDialect() && op->getDialect()->getNamespace() == "math" && !isa<math::AbsFOp, math::FmaOp>(op);
      cost = isMath ? 16 : isa<arith::DivFOp>(op) ? 4 : 1;
      for (Value operand : op->getOperands())
        cost += isa_and_nonnull<arith::ConstantOp, tile::LoadOp, tile::IotaOp>(operand.getDefiningOp())
                    ? 0
                    : costOf(operand);
    } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
      cost = 0;
    }
  }
  return costs[value] = std::min(cost, 1000);
}

static bool isInDeeperLoop(Operation *user, Value value) {
  Block *block = value.getParentBlock();
  for (Operation *op = user; op && op->getBlock() != block; op = op->getParentOp())
    if (isa<LoopLikeOpInterface>(op->getParentOp())) return true;
  return false;
}

void ValueUses::addUse(Value value, OpOperand &use, Info &info) {
  Operation *user = use.getOwner();
  info.repeated |= isInDeeperLoop(user, value);
  if (isLazyOp(user)) {
    Value result = user->getResult(0);
    auto broadcast = dyn_cast<tile::BroadcastOp>(user);
    bool grows =
        broadcast && cast<ShapedType>(value.getType()).getRank() < cast<ShapedType>(result.getType()).getRank();
    Info other = infoOf(result);
    info.repeated |= grows || (other.repeated && !other.memory);
    if (other.memory)
      info.sinks.insert(user);
    else
      info.sinks.insert(other.sinks.begin(), other.sinks.end());
    return;
  }
  info.sinks.insert(user);
  Operation *definition = value.getDefiningOp();
  if (!definition || !isLazyOp(definition)) return;
  // What must lie in memory for its consumer.
  if (isa<tile::ReshapeOp, tile::TransposeOp, tile::TopKOp, tile::GatherOp, scf::YieldOp>(user)) info.memory = true;
  auto dot = dyn_cast<tile::DotOp>(user);
  bool f32 = cast<ShapedType>(value.getType()).getElementType().isF32();
  if (dot && f32 && (use.getOperandNumber() == 0 || (use.getOperandNumber() == 1 && !dot.getTransposeB())))
    info.memory = true;
}

ValueUses::Info &ValueUses::infoOf(Value value) {
  auto found = infos.find(value);
  if (found != infos.end()) return found->second;
  Info info;
  for (OpOperand &use : value.getUses()) addUse(value, use, info);
  Operation *op = value.getDefiningOp();
  if (op && isLazyOp(op)) {
    int cost = costOf(value);
    info.memory |= (info.sinks.size() > 1 && cost > kCheapTwice) || (info.repeated && cost > kCheapRepeated);
  }
  return infos[value] = std::move(info);
}

std::optional<std::pair<Operation *, unsigned>> ValueUses::carriedBy(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !(isElementwise(op) || isa<tile::DotOp>(op))) return std::nullopt;
  std::optional<std::pair<Operation *, unsigned>> carrier;
  for (OpOperand &use : value.getUses()) {
    auto yield = dyn_cast<scf::YieldOp>(use.getOwner());
    if (!yield || !isa<scf::ForOp>(yield->getParentOp()) || yield->getBlock() != value.getParentBlock()) continue;
    if (!carrier) carrier.emplace(yield->getParentOp(), use.getOperandNumber());
  }
  return carrier;
}

// ------------------------------------------------------------------------------------------------ rows and steps

Value ValueUses::zeroFrom(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) return {};
  if (auto load = dyn_cast<tile::LoadOp>(op)) return load.getLimit();
  if (auto gather = dyn_cast<tile::GatherOp>(op)) return gather.getLimit();
  if (isa<arith::ExtFOp, arith::TruncFOp>(op)) return zeroFrom(op->getOperand(0));
  if (isa<arith::MulFOp>(op))
    if (Value rows = zeroFrom(op->getOperand(0))) return rows;
  return isa<arith::MulFOp>(op) ? zeroFrom(op->getOperand(1)) : Value();
}

Value ValueUses::stepsOf(tile::DotOp dot) {
  if (!dot.getTransposeB())
    if (Value steps = zeroFrom(dot.getB())) return steps;
  return dot.getTransposeA() ? zeroFrom(dot.getA()) : Value();
}

Value ValueUses::rowsRead(Value value) {
  auto found = rows.find(value);
  if (found != rows.end()) return found->second;
  Value result;
  bool first = true;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    Value need;
    if (auto store = dyn_cast<tile::StoreOp>(user)) {
      need = store.getLimit();
    } else if (auto dot = dyn_cast<tile::DotOp>(user)) {
      if (use.getOperandNumber() == 2 || (use.getOperandNumber() == 0 && !dot.getTransposeA()))
        need = rowsRead(dot.getResult());
      else if (use.getOperandNumber() == 0 || !dot.getTransposeB())
        need = stepsOf(dot);
    } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(user)) {
      if (!broadcast.getDims().empty() && broadcast.getDims()[0] == 0) need = rowsRead(broadcast.getResult());
    } else if (auto reduce = dyn_cast<tile::ReduceOp>(user)) {
      if (reduce.getDim() > 0) need = rowsRead(reduce.getResult());
    } else if (isElementwise(user)) {
      need = rowsRead(user->getResult(0));
    }
    result = first || result == need ? need : Value();
    first = false;
    if (!result) break;
  }
  return rows[value] = result;
}

// ------------------------------------------------------------------------------------------------ fused products

/// Whether evaluating `value` where it is consumed reads `view`.
static bool readsView(Value value, Value view) {
  Operation *op = value.getDefiningOp();
  if (!op) return false;
  if (isa<tile::LoadOp, tile::GatherOp>(op)) return op->getOperand(0) == view;
  return isLazyOp(op) && llvm::any_of(op->getOperands(), [&](Value operand) { return readsView(operand, view); });
}

bool ValueUses::canFuse(tile::DotOp dot, Operation *sink) {
  if (sink->getBlock() != dot->getBlock() || fusedDots.count(sink)) return false;
  // A fused product reads its operands at the sink: no store may come between.
  for (Operation *op = dot->getNextNode(); op && op != sink; op = op->getNextNode())
    if (isa<tile::StoreOp>(op) || op->getNumRegions()) return false;
  // A store must not write what the product still reads for the store's other elements.
  Operation *last = sink;
  while (Operation *next = fused.lookup(last)) last = next;
  if (auto store = dyn_cast<tile::StoreOp>(last))
    if (readsView(dot.getA(), store.getView()) || readsView(dot.getB(), store.getView())) return false;
  if (auto next = dyn_cast<tile::DotOp>(sink)) return next.getAcc() == dot.getResult() && dot->hasOneUse();
  Value root;
  if (auto store = dyn_cast<tile::StoreOp>(sink))
    root = store.getValue();
  else if (isElementwise(sink))
    root = sink->getResult(0);
  return root && cast<ShapedType>(root.getType()).getRank() == 2 && costOf(root) <= kCheapEpilogue;
}

void ValueUses::fuseDots(tile::KernelOp kernel) {
  SmallVector<tile::DotOp> dots;
  kernel.walk([&](tile::DotOp dot) { dots.push_back(dot); });
  // The last product before a sink is the one that is fused: the others' results are then in memory.
  for (tile::DotOp dot : llvm::reverse(dots)) {
    Info &info = infoOf(dot.getResult());
    if (info.sinks.size() != 1 || info.repeated) continue;
    Operation *sink = *info.sinks.begin();
    if (!canFuse(dot, sink)) continue;
    fused[dot] = sink;
    fusedDots[sink] = dot;
  }
}

// ------------------------------------------------------------------------------------------------ loads and later
// stores

static bool samePlace(tile::LoadOp load, tile::StoreOp store) {
  if (load.getAlong() != store.getAlong()) return false;
  for (auto [a, b] : llvm::zip(load.getIndices(), store.getIndices())) {
    auto ca = getConstantIntValue(a), cb = getConstantIntValue(b);
    if (a != b && !(ca && cb && *ca == *cb)) return false;
  }
  return true;
}

/// Whether every path from `value` to the store goes through elementwise ops, or the accumulator of a product of the
/// same shape.
static bool onlyElementwiseTo(Value value, Operation *store) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (user == store) continue;
    auto dot = dyn_cast<tile::DotOp>(user);
    bool through = isElementwise(user) || (dot && use.getOperandNumber() == 2);
    if (through && !onlyElementwiseTo(user->getResult(0), store)) return false;
    if (through) continue;
    // Another consumer: fine where it stands before the store, which the caller checks.
    if (user->getBlock() != store->getBlock() || store->isBeforeInBlock(user)) return false;
  }
  return true;
}

bool ValueUses::overtaken(Operation *load, Value view, tile::StoreOp store) {
  Value value = load->getResult(0);
  Block *block = load->getBlock();
  Operation *storeHere = block->findAncestorOpInBlock(*store);
  if (storeHere && storeHere->isBeforeInBlock(load)) return false;
  if (!storeHere) return true; // The store lies in no op after the load in its block: be careful.
  if (auto plain = dyn_cast<tile::LoadOp>(load); plain && storeHere == store.getOperation() && samePlace(plain, store))
    return !onlyElementwiseTo(value, store);
  // Everything that reads the value, directly or through lazy ops, must come before the store.
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!pending.empty())
    for (Operation *user : pending.pop_back_val().getUsers()) {
      Operation *userHere = block->findAncestorOpInBlock(*user);
      if (!userHere || userHere == storeHere || storeHere->isBeforeInBlock(userHere)) return true;
      if ((isLazyOp(user) || isa<tile::DotOp>(user)) && seen.insert(user).second) pending.push_back(user->getResult(0));
    }
  return false;
}

void ValueUses::guardLoads(tile::KernelOp kernel) {
  DenseMap<Value, SmallVector<tile::StoreOp>> stores;
  kernel.walk([&](tile::StoreOp store) { stores[store.getView()].push_back(store); });
  kernel.walk([&](Operation *op) {
    if (!isa<tile::LoadOp, tile::GatherOp>(op) || !isTile(op->getResult(0).getType())) return;
    auto found = stores.find(op->getOperand(0));
    if (found == stores.end()) return;
    for (tile::StoreOp store : found->second)
      if (overtaken(op, op->getOperand(0), store)) {
        infoOf(op->getResult(0)).memory = true;
        return;
      }
  });
}
