// Values of model.table: what a row of a table holds, in float64 from the formula. Used by the interpreter and by
// whoever writes a plan.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Support/LLVM.h"
#include <vector>

namespace mmc::model {

/// The elements of a table in row-major order, as float64. `value` is the table's attribute and `type` its type
/// ([layers, ...]). A dense literal gives its elements; #model.lightning_rates gives the decay rate s[l, h] > 0 of
/// layer l and head h (specification 2.4), evaluated in float64. An attribute that a verified table cannot hold gives
/// an empty vector.
std::vector<double> evaluateTable(mlir::Attribute value, mlir::RankedTensorType type);

/// The decay rates of a model of `layers` layers and `heads` heads: [layers, heads], row-major, each slope(h) *
/// factor(l). `native` selects the formulas of the HF-native class instead of the original ones.
std::vector<double> evaluateLightningRates(int64_t layers, int64_t heads, bool native);

} // namespace mmc::model
