// mmc verify: checks a plan, and a checkpoint against it, without mapping host code.
#include "lib/Driver/Command.h"
#include "mmc-c/Runtime.h"
#include "runtime/src/LoadedPlan.h"
#include "runtime/src/PlanFile.h"
#include "runtime/src/WeightLoader.h"

namespace mmc::driver {

namespace {

/// The checkpoint has every tensor that the plan names, with the plan's shape and a dtype that converts, and no other.
/// Returns how many.
Expected<size_t> checkWeights(const runtime::PlanTables &tables, const std::string &folder) {
  auto checkpoint = runtime::Checkpoint::open(folder);
  MMC_RETURN_IF_ERROR(checkpoint.status());
  return runtime::checkSources(tables, *runtime::checkpointRows(*checkpoint));
}

Status verify(const std::string &plan, const std::string &weights) {
  MMC_RETURN_IF_ERROR(takeStatus(mmc_plan_verify(plan.c_str())));
  auto image = runtime::PlanImage::open(plan);
  MMC_RETURN_IF_ERROR(image.status());
  std::string line = cat(plan, ": ok, digest ", runtime::toHex(image->digest()));
  if (!weights.empty()) {
    auto tables = runtime::verifyPlan(*image);
    MMC_RETURN_IF_ERROR(tables.status());
    auto checked = checkWeights(*tables, weights);
    MMC_RETURN_IF_ERROR(checked.status());
    line += cat(", ", *checked, " weight tensors match ", weights);
  }
  return writeOutput(line + "\n");
}

} // namespace

void addVerifyCommand(const CommandLine &line) {
  struct Flags {
    std::string plan, weights;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App *command = line.add(
      "verify", "check a plan's digests and tables, and optionally weights against it; runs no code of the plan",
      [flags] { return verify(flags->plan, flags->weights); });
  command->add_option("plan", flags->plan, "plan file")->required()->type_name("FILE.plan");
  addFlagValue(command, "--weights", flags->weights, "checkpoint whose names, shapes and dtypes are checked too")
      ->type_name("DIR");
}

} // namespace mmc::driver
