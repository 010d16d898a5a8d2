// Implements the floors of kernels.
//
// An access happens once for each point of the domain and each turn of the loops around it; bytes that it touches
// differ only where its indices do, so for the floor only those points and turns count that an index depends on. The
// number of turns of a loop is a unit over its step, and some loops together with a point of the domain make one unit:
// the rows of each sequence, over sequences, are tokens.
#include "lib/Analysis/KernelFloor.h"
#include "lib/Analysis/WorkCounts.h"

#include "dialects/Tile/IR/Tile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <set>

using namespace mlir;

namespace mmc::analysis {

namespace {

constexpr double kRecordBytes = 16; // of a work list: slot, row, rows, position

/// One load, store or gather.
struct Access {
  Operation *op;
  Value view, rows; // rows: of a gather
  OperandRange indices;
  ArrayRef<int64_t> along;
  Type tile;
  bool limited, writes;
};

std::optional<Access> accessOf(Operation *op) {
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return Access{
        op,   load.getView(), {}, load.getIndices(), load.getAlong(), load.getResult().getType(), bool(load.getLimit()),
        false};
  if (auto gather = dyn_cast<tile::GatherOp>(op))
    return Access{op,
                  gather.getView(),
                  gather.getRows(),
                  gather.getIndices(),
                  gather.getAlong(),
                  gather.getResult().getType(),
                  bool(gather.getLimit()),
                  false};
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return Access{op,
                  store.getView(),
                  {},
                  store.getIndices(),
                  store.getAlong(),
                  store.getValue().getType(),
                  bool(store.getLimit()),
                  true};
  return std::nullopt;
}

double elementBytes(Type type) { return getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8.0; }

/// Of one tile, without what lies beyond a static dimension of the view. A limit says itself what there is.
double tileBytes(const Access &access) {
  auto view = cast<tile::ViewType>(access.view.getType());
  double bytes = elementBytes(view.getElementType());
  auto tile = dyn_cast<RankedTensorType>(access.tile);
  if (!tile) return bytes;
  for (auto [i, size] : llvm::enumerate(tile.getShape())) {
    const int64_t extent = view.getShape()[access.along[i]];
    const bool whole = ShapedType::isDynamic(extent) || (i == 0 && access.limited);
    bytes *= double(whole ? size : std::min(size, extent));
  }
  return bytes;
}

bool isStatic(tile::ViewType view) {
  return llvm::none_of(view.getShape(), [](int64_t size) { return ShapedType::isDynamic(size); });
}

double viewBytes(tile::ViewType view) {
  double bytes = elementBytes(view.getElementType());
  for (int64_t size : view.getShape()) bytes *= double(size);
  return bytes;
}

class Floor {
public:
  explicit Floor(tile::KernelOp kernel) : kernel(kernel), counts(kernel) {}

  FailureOr<KernelFloor> run(std::string *why) {
    const WalkResult walked = kernel.walk([&](Operation *op) { return visit(op) ? WalkResult::advance() : fail(op); });
    if (why) *why = reason;
    if (walked.wasInterrupted()) return failure();
    finish();
    return std::move(floor);
  }

private:
  WalkResult fail(Operation *op) {
    reason = llvm::formatv("'{0}' stands under a loop or an index whose count is not known", op->getName()).str();
    return WalkResult::interrupt();
  }

  bool visit(Operation *op) {
    if (auto dot = dyn_cast<tile::DotOp>(op)) return addDot(dot);
    if (auto point = dyn_cast<tile::PointOp>(op)) return addRecord(point);
    if (std::optional<Access> access = accessOf(op)) return addAccess(*access);
    return true;
  }

  bool addDot(tile::DotOp dot) {
    const std::optional<Count> turns = counts.ofOp(dot);
    if (!turns) return false;
    auto a = cast<RankedTensorType>(dot.getA().getType()), result = cast<RankedTensorType>(dot.getType());
    const double depth = double(a.getNumElements()) / double(result.getShape()[result.getRank() - 2]);
    floor.flops[turns->unit] += turns->factor * 2 * depth * double(result.getNumElements());
    return true;
  }

