// One register tile of a product: accumulators as loop values of a loop over k, then the consumer on each of them.
//
// Every element has one accumulator and sees k in ascending order, whatever the height of the tile. bf16 pairs: the
// even k first, where the ISA has no dot product of pairs.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

void Lowering::emitTile(tile::DotOp dot, Value row, int rows, Value column, int vectors, int lastActive,
                        const Consumer &consume) {
  SmallVector<At> tiles;
  SmallVector<Value> columns;
  for (int v = 0; v < vectors; ++v) columns.push_back(emit.add(column, int64_t(v) * target.lanes));
  for (int r = 0; r < rows; ++r) {
    Value here = emit.add(row, r);
    for (int v = 0; v < vectors; ++v) {
      At at;
      at.coords = {here, columns[v]};
      at.lanes = target.lanes;
      at.active = v + 1 == vectors ? lastActive : target.lanes;
      at.rowLimit = dotLimit;
      tiles.push_back(at);
    }
  }
  Memo memo;
  SmallVector<Value> sums = accumulate(dot, tiles, rows, vectors, memo);
  // What was read for the initial values may not serve the consumer: rows stored meanwhile could be the same memory.
  memo.clear();
  for (auto [at, sum] : llvm::zip(tiles, sums)) memo[memoKey(dot.getResult(), at)] = sum;
  for (const At &at : tiles) consume(at, memo);
}

SmallVector<Value> Lowering::accumulate(tile::DotOp dot, ArrayRef<At> tiles, int rows, int vectors, Memo &memo) {
  SmallVector<Value> sums;
  if (tile::DotOp before = uses.fusedDotOf(dot)) {
    sums = accumulate(before, tiles, rows, vectors, memo);
  } else {
    Value zero = dot.getAcc() ? Value() : emit.zero(emit.lanesOf(builder.getF32Type(), target.lanes));
    for (const At &at : tiles) sums.push_back(dot.getAcc() ? evaluate(dot.getAcc(), at, memo) : zero);
  }
  SmallVector<Value> initial = sums;
  const DotForm &form = forms.at(dot);
  Value origin = emit.index(0), column = tiles[0].coords[1];
  SmallVector<Value> rowPointers;
  for (int r = 0; r < rows; ++r) {
    Value row = tiles[size_t(r) * vectors].coords[0];
    rowPointers.push_back(form.aTransposed ? addressOf(form.a, {origin, row}) : addressOf(form.a, {row, origin}));
  }
  Value columnPointer;
  if (auto &panels = form.b.panels) {
    Value offset =
        emit.add(emit.mul(emit.div(column, panels->n), panels->size), emit.mul(emit.rem(column, panels->n), panels->k));
    columnPointer = emit.pointerAt(form.b.base, Emitter::carried(form.b.element), offset);
  } else {
    columnPointer = addressOf(form.b, {origin, column});
  }
  auto loop = scf::ForOp::create(builder, loc, origin, form.steps, emit.index(1), sums,
                                 [](OpBuilder &, Location, Value, ValueRange) {});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    sums.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    if (form.pairs)
      stepPairs(form, rowPointers, columnPointer, loop.getInductionVar(), sums, vectors);
    else
      stepF32(form, rowPointers, columnPointer, loop.getInductionVar(), tiles[vectors - 1].active, sums, vectors);
    scf::YieldOp::create(builder, loc, sums);
  }
  sums.assign(loop.getResults().begin(), loop.getResults().end());
  if (!form.columns) return sums;
  for (auto [at, sum, start] : llvm::zip(tiles, sums, initial)) {
    Value exists = emit.laneMask(target.lanes, emit.sub(form.columns, at.coords[1]));
    sum = arith::SelectOp::create(builder, loc, exists, sum, start);
  }
  return sums;
}

/// Where vector `v` of a tile's row of B begins, in elements from vector 0, which begins at a panel's first or a later
/// vector: adjacent columns, or on in the panels that follow.
int64_t Lowering::vectorOffset(const DotForm &form, int v) const {
  int64_t column = int64_t(v) * target.lanes;
  if (!form.b.panels) return column;
  return column / form.b.panels->n * form.b.panels->size + column % form.b.panels->n * form.b.panels->k;
}

