// JoinProducts: products of the same rows become one product by their weights, one below the other, with their
// activations. A small step reads each weight once whatever it does, so what counts there is how many kernels a layer
// has and how many columns each can spread over a device. Invariant: every output channel is the same sum over the same
// k as before, and a panel of output channels belongs to one of the products.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_JOINPRODUCTS
#include "passes/Fusion/Passes.h.inc"

namespace {

/// A product that may stand beside others: its dispatch, and the one of its activation, if it has one.
struct Member {
  model::DispatchOp product, activation;
  model::LinearOp linear;
  model::WeightOp weight;

  /// What the rest of the function reads.
  Value getResult() const { return activation ? activation->getResult(0) : product->getResult(0); }
  int64_t getWidth() const { return cast<RankedTensorType>(linear->getResult(0).getType()).getDimSize(1); }
  unsigned getBits() const { return getElementTypeOrSelf(getResult()).getIntOrFloatBitWidth(); }
};

/// The dispatch of the one consumer of `value` where it is an activation: silu or sigmoid, with casts.
model::DispatchOp findActivation(Value value) {
  if (value.use_empty()) return {};
  auto consumer = (*value.user_begin())->getParentOfType<model::DispatchOp>();
  if (!consumer || !isElementwiseDispatch(consumer) || consumer->getNumResults() != 1) return {};
  if (!isUsedOnlyBy(getProducer(value), consumer) || getInputs(consumer).size() != 1) return {};
  bool isActivation = llvm::any_of(consumer.getBody().front().without_terminator(),
                                   [](Operation &op) { return isa<model::SiluOp, model::SigmoidOp>(op); });
  return isActivation ? consumer : model::DispatchOp();
}

/// The member that `dispatch` makes, if it is a dense product of rows from outside by a weight of its own.
std::optional<Member> getMember(model::DispatchOp dispatch) {
  auto linear = findOp<model::LinearOp>(dispatch);
  if (!linear || dispatch->getNumResults() != 1 || linear.getX().getParentRegion() == &dispatch.getBody()) return {};
  for (Operation &op : dispatch.getBody().front().without_terminator())
    if (&op != linear.getOperation() && !isa<arith::TruncFOp>(op)) return {};
  auto weight = linear.getWeight().getDefiningOp<model::WeightOp>();
  if (!weight || !weight.getResult().hasOneUse()) return {};
  return Member{dispatch, findActivation(dispatch->getResult(0)), linear, weight};
}

/// Whether both results meet in an elementwise op, silu(gate) * up: those are better one kernel with two products.
bool meet(const Member &a, const Member &b) {
  return llvm::any_of(a.getResult().getUsers(), [&](Operation *user) {
    auto consumer = user->getParentOfType<model::DispatchOp>();
    return consumer && isElementwiseDispatch(consumer) && getInputs(consumer).contains(b.getResult());
  });
}

/// Whether readers can widen the member's result themselves: they are dispatches all.
bool canBeNarrowed(const Member &member) {
  return llvm::all_of(member.getResult().getUsers(),
                      [](Operation *user) { return isa<model::DispatchOp>(user->getParentOp()); });
}

class Joiner {
public:
  explicit Joiner(ArrayRef<Member> members) : members(members), builder(members.front().product) {
    // What all results are stored in: the narrowest of their types.
    const Member *narrowest =
        llvm::min_element(this->members, [](const Member &a, const Member &b) { return a.getBits() < b.getBits(); });
    element = getElementTypeOrSelf(narrowest->getResult());
  }

  void run() {
    Location loc = members.front().linear.getLoc();
    SmallVector<Value> weights;
    for (Member member : members) {
      member.weight->moveBefore(members.front().product); // it needs nothing but the layer's index
      weights.push_back(member.weight);
    }
    Value weight = model::ConcatOp::create(builder, loc, weights);
    auto product = model::LinearOp::create(builder, loc, members.front().linear.getX(), weight);
    SmallVector<Operation *> ops = {product};
    bool activated = llvm::any_of(members, [](const Member &member) { return bool(member.activation); });
    activated ? activate(product, ops) : (void)round(product, ops);
    handOut(formJoined(ops)->getResult(0));
  }

private:
  RankedTensorType stored(Type type) {
    auto rows = cast<RankedTensorType>(type);
    return RankedTensorType::get(rows.getShape(), element, rows.getEncoding());
  }

  /// `value` in the element type that results are stored in.
  Value round(Value value, SmallVectorImpl<Operation *> &ops) {
    RankedTensorType type = stored(value.getType());
    if (type == value.getType()) return value;
    auto cast = arith::TruncFOp::create(builder, value.getLoc(), type, value);
    ops.push_back(cast);
    return cast;
  }

