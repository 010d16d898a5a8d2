// Operands of products in the form that a register tile reads: A by scalars along k at any stride, B by vectors of
// adjacent columns, from weight panels or from memory whose rows are k. What does not lie so is copied once, where the
// value is defined.
#include "passes/Conversion/TileToVector/Lowering.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

namespace {
/// Forms of copied operands.
enum Form : int { formPlainF32, formColumnsOfB, formPlainBf16 };
/// Two register tiles of rows.
constexpr int64_t kWidenedRows = 12;
} // namespace

bool Lowering::takesPairs(tile::DotOp dot) {
  auto load = dot.getB().getDefiningOp<tile::LoadOp>();
  auto view = load ? cast<tile::ViewType>(load.getView().getType()) : tile::ViewType();
  return view && view.getElementType().isBF16() && isa_and_nonnull<tile::PanelsAttr>(view.getLayout());
}

bool Lowering::readsInPlace(const Place &place, tile::DotOp dot, unsigned operand) {
  bool isA = operand == 0;
  if (place.panels) return !isA && dot.getTransposeB();
  bool pairs = isA && takesPairs(dot) && target.bf16;
  if (pairs ? !place.element.isBF16() || place.strides[1] != 1 : !place.element.isF32()) return false;
  // bf16 in memory is widened as B is read where few rows of A use it; else once, by a copy.
  if (place.widened && (isA || cast<ShapedType>(dot.getResult().getType()).getDimSize(0) > kWidenedRows)) return false;
  bool transposed = isA ? dot.getTransposeA() : dot.getTransposeB();
  if (place.rows && (!isA || transposed)) return false;
  Value bound = place.bounds[0];
  if (place.bounds[1]) return false;
  auto mapped = [&](Value value) { return value ? scalars.lookupOrNull(value) : Value(); };
  if (isA) return !bound || bound == mapped(transposed ? uses.stepsOf(dot) : uses.rowsRead(dot.getResult()));
  if (transposed) return place.strides[0] == 1; // Columns beyond the bound are cleared after the sum.
  return place.strides[1] == 1 && (!bound || bound == mapped(uses.stepsOf(dot)));
}

void Lowering::prepareOperands(Value value) {
  for (OpOperand &use : value.getUses())
    if (auto dot = dyn_cast<tile::DotOp>(use.getOwner()); dot && use.getOperandNumber() < 2 && !failed)
      prepareOperand(value, dot, use.getOperandNumber());
}

void Lowering::prepareOperand(Value value, tile::DotOp dot, unsigned operand) {
  if (auto place = places.find(value); place != places.end()) {
    if (readsInPlace(place->second, dot, operand)) return;
    if (place->second.panels) return fail(dot, "expected operand b in panels with transpose_b");
  }
  bool columns = operand == 1 && dot.getTransposeB();
  bool pairs = operand == 0 && takesPairs(dot) && target.bf16;
  int form = columns ? formColumnsOfB : pairs ? formPlainBf16 : formPlainF32;
  auto key = std::pair(value.getAsOpaquePointer(), form);
  // The copy belongs to the block that defines the value, in which this is called once per value.
  if (auto known = operandPlaces.find(key); known != operandPlaces.end()) return;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  if (columns) std::swap(shape[0], shape[1]);
  Place place = allocate(shape, pairs ? Type(builder.getBF16Type()) : builder.getF32Type());
  operandPlaces[key] = place;
  if (columns) return copyTransposed(value, place);
  Value limit = uses.rowsRead(value);
  limit = limit ? scalars.lookupOrNull(limit) : Value();
  bool widen = type.getElementType().isBF16() && !pairs;
  forEachVector(type.getShape(), limit, [&](const At &at) {
    Memo memo;
    Value vector = evaluate(value, at, memo);
    storeVector(place, at, widen ? widenBf16(vector) : vector);
  });
}

Lowering::DotForm Lowering::formOf(tile::DotOp dot) {
  DotForm form;
  auto result = cast<RankedTensorType>(dot.getResult().getType());
  form.m = result.getDimSize(0);
  form.n = result.getDimSize(1);
  form.aTransposed = dot.getTransposeA();
  form.k = cast<RankedTensorType>(dot.getA().getType()).getDimSize(form.aTransposed ? 0 : 1);
  form.pairs = takesPairs(dot);
  form.nativePairs = form.pairs && target.bf16;
  auto placed = [&](Value value, int form) {
    auto copy = operandPlaces.find({value.getAsOpaquePointer(), form});
    return copy != operandPlaces.end() ? copy->second : places.lookup(value);
  };
  form.a = placed(dot.getA(), form.nativePairs ? formPlainBf16 : formPlainF32);
  auto inPlace = places.find(dot.getB());
  bool bInPlace = inPlace != places.end() && readsInPlace(inPlace->second, dot, 1);
  bool columns = dot.getTransposeB();
  form.b = bInPlace ? inPlace->second : placed(dot.getB(), columns ? formColumnsOfB : formPlainF32);
  if (form.b.panels) {
    form.bStep = form.b.panels->n;
  } else if (bInPlace && columns) {
    form.bStep = form.b.strides[1];
    form.columns = form.b.bounds[0];
    std::swap(form.b.strides[0], form.b.strides[1]); // From here on [k, column].
    form.b.bounds.assign(2, Value());
  } else {
    form.bStep = form.b.strides[0];
  }
  Value steps = uses.stepsOf(dot);
  steps = steps ? scalars.lookupOrNull(steps) : Value();
  form.steps = form.pairs ? emit.index(form.k / 2) : clampedRows(steps, form.k);
  if (!form.a.base || !form.b.base) fail(dot, "has an operand that is not supported by the CPU target");
  return form;
}
