// Counts a model's parameters on its description.
#include "lib/Driver/ModelSummary.h"

#include "dialects/Model/IR/Model.h"
#include "lib/Compiler/ParameterCount.h"
#include "lib/Driver/ModelModule.h"

namespace mmc::driver {

Expected<ModelSummary> summarizeModel(const std::string &input) {
  auto module = ModelModule::read(input);
  MMC_RETURN_IF_ERROR(module.status());
  model::ProgramOp program = (*module)->program();
  const ParameterCount count = countParameters(program);
  ModelSummary summary{program.getSymName().str(), 0, count.total, count.active};
  program.walk([&](model::StackOp stack) { summary.layers += stack.expandPattern().size(); });
  return summary;
}

} // namespace mmc::driver
