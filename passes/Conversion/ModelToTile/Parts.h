// Sharing the positions or rows of one sequence out among work points.
#pragma once

#include "passes/Conversion/ModelToTile/KernelBuilder.h"

namespace mmc {

/// Into at most `most` parts of at least `positions` positions, if the sequence is that long. Depends on its length
/// alone, so that its answer does not change with the other sequences of a step.
struct Parts {
  int64_t most = 1;
  int64_t positions = 1;
};

/// What a kernel knows of the parts of a sequence of `length` positions.
struct PartShape {
  mlir::Value span;  // positions of a part but the last, whole blocks
  mlir::Value count; // parts that are not empty

  PartShape(KernelBuilder &b, const Parts &parts, int64_t block, mlir::Value length) {
    auto divideUp = [&](mlir::Value x, mlir::Value y) -> mlir::Value {
      mlir::Value sum = mlir::arith::AddIOp::create(b, x, mlir::arith::SubIOp::create(b, y, b.index(1)));
      return mlir::arith::DivSIOp::create(b, sum, y);
    };
    mlir::Value wanted = b.minimum(b.index(parts.most), divideUp(length, b.index(parts.positions)));
    mlir::Value blocks = divideUp(divideUp(length, wanted), b.index(block));
    span = b.named(mlir::arith::MulIOp::create(b, blocks, b.index(block)), "span");
    count = b.named(divideUp(length, span), "parts");
  }
};

} // namespace mmc
