// The kinds of failure of the compiler: number, class and fallback hint. Numbers are stable.
//
//   E09xx compilation
#pragma once

#include "runtime/src/Status.h"

namespace mmc::compiler {

using runtime::ErrorKind;
using runtime::StatusCode;

inline constexpr ErrorKind kModelText{900, StatusCode::failed,
                                      "correct the model description; `mmc-opt FILE` shows the same message"};
inline constexpr ErrorKind kLowering{901, StatusCode::failed,
                                     "see the message; --print-ir-after=PASS shows the program on the way"};
inline constexpr ErrorKind kOption{902, StatusCode::usage, "see `mmc compile --help`"};
inline constexpr ErrorKind kNoProgram{903, StatusCode::failed, "give a file with one model.program"};
inline constexpr ErrorKind kCodeGeneration{904, StatusCode::failed, "report this with the model description"};
inline constexpr ErrorKind kUnknownTarget{905, StatusCode::incompatible,
                                          "targets are cpu, cuda:sm_90a, cuda:sm_80, cuda-emu:portable and the like"};
inline constexpr ErrorKind kInvalidPlan{906, StatusCode::failed,
                                        "this is a defect of the compiler: report it with the model description"};

} // namespace mmc::compiler
