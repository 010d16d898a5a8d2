// The order of things: configuration, checkpoint headers, program, verification.
#include "lib/Import/Import.h"
#include "dialects/Model/IR/Model.h"

#include "mlir/IR/Verifier.h"

#include <cstdio>
#include <filesystem>

using namespace mmc::import;

void mmc::import::printWarning(const std::string &text) { std::fprintf(stderr, "mmc: warning: %s\n", text.c_str()); }

Expected<ImportedModel> mmc::import::importModel(mlir::MLIRContext &context, const std::string &path,
                                                 const ImportOptions &options) {
  namespace fs = std::filesystem;
  Expected<ModelConfig> config = readConfig(path);
  if (!config.ok()) return config.status();
  config->lightningNormEps = options.lightningNormEps;
  WeightTypes types;
  std::error_code error;
  if (options.checkWeights && fs::is_directory(path, error)) {
    Expected<WeightTypes> found = checkCheckpoint(path, *config);
    if (!found.ok()) return found.status();
    types = std::move(*found);
  }
  if (options.rankShapes > 1) {
    Status sliced = sliceForRank(*config, options.rankShapes);
    if (!sliced.ok()) return sliced;
  }
  ImportedModel result{buildModel(context, *config, types), *config};
  if (failed(mlir::verify(*result.module)))
    return Status(kModelInvalid, path + ": the imported program does not verify");
  for (const std::string &warning : config->warnings)
    if (options.warn) options.warn(warning);
  return result;
}
