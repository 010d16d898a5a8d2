// How many parameters a model has, and how many of them a token uses, read off its description.
#pragma once

#include <cstdint>

namespace mmc {

namespace model {
class ProgramOp;
} // namespace model

struct ParameterCount {
  uint64_t total = 0;
  /// Per token: the chosen experts and everything else, without the embedding table and the projection to the
  /// vocabulary.
  uint64_t active = 0;
  /// Elements of the projection to the vocabulary.
  uint64_t head = 0;
};

/// Of a program as imported: before experts are decomposed.
ParameterCount countParameters(model::ProgramOp program);

} // namespace mmc