  /// Each member's part of the product through its casts and activation; then all of them side by side.
  void activate(model::LinearOp product, SmallVectorImpl<Operation *> &ops) {
    SmallVector<Value> parts;
    int64_t first = 0;
    for (Member member : members) {
      Location loc = member.linear.getLoc();
      auto part = model::SliceOp::create(builder, loc, member.linear.getType(), product, first);
      first += member.getWidth();
      ops.push_back(part);
      IRMapping values;
      values.map(member.linear.getResult(), part.getResult());
      Value result = cloneBody(member.product, values, ops);
      if (member.activation) {
        values.map(member.product->getResult(0), result);
        result = cloneBody(member.activation, values, ops);
      }
      parts.push_back(round(result, ops));
    }
    ops.push_back(model::ConcatOp::create(builder, product.getLoc(), parts));
  }

  /// Clones what the dispatch does behind its product, and gives what it yields.
  Value cloneBody(model::DispatchOp dispatch, IRMapping &values, SmallVectorImpl<Operation *> &ops) {
    for (Operation &op : dispatch.getBody().front().without_terminator())
      if (!isa<model::LinearOp>(op)) ops.push_back(builder.clone(op, values));
    return values.lookup(dispatch.getBody().front().getTerminator()->getOperand(0));
  }

  /// The dispatch of `ops`, whose last op's result is wanted.
  model::DispatchOp formJoined(ArrayRef<Operation *> ops) {
    // A result is what is used outside: for a moment, the first slice of it.
    Value whole = ops.back()->getResult(0);
    auto mark = model::SliceOp::create(builder, whole.getLoc(), whole.getType(), whole, 0);
    model::DispatchOp joined = formDispatch(ops, mark);
    mark->erase();
    return joined;
  }

  /// Gives every member's readers their channels.
  void handOut(Value whole) {
    int64_t first = 0;
    for (Member member : members) {
      Value old = member.getResult();
      Value part = model::SliceOp::create(builder, old.getLoc(), stored(old.getType()), whole, first);
      first += member.getWidth();
      replace(old, part);
    }
    for (Member member : members) {
      if (member.activation) member.activation.erase();
      member.product.erase();
    }
  }

  /// Readers of `old` read `part`, through a widening cast of their own where it is narrower.
  void replace(Value old, Value part) {
    for (OpOperand &use : llvm::make_early_inc_range(old.getUses())) {
      if (part.getType() == old.getType()) {
        use.set(part);
        continue;
      }
      OpBuilder inside(use.getOwner());
      use.set(arith::ExtFOp::create(inside, old.getLoc(), old.getType(), part));
    }
  }

  SmallVector<Member> members;
  OpBuilder builder;
  Type element;
};

/// Channels that each product begins at a multiple of: 32 bytes of bfloat16, so that rows of it are still copied 16
/// bytes at a time; with activations, which differ by panel, whole panels.
constexpr int64_t kAligned = 16;

/// Those of the products of one operand that can be joined.
SmallVector<Member> selectMembers(ArrayRef<Member> group) {
  unsigned bits = UINT_MAX;
  bool activated = false;
  for (const Member &member : group) bits = std::min(bits, member.getBits()), activated |= bool(member.activation);
  return llvm::filter_to_vector(group, [&](const Member &member) {
    bool meets = llvm::any_of(group, [&](const Member &other) {
      return other.product != member.product && (meet(member, other) || meet(other, member));
    });
    return !meets && member.getWidth() % (activated ? kProductPanel : kAligned) == 0 &&
           (member.getBits() == bits || canBeNarrowed(member));
  });
}

struct JoinProducts : impl::JoinProductsBase<JoinProducts> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) join(function);
  }

  void join(model::FuncOp function) {
    // Products of the same rows whose weights can lie one below the other, in the order of the program.
    using Key = std::tuple<Value, Type, Value>;
    llvm::MapVector<Key, SmallVector<Member>> groups;
    for (auto dispatch : function.getBody().front().getOps<model::DispatchOp>())
      if (std::optional<Member> member = getMember(dispatch))
        groups[{member->linear.getX(), getElementTypeOrSelf(member->weight.getType()), member->weight.getLayer()}]
            .push_back(*member);
    for (auto &[key, group] : groups)
      if (SmallVector<Member> members = selectMembers(group); members.size() > 1) Joiner(members).run();
  }
};

} // namespace
} // namespace mmc
