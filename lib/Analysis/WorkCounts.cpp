// Implements counts of work. The loops that kernels have are few, and each is recognised by its bounds: rows of the
// step, rows of a record, positions of a record, rows of an expert, a number of heads, constants.
#include "lib/Analysis/WorkCounts.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace mmc::analysis {

void Sources::add(const Sources &other) {
  axes.insert(other.axes.begin(), other.axes.end());
  loops.insert(other.loops.begin(), other.loops.end());
  loads.insert(other.loads.begin(), other.loads.end());
  constants.append(other.constants.begin(), other.constants.end());
}

static std::optional<int64_t> constantOf(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number))) return number.getSExtValue();
  return std::nullopt;
}

/// a * b, where one of them has no unit. A part's positions, over parts, are all positions.
static std::optional<Count> product(const Count &a, const Count &b) {
  if (a.unit == Unit::part && b.unit == Unit::position) return Count{b.unit, a.factor * b.factor};
  if (a.unit == Unit::position && b.unit == Unit::part) return Count{a.unit, a.factor * b.factor};
  if (a.unit != Unit::launch && b.unit != Unit::launch) return std::nullopt;
  return Count{a.unit == Unit::launch ? b.unit : a.unit, a.factor * b.factor};
}

void WorkCounts::collect(Value value, Sources &sources) const {
  // Values that were followed; a loop's values lead back to themselves.
  llvm::SetVector<Value> values;
  values.insert(value);
  for (size_t i = 0; i < values.size(); ++i) {
    Value next = values[i];
    if (std::optional<int64_t> number = constantOf(next)) {
      sources.constants.push_back(*number);
    } else if (auto argument = dyn_cast<BlockArgument>(next)) {
      auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
      if (llvm::is_contained(kernel.getPoints(), argument)) sources.axes.insert(argument);
      if (!loop) continue;
      sources.loops.insert(loop);
      values.insert(loop.getLowerBound());
      if (argument != loop.getInductionVar()) values.insert(loop.getTiedLoopInit(argument)->get());
    } else if (auto point = next.getDefiningOp<tile::PointOp>()) {
      if (next == point.getSlot())
        sources.axes.insert(next);
      else
        values.insert(point.getRecord());
    } else {
      Operation *op = next.getDefiningOp();
      if (isa<tile::LoadOp>(op)) sources.loads.insert(op);
      for (Value operand : op->getOperands())
        if (!isa<tile::ViewType, tile::RaggedType>(operand.getType())) values.insert(operand);
    }
  }
}

tile::WorkAttr WorkCounts::workOf(tile::PointOp point) const {
  return kernel.getArgAttrOfType<tile::WorkAttr>(cast<BlockArgument>(point.getList()).getArgNumber(), tile::kWorkAttr);
}

Count WorkCounts::axisCount(Value axis) const {
  if (axis.getDefiningOp()) return {Unit::sequence, 1}; // slots
  const unsigned dim = cast<BlockArgument>(axis).getArgNumber() - kernel.getNumKernelArguments();
  auto extent = cast<tile::ExtentAttr>(kernel.getDomain()[dim]);
  switch (extent.getKind()) {
  case tile::ExtentKind::fixed:
    return {Unit::launch, double(extent.getValue())};
  case tile::ExtentKind::tokens:
    return {Unit::token, 1};
  case tile::ExtentKind::outputs:
    return {Unit::output, 1};
  case tile::ExtentKind::sequences:
    return {Unit::sequence, 1};
  case tile::ExtentKind::work: {
    auto work = kernel.getArgAttrOfType<tile::WorkAttr>(unsigned(extent.getValue()), tile::kWorkAttr);
    return work && work.getTileRows() ? Count{Unit::token, 1.0 / double(work.getTileRows())} : Count{Unit::sequence, 1};
  }
  }
  return {};
}

/// Loops over the rows of a record, or over the positions of its sequence.
std::optional<WorkCounts::Trip> WorkCounts::tripOverRecord(scf::ForOp loop, double step, const Sources &within) const {
  Value upper = loop.getUpperBound();
  auto point = upper.getDefiningOp<tile::PointOp>();
  if (auto sum = upper.getDefiningOp<arith::AddIOp>()) {
    point = sum.getLhs().getDefiningOp<tile::PointOp>();
    if (!point || sum.getRhs().getDefiningOp() != point || sum.getLhs() == sum.getRhs()) return std::nullopt;
  } else if (!point || upper != point.getRows()) {
    return std::nullopt;
  }
  Trip trip;
  trip.absorbed.insert(point.getSlot());
  Sources record;
  collect(point.getRecord(), record);
  const bool perRecord = llvm::any_of(record.axes, [&](Value axis) { return within.axes.contains(axis); });
  trip.absorbed.insert(record.axes.begin(), record.axes.end());
  const double tileRows = double(workOf(point).getTileRows());
  if (upper.getDefiningOp() == point)
    trip.count = {Unit::token, 1 / step};
  else if (tileRows && perRecord)
    trip.count = {Unit::pair, 1 / (tileRows * step)};
  else
    trip.count = {Unit::position, 1 / step};
  return trip;
}

/// The point whose number of positions the value is: position + rows, or position + 1.
static tile::PointOp pointOfPositions(Value value) {
  auto sum = value.getDefiningOp<arith::AddIOp>();
  if (!sum) return {};
  auto point = sum.getLhs().getDefiningOp<tile::PointOp>();
  return point && sum.getLhs() == point.getPosition() ? point : tile::PointOp();
}

