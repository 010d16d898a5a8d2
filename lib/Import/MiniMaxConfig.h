// Parts of the family's reader that have files of their own.
#pragma once

#include "lib/Import/ConfigReader.h"
#include "lib/Import/ModelConfig.h"

namespace mmc::import {

/// One place of a file that says a value, as a message names it.
template <typename Value> struct Spelling {
  std::string field;
  Value value;
};

/// Refuses spellings that disagree, naming two of them. The first one's value, or `fallback` where there is none.
template <typename Value>
Value agreed(ConfigReader &reader, const std::vector<Spelling<Value>> &spellings, Value fallback) {
  for (size_t i = 1; i < spellings.size(); ++i)
    if (spellings[i].value != spellings[0].value)
      reader.refuse(kConfigValue, spellings[i].field, "contradicts field '" + spellings[0].field + "'");
  return spellings.empty() ? fallback : spellings[0].value;
}

/// Base frequency and rotated channels of the softmax layers, from all the places where files keep them.
void readRope(ConfigReader &reader, ModelConfig &config);

} // namespace mmc::import
