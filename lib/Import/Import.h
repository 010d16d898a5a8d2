// From what a user has (a config.json, or a folder with one and perhaps weights) to a program of the model dialect.
#pragma once

#include "lib/Import/ModelConfig.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <map>
#include <string>

namespace mmc::import {

/// One line `mmc: warning: TEXT` on standard error.
void printWarning(const std::string &text);

struct ImportOptions {
  /// Of the norm behind lightning attention: 1e-6 as the original code has it; some engines use 1e-5.
  double lightningNormEps = 1e-6;
  /// Compare names, shapes and dtypes with the checkpoint where the folder has one.
  bool checkWeights = true;
  /// The shapes of one of so many ranks; the checkpoint is compared whole.
  int64_t rankShapes = 1;
  /// Called with each warning of the configuration, once the import has succeeded.
  std::function<void(const std::string &)> warn = printWarning;
};

/// The element type of each weight pattern ("model.layers.{layer}....") that a checkpoint stores differently from the
/// default.
using WeightTypes = std::map<std::string, WeightType>;

struct ImportedModel {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ModelConfig config;
};

/// Reads `path` (config.json or its folder), checks the checkpoint beside it, and builds a module with one
/// model.program. No weight data is read, but for the decay buffers of native exports. The context must have the model
/// dialect's registry. Errors name the field or the tensor.
Expected<ImportedModel> importModel(mlir::MLIRContext &context, const std::string &path,
                                    const ImportOptions &options = {});

/// The program alone: `types` overrides the element types of weights.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(mlir::MLIRContext &context, const ModelConfig &config,
                                             const WeightTypes &types = {});

/// Compares the checkpoint in `folder` with the configuration: every tensor present with its shape and a supported
/// dtype, none left over, decay buffers equal to the formula. Returns the element types found. A folder without weights
/// gives an empty map.
Expected<WeightTypes> checkCheckpoint(const std::string &folder, const ModelConfig &config);

/// The pattern of a layer list: [count, kinds...] groups, the shortest period first. For messages and for
/// `model.stack`.
struct LayerGroup {
  int64_t count = 1;
  std::vector<std::pair<int64_t, ModelConfig::Layer>> runs; ///< (repeats, kind)
};
LayerGroup groupLayers(const std::vector<ModelConfig::Layer> &layers);

} // namespace mmc::import
