// The k largest of each row: k scans, each for the first element that follows the previous one in the order (value
// descending, column ascending). Values are compared as integers that order like the floats, with -0 equal to 0 and NaN
// below everything.
#include "passes/Conversion/TileToVector/Lowering.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

static Value orderKey(Emitter &emit, Value value) {
  OpBuilder &b = emit.builder;
  Location loc = emit.loc;
  Type i32 = b.getI32Type();
  Value plain = arith::AddFOp::create(b, loc, value, emit.zero(value.getType()));
  Value bits = arith::BitcastOp::create(b, loc, i32, plain);
  Value sign = arith::ShRSIOp::create(b, loc, bits, emit.integer(i32, 31));
  Value flipped =
      arith::XOrIOp::create(b, loc, bits, arith::AndIOp::create(b, loc, sign, emit.integer(i32, 0x7fffffff)));
  Value isNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, value, value);
  return arith::SelectOp::create(b, loc, isNan, emit.integer(i32, std::numeric_limits<int32_t>::min()), flipped);
}

void Lowering::lowerTopK(tile::TopKOp op) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  if (!type.getElementType().isF32()) return fail(op, "expected a tile of f32");
  auto shape = cast<ShapedType>(op.getValues().getType()).getShape();
  Type i32 = builder.getI32Type();
  Place values = allocate(shape, builder.getF32Type()), columns = allocate(shape, i32);
  Place keys = allocate({type.getDimSize(1)}, i32);
  Location at = loc;
  emit.loop(type.getDimSize(0), [&](Value row) {
    auto scalarAt = [&](Value column) {
      At here;
      here.coords = {row, column};
      Memo memo;
      return evaluate(op.getValue(), here, memo);
    };
    emit.loop(type.getDimSize(1), [&](Value c) { emit.store(orderKey(emit, scalarAt(c)), addressOf(keys, {c})); });
    // The previous choice, at first one that everything follows.
    Value lastKey = emit.integer(i32, std::numeric_limits<int32_t>::max()), lastColumn = emit.integer(i32, -1);
    auto picks = scf::ForOp::create(builder, at, emit.index(0), emit.index(shape[1]), emit.index(1),
                                    ValueRange{lastKey, lastColumn}, [](OpBuilder &, Location, Value, ValueRange) {});
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(picks.getBody());
    lastKey = picks.getRegionIterArg(0);
    lastColumn = picks.getRegionIterArg(1);
    Value none = emit.integer(i32, -1), lowest = emit.integer(i32, std::numeric_limits<int32_t>::min());
    auto scan = scf::ForOp::create(builder, at, emit.index(0), emit.index(type.getDimSize(1)), emit.index(1),
                                   ValueRange{lowest, none}, [](OpBuilder &, Location, Value, ValueRange) {});
    {
      OpBuilder::InsertionGuard inner(builder);
      builder.setInsertionPointToStart(scan.getBody());
      Value key = emit.load(i32, addressOf(keys, {scan.getInductionVar()}));
      Value column = arith::IndexCastOp::create(builder, at, i32, scan.getInductionVar());
      auto compare = [&](arith::CmpIPredicate predicate, Value a, Value b) -> Value {
        return arith::CmpIOp::create(builder, at, predicate, a, b);
      };
      // Follows the last choice, and beats the best so far (an equal one came earlier).
      Value tie = arith::AndIOp::create(builder, at, compare(arith::CmpIPredicate::eq, key, lastKey),
                                        compare(arith::CmpIPredicate::sgt, column, lastColumn));
      Value follows = arith::OrIOp::create(builder, at, compare(arith::CmpIPredicate::slt, key, lastKey), tie);
      Value better =
          arith::OrIOp::create(builder, at, compare(arith::CmpIPredicate::sgt, key, scan.getRegionIterArg(0)),
                               compare(arith::CmpIPredicate::slt, scan.getRegionIterArg(1), emit.integer(i32, 0)));
      Value take = arith::AndIOp::create(builder, at, follows, better);
      Value bestKey = arith::SelectOp::create(builder, at, take, key, scan.getRegionIterArg(0));
      Value bestColumn = arith::SelectOp::create(builder, at, take, column, scan.getRegionIterArg(1));
      scf::YieldOp::create(builder, at, ValueRange{bestKey, bestColumn});
    }
    Value chosen = scan.getResult(1), pick = picks.getInductionVar();
    emit.store(chosen, addressOf(columns, {row, pick}));
    emit.store(scalarAt(emit.toIndex(chosen)), addressOf(values, {row, pick}));
    scf::YieldOp::create(builder, at, ValueRange{scan.getResult(0), chosen});
  });
  places[op.getValues()] = values;
  places[op.getColumns()] = columns;
}