void Lowering::stepF32(const DotForm &form, ArrayRef<Value> rowPointers, Value column, Value step, int lastActive,
                       SmallVectorImpl<Value> &sums, int vectors) {
  Type f32 = builder.getF32Type(), inMemory = form.b.widened ? Type(builder.getI16Type()) : f32;
  Type vector = emit.lanesOf(inMemory, target.lanes);
  Value b = emit.pointerAt(column, inMemory, emit.mul(step, form.bStep));
  SmallVector<Value> columns;
  for (int v = 0; v < vectors; ++v) {
    Value pointer = emit.pointerAt(b, inMemory, vectorOffset(form, v));
    bool cut = v + 1 == vectors && lastActive < target.lanes && !form.b.padded && !form.b.panels;
    Value read =
        cut ? emit.maskedLoad(vector, pointer, emit.laneMask(target.lanes, lastActive)) : emit.load(vector, pointer);
    columns.push_back(form.b.widened ? widenBf16(read) : read);
  }
  Value offset = emit.mul(step, form.a.strides[form.aTransposed ? 0 : 1]);
  for (auto [r, pointer] : llvm::enumerate(rowPointers)) {
    Value a = emit.splat(emit.load(f32, emit.pointerAt(pointer, f32, offset)), target.lanes);
    for (int v = 0; v < vectors; ++v) {
      Value &sum = sums[r * vectors + v];
      sum = math::FmaOp::create(builder, loc, a, columns[v], sum);
    }
  }
}

/// The even (low) or odd (high) halves of bf16 pairs as f32.
static Value halfOf(Emitter &emit, Value pairs, bool odd) {
  Type type = pairs.getType(), f32 = emit.builder.getF32Type();
  Value bits = odd ? Value(arith::AndIOp::create(emit.builder, emit.loc, pairs,
                                                 emit.integer(type, int64_t(int32_t(0xffff0000)))))
                   : Value(arith::ShLIOp::create(emit.builder, emit.loc, pairs, emit.integer(type, 16)));
  Type wide = isa<VectorType>(type) ? Type(VectorType::get(cast<VectorType>(type).getShape(), f32)) : f32;
  return arith::BitcastOp::create(emit.builder, emit.loc, wide, bits);
}

void Lowering::stepPairs(const DotForm &form, ArrayRef<Value> rowPointers, Value column, Value step,
                         SmallVectorImpl<Value> &sums, int vectors) {
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type(), words = VectorType::get({target.lanes}, i32);
  Value b = emit.pointerAt(column, i32, emit.mul(step, form.bStep));
  auto pairsOf = [&](int v) { return emit.load(words, emit.pointerAt(b, i32, vectorOffset(form, v) / 2)); };
  if (form.nativePairs && !target.emulated) {
    Type bf16 = VectorType::get({2 * target.lanes}, builder.getBF16Type());
    auto asBf16 = [&](Value value) -> Value { return LLVM::BitcastOp::create(builder, loc, bf16, value); };
    SmallVector<Value> columns;
    for (int v = 0; v < vectors; ++v) columns.push_back(asBf16(pairsOf(v)));
    for (auto [r, pointer] : llvm::enumerate(rowPointers)) {
      Value a = asBf16(emit.splat(emit.load(i32, emit.pointerAt(pointer, i32, step)), target.lanes));
      for (int v = 0; v < vectors; ++v) {
        Value &sum = sums[r * vectors + v];
        sum = LLVM::CallIntrinsicOp::create(builder, loc, sum.getType(),
                                            builder.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                                            ValueRange{sum, a, columns[v]})
                  .getResult(0);
      }
    }
    return;
  }
  auto factorOf = [&](Value pointer, bool odd) {
    Value a = form.nativePairs
                  ? halfOf(emit, emit.load(i32, emit.pointerAt(pointer, i32, step)), odd)
                  : emit.load(f32, emit.pointerAt(pointer, f32, emit.add(emit.mul(step, 2), int64_t(odd))));
    return emit.splat(a, target.lanes);
  };
  auto multiply = [&](size_t row, int v, Value a, Value column) {
    Value &sum = sums[row * vectors + v];
    sum = math::FmaOp::create(builder, loc, a, column, sum);
  };
  size_t rows = rowPointers.size();
  if (rows <= 2) {
    // Many vectors: each is widened when it is its turn, so that few lie in registers.
    SmallVector<Value> factors;
    for (Value pointer : rowPointers)
      for (bool odd : {false, true}) factors.push_back(factorOf(pointer, odd));
    for (int v = 0; v < vectors; ++v) {
      Value words = pairsOf(v);
      for (bool odd : {false, true}) {
        Value column = halfOf(emit, words, odd);
        for (size_t r = 0; r < rows; ++r) multiply(r, v, factors[2 * r + odd], column);
      }
    }
    return;
  }
  SmallVector<Value> pairs;
  for (int v = 0; v < vectors; ++v) pairs.push_back(pairsOf(v));
  for (bool odd : {false, true}) {
    SmallVector<Value> columns;
    for (Value pair : pairs) columns.push_back(halfOf(emit, pair, odd));
    for (size_t r = 0; r < rows; ++r) {
      Value a = factorOf(rowPointers[r], odd);
      for (int v = 0; v < vectors; ++v) multiply(r, v, a, columns[v]);
    }
  }
}
