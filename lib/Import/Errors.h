// The kinds of failure of import: number, class and fallback hint. Numbers are stable.
//
//   E080x, E081x, E082x configuration files, and the match between a configuration and its checkpoint
#pragma once

#include "runtime/src/Status.h"

namespace mmc::import {

using runtime::ErrorKind;
using runtime::Expected;
using runtime::Status;
using runtime::StatusCode;

inline constexpr ErrorKind kConfigNotFound{800, StatusCode::failed,
                                           "give a folder with config.json, or the config.json itself"};
inline constexpr ErrorKind kConfigSyntax{801, StatusCode::integrity,
                                         "download the file again; it must be one JSON object with distinct keys"};
inline constexpr ErrorKind kConfigMissing{802, StatusCode::failed,
                                          "add the field; its value is in the model's published config.json"};
inline constexpr ErrorKind kConfigValue{803, StatusCode::failed, "correct the field"};
inline constexpr ErrorKind kConfigUnsupported{804, StatusCode::incompatible,
                                              "this variant of the model is not supported; see docs/Models.md"};
inline constexpr ErrorKind kUnknownModel{805, StatusCode::incompatible,
                                         "supported model types: minimax_text_01, minimax_m1, minimax"};
inline constexpr ErrorKind kConfigUnknown{806, StatusCode::incompatible,
                                          "remove the field if it has no effect on the model's answers; if it has, "
                                          "this variant of the model is not supported"};
inline constexpr ErrorKind kTensorMissing{810, StatusCode::incompatible,
                                          "give the checkpoint that belongs to this config.json"};
inline constexpr ErrorKind kTensorShape{811, StatusCode::incompatible,
                                        "give the checkpoint that belongs to this config.json"};
inline constexpr ErrorKind kTensorType{812, StatusCode::incompatible,
                                       "convert the tensor to float32, bfloat16 or float16"};
inline constexpr ErrorKind kTensorExtra{813, StatusCode::incompatible,
                                        "give the checkpoint that belongs to this config.json"};
inline constexpr ErrorKind kDecayBuffer{814, StatusCode::incompatible,
                                        "the checkpoint was exported from a model with other decay rates"};
inline constexpr ErrorKind kStackedExperts{815, StatusCode::incompatible,
                                           "save the checkpoint with one tensor per expert (experts.E.w1, .w2, .w3)"};
inline constexpr ErrorKind kRankShapes{816, StatusCode::usage, "give a number of ranks that divides the model"};
inline constexpr ErrorKind kModelInvalid{820, StatusCode::failed, "report this with the config.json"};

} // namespace mmc::import
