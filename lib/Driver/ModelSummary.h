// Figures of a model description: of a model.mlir, or of what a checkpoint folder or config.json imports to.
#pragma once

#include "lib/Driver/Errors.h"

#include <string>

namespace mmc::driver {

struct ModelSummary {
  std::string name;
  uint64_t layers = 0;
  uint64_t parametersTotal = 0, parametersActive = 0;
};

/// Imports or parses `input`; errors are the compiler's.
Expected<ModelSummary> summarizeModel(const std::string &input);

} // namespace mmc::driver
