// Scalar expressions and types as C++ text.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"

#include <functional>
#include <string>

namespace mmc::cuda {

/// `float`, `bf16`, `s32`, ...; an index is s64.
std::string typeText(mlir::Type type);

/// A literal of the type; infinities and NaN by their bits.
std::string literalText(mlir::TypedAttr value);

/// The op's result as an expression of its operands' texts; empty where the op has none.
std::string expressionText(mlir::Operation *op, llvm::function_ref<std::string(mlir::Value)> operand);

/// The text without the parentheses around all of it, where there are any.
std::string withoutParentheses(const std::string &text);

/// A line of at most 120 columns, or several: broken behind a comma or an operator that is in the fewest parentheses,
/// the rest indented by four.
std::string wrapped(std::string text, size_t indent);

/// What a result of the op is called if nothing better is known.
llvm::StringRef resultName(mlir::Operation *op);

/// `!hopper.fragment` as the layout's type in the device library.
std::string layoutText(hopper::FragmentType type, int64_t threads);

} // namespace mmc::cuda