/// Positions of a sequence in parts. A part begins at its number times a length that follows from the positions, and
/// ends there or where they do; a loop by that length asks whether there is anything in it. Other loops count the
/// parts.
std::optional<WorkCounts::Trip> WorkCounts::tripOverParts(scf::ForOp loop) const {
  const std::optional<int64_t> step = constantOf(loop.getStep());
  Sources sources;
  collect(loop.getUpperBound(), sources);
  collect(loop.getLowerBound(), sources);
  if (!sources.loads.empty() || sources.axes.empty()) return std::nullopt;
  Trip trip;
  trip.absorbed = sources.axes;
  auto bound = loop.getUpperBound().getDefiningOp<arith::MinSIOp>();
  if (tile::PointOp point = bound ? pointOfPositions(bound.getLhs()) : tile::PointOp()) {
    trip.absorbed.insert(point.getSlot());
    trip.count = step ? Count{Unit::position, 1.0 / double(*step)} : Count{Unit::part, 1};
    trip.condition = !step;
    return trip;
  }
  if (!step || !constantOf(loop.getLowerBound()) || !loop.getUpperBound().getDefiningOp<arith::DivSIOp>())
    return std::nullopt;
  trip.count = {Unit::part, 1.0 / double(*step)};
  return trip;
}

std::optional<WorkCounts::Trip> WorkCounts::tripOf(scf::ForOp loop, const Sources &within) const {
  Value lower = loop.getLowerBound(), upper = loop.getUpperBound();
  const std::optional<int64_t> first = constantOf(lower), end = constantOf(upper), by = constantOf(loop.getStep());
  if (std::optional<Trip> trip = tripOverParts(loop)) return trip;
  if (!by) return std::nullopt;
  const double step = double(*by);
  if (first && end) return Trip{{Unit::launch, std::ceil(double(*end - *first) / step)}, {}};
  if (auto argument = dyn_cast<BlockArgument>(upper); argument && first) {
    if (argument.getOwner() != &kernel.getBody().front() || argument.getArgNumber() >= kernel.getNumKernelArguments())
      return std::nullopt;
    auto field = kernel.getArgAttrOfType<tile::StepAttr>(argument.getArgNumber(), tile::kStepAttr);
    if (!field) return std::nullopt;
    const Unit unit = field.getField() == tile::StepField::output_count     ? Unit::output
                      : field.getField() == tile::StepField::sequence_count ? Unit::sequence
                                                                            : Unit::token;
    return Trip{{unit, 1 / step}, {}};
  }
  if (std::optional<Trip> trip = tripOverRecord(loop, step, within)) return trip;
  Sources below, above;
  collect(lower, below);
  collect(upper, above);
  // From an axis' number to at most a constant: the heads that a group of points shares out.
  if (auto bound = upper.getDefiningOp<arith::MinSIOp>(); bound && below.loads.empty() && !below.axes.empty()) {
    std::optional<int64_t> most = constantOf(bound.getLhs());
    if (!most) most = constantOf(bound.getRhs());
    if (most) return Trip{{Unit::launch, double(*most) / step}, below.axes};
  }
  if (below.loads.empty() && above.loads.empty()) return std::nullopt;
  // Bounds that data holds: where each expert's rows begin and end; or as many as were counted.
  Trip trip{{Unit::route, 1 / step}, below.axes};
  trip.absorbsAll = below.loads.empty();
  return trip;
}

std::optional<Count> WorkCounts::of(const Sources &sources) const {
  Count count;
  llvm::SetVector<Value> absorbed;
  for (Operation *op : sources.loops) {
    const std::optional<Trip> trip = tripOf(cast<scf::ForOp>(op), sources);
    if (!trip) return std::nullopt;
    if (trip->absorbsAll) return trip->count;
    absorbed.insert(trip->absorbed.begin(), trip->absorbed.end());
    const std::optional<Count> next = product(count, trip->count);
    if (!next) return std::nullopt;
    count = *next;
  }
  for (Value axis : sources.axes) {
    if (absorbed.contains(axis)) continue;
    const std::optional<Count> next = product(count, axisCount(axis));
    if (!next) return std::nullopt;
    count = *next;
  }
  return count;
}

std::optional<Count> WorkCounts::ofOp(Operation *op) const {
  Sources sources;
  for (Value point : kernel.getPoints()) sources.axes.insert(point);
  for (Operation *at = op->getParentOp(); at != kernel; at = at->getParentOp())
    if (isa<scf::ForOp>(at)) sources.loops.insert(at);
  return of(sources);
}

void WorkCounts::addConditions(Operation *op, Sources &sources) const {
  for (Operation *at = op->getParentOp(); at != kernel; at = at->getParentOp()) {
    auto loop = dyn_cast<scf::ForOp>(at);
    const std::optional<Trip> trip = loop ? tripOf(loop, sources) : std::nullopt;
    // A slot is no point of the domain, and follows from one.
    const bool known = trip && trip->condition && llvm::all_of(trip->absorbed, [&](Value axis) {
                         return axis.getDefiningOp() || sources.axes.contains(axis);
                       });
    if (known) sources.loops.insert(loop);
  }
}

std::string WorkCounts::describe(const Sources &sources) const {
  std::string text;
  for (int64_t number : sources.constants) text += std::to_string(number) + " ";
  for (Value axis : sources.axes) text += llvm::formatv("axis {0} ", axis.getAsOpaquePointer()).str();
  for (Operation *load : sources.loads) text += llvm::formatv("data {0} ", static_cast<void *>(load)).str();
  for (Operation *op : sources.loops) {
    const std::optional<Trip> trip = tripOf(cast<scf::ForOp>(op), sources);
    if (trip) text += llvm::formatv("loop {0} {1} ", int(trip->count.unit), trip->count.factor).str();
  }
  return text;
}

} // namespace mmc::analysis