  bool addRecord(tile::PointOp point) {
    Sources record;
    counts.collect(point.getRecord(), record);
    const std::optional<Count> turns = counts.ofOp(point), records = counts.of(record);
    if (!turns || !records) return false;
    ArgumentTraffic &argument = traffic[cast<BlockArgument>(point.getList()).getArgNumber()];
    argument.read[records->unit] = records->factor * kRecordBytes;
    argument.reread[turns->unit] = turns->factor * kRecordBytes;
    return true;
  }

  bool addAccess(const Access &access) {
    const std::optional<Count> all = counts.ofOp(access.op);
    if (!all) return false;
    ArgumentTraffic &argument = traffic[cast<BlockArgument>(access.view).getArgNumber()];
    const double bytes = tileBytes(access);
    (access.writes ? argument.rewritten : argument.reread)[all->unit] += all->factor * bytes;
    std::string signature = access.writes ? "write" : "read";
    const std::optional<Count> once = countOfPlaces(access, signature);
    if (!once) return false;
    // Two loads of the same places are one.
    if (seen.insert({access.view.getAsOpaquePointer(), signature}).second)
      (access.writes ? argument.written : argument.read)[once->unit] += once->factor * bytes;
    return true;
  }

  /// How many different tiles the access touches. The signature says which, as far as that is known.
  std::optional<Count> countOfPlaces(const Access &access, std::string &signature) {
    Sources sources;
    for (Value index : access.indices) {
      Sources own;
      counts.collect(index, own);
      signature += "|" + counts.describe(own);
      sources.add(own);
    }
    signature += "|" + llvm::formatv("{0}", access.tile).str();
    if (access.rows) {
      const double rows = double(cast<RankedTensorType>(access.tile).getShape()[0]);
      return Count{Unit::row, 1 / rows};
    }
    // A table with a row for each number that data may hold.
    if (!sources.loads.empty() && isStatic(cast<tile::ViewType>(access.view.getType()))) return Count{Unit::row, 1};
    counts.addConditions(access.op, sources);
    return counts.of(sources);
  }

  void finish() {
    for (auto &[index, argument] : traffic) {
      BlockArgument value = kernel.getBody().getArgument(index);
      auto name = dyn_cast<NameLoc>(value.getLoc());
      argument.name = name ? name.getName().str() : "argument " + std::to_string(index);
      // Tiles may stand over the end of a view, or overlap.
      auto view = dyn_cast<tile::ViewType>(value.getType());
      for (Amounts *amounts : {&argument.read, &argument.written})
        if (auto launch = amounts->find(Unit::launch); view && isStatic(view) && launch != amounts->end())
          launch->second = std::min(launch->second, viewBytes(view));
      floor.arguments.push_back(std::move(argument));
    }
  }

  tile::KernelOp kernel;
  WorkCounts counts;
  KernelFloor floor;
  std::map<unsigned, ArgumentTraffic> traffic;
  std::set<std::pair<const void *, std::string>> seen;
  std::string reason;
};

void add(Amounts &sum, const Amounts &more) {
  for (auto [unit, amount] : more) sum[unit] += amount;
}

} // namespace

double total(const Amounts &amounts, const UnitCounts &counts) {
  double sum = 0;
  for (auto [unit, amount] : amounts) {
    auto found = counts.find(unit);
    sum += amount * (found != counts.end() ? found->second : unit == Unit::launch ? 1 : 0);
  }
  return sum;
}

double totalThroughL2(const KernelFloor &floor, const UnitCounts &counts) {
  double sum = 0;
  for (const ArgumentTraffic &argument : floor.arguments)
    sum += std::max(total(argument.read, counts), total(argument.reread, counts)) +
           std::max(total(argument.written, counts), total(argument.rewritten, counts));
  return sum;
}

Amounts KernelFloor::bytes() const {
  Amounts sum;
  for (const ArgumentTraffic &argument : arguments) add(sum, argument.read), add(sum, argument.written);
  return sum;
}

Amounts KernelFloor::bytesThroughL2() const {
  Amounts sum;
  for (const ArgumentTraffic &argument : arguments) add(sum, argument.reread), add(sum, argument.rewritten);
  return sum;
}

FailureOr<KernelFloor> floorOf(tile::KernelOp kernel, std::string *why) { return Floor(kernel).run(why); }

} // namespace mmc::analysis
