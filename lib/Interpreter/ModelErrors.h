// The kinds of failure of the model interpreter, E083x. Numbers are stable.
#pragma once

#include "runtime/src/Status.h"

namespace mmc::interpreter {

inline constexpr runtime::ErrorKind kNoEntry{830, runtime::StatusCode::failed, "the program needs a function @main"};
inline constexpr runtime::ErrorKind kUnknownOp{
    831, runtime::StatusCode::failed, "run the reference target on the model dialect, before conversion to tiles"};
inline constexpr runtime::ErrorKind kBadBatch{832, runtime::StatusCode::usage,
                                              "each sequence once, with at least one token"};
inline constexpr runtime::ErrorKind kBadToken{833, runtime::StatusCode::usage, "give ids of this model's tokenizer"};

inline constexpr runtime::ErrorKind kBadProgram{834, runtime::StatusCode::failed, "correct the model's text"};

} // namespace mmc::interpreter
