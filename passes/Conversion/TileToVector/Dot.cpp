// Loops over the register tiles of a product.
//
// Rows are cut into tiles of nearly equal height, at most `maxRows`; there is a body per height. One or two rows take
// more columns at a time than full tiles, so that few rows stream whole panels. Columns are the outer loop of full
// tiles: a slice of B stays in the second-level cache while the rows pass.
#include "passes/Conversion/TileToVector/Lowering.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

/// Calls `body` for slices of `vectors` vectors over n columns: (first column, vectors, lanes of the last vector).
static void forEachSlice(Emitter &emit, int lanes, int64_t n, int vectors,
                         const std::function<void(Value, int, int)> &body) {
  int64_t width = int64_t(vectors) * lanes, full = n / width, rest = n % width;
  emit.loop(full, [&](Value slice) { body(emit.mul(slice, width), vectors, lanes); });
  if (rest) body(emit.index(full * width), int((rest + lanes - 1) / lanes), int(rest % lanes ? rest % lanes : lanes));
}

/// A body per number of rows from `least` to `most`.
static void switchRows(Emitter &emit, Value rows, int least, int most, const std::function<void(int)> &body) {
  if (auto constant = Emitter::constantOf(rows)) {
    if (*constant >= least && *constant <= most) body(int(*constant));
    return;
  }
  SmallVector<int64_t> cases;
  for (int r = least; r <= most; ++r) cases.push_back(r);
  auto op = scf::IndexSwitchOp::create(emit.builder, emit.loc, TypeRange{}, rows, cases, unsigned(cases.size()));
  OpBuilder::InsertionGuard guard(emit.builder);
  auto fill = [&](Region &region, int r) {
    Block *block = emit.builder.createBlock(&region);
    emit.builder.setInsertionPointToStart(block);
    if (r) body(r);
    scf::YieldOp::create(emit.builder, emit.loc);
  };
  for (auto [i, region] : llvm::enumerate(op.getCaseRegions())) fill(region, int(cases[i]));
  fill(op.getDefaultRegion(), 0);
}

void Lowering::emitDot(tile::DotOp dot, const Consumer &consume) {
  // The products that are fused as initial values, innermost first.
  for (tile::DotOp link = dot; link; link = uses.fusedDotOf(link)) {
    forms[link] = formOf(link);
    if (failed) return;
  }
  const DotForm &form = forms[dot];
  Value limit = uses.rowsRead(dot.getResult());
  dotLimit = limit ? scalars.lookupOrNull(limit) : Value();
  Value rows = clampedRows(dotLimit, form.m);
  int64_t n = form.n;
  int most = int(std::min<int64_t>(target.maxRows, form.m));
  // Heights up to `small` are a single tile that takes more columns.
  int small = 0;
  for (int r = 1; r <= most && target.vectorsPerRow(r) > target.vectorsPerRow(target.maxRows); ++r) small = r;
  auto few = [&] {
    switchRows(emit, rows, 1, small, [&](int r) {
      forEachSlice(emit, target.lanes, n, target.vectorsPerRow(r), [&](Value column, int vectors, int lastActive) {
        emitTile(dot, emit.index(0), r, column, vectors, lastActive, consume);
      });
    });
  };
  // The lowest tile of more rows than that: of one row more than a full tile, cut in two.
  int least = std::min(small + 1, (target.maxRows + 1) / 2);
  auto many = [&] {
    forEachSlice(emit, target.lanes, n, target.vectorsPerRow(target.maxRows),
                 [&](Value column, int vectors, int lastActive) {
                   emitRows(dot, rows, form.m, column, vectors, lastActive, least, consume);
                 });
  };
  auto constant = Emitter::constantOf(rows);
  if (small == 0 || (constant && *constant > small)) return many();
  if (form.m <= small) return few();
  emit.when(emit.lessEqual(rows, emit.index(small)), few, many);
}

void Lowering::emitRows(tile::DotOp dot, Value rows, int64_t mostRows, Value column, int vectors, int lastActive,
                        int atLeast, const Consumer &consume) {
  int most = int(std::min<int64_t>(target.maxRows, mostRows));
  if (auto constant = Emitter::constantOf(rows)) {
    int64_t tiles = (*constant + target.maxRows - 1) / target.maxRows;
    if (tiles == 0) return;
    int64_t height = *constant / tiles, higher = *constant % tiles;
    emit.loop(higher, [&](Value t) {
      emitTile(dot, emit.mul(t, height + 1), int(height + 1), column, vectors, lastActive, consume);
    });
    emit.loop(tiles - higher, [&](Value t) {
      Value row = emit.add(emit.mul(t, height), higher * (height + 1));
      emitTile(dot, row, int(height), column, vectors, lastActive, consume);
    });
    return;
  }
  Value tiles = emit.div(emit.add(rows, target.maxRows - 1), target.maxRows);
  emit.loop(tiles, [&](Value t) {
    Value first = emit.div(emit.mul(rows, t), tiles), next = emit.div(emit.mul(rows, emit.add(t, 1)), tiles);
    switchRows(emit, emit.sub(next, first), atLeast, most,
               [&](int r) { emitTile(dot, first, r, column, vectors, lastActive, consume); });
  });
}
