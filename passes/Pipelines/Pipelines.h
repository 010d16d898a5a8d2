// The only place that orders passes. A pipeline is a list of passes with options; every optional pass can be switched
// off by the name of its td record, and then the answer changes only by rounding.
#pragma once

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir
namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mmc {

/// What a pipeline needs to know of the plan that is being made.
struct PipelineOptions {
  std::string target = "cpu";              // cpu | cuda: how weights and keys lie in memory, and sizes of tiles
  std::string dtype = "float32";           // float32 | bfloat16
  int64_t recurrenceBlock = 64;            // tokens of a block of linear attention: 32, 64, 128 or 256
  int64_t pageTokens = 64;                 // positions of a KV page
  int64_t maxModelLen = 32768;             // tokens of the longest sequence
  int64_t queryTile = 16;                  // rows of a tile of prefilled queries
  int64_t maxStepTokens = 16384;           // tokens of the largest step
  int64_t segmentTokens = 1024;            // for CUDA: fewest tokens of a segment of linear attention
  int64_t decodePart = 512;                // for CUDA: fewest positions of a part of decode attention
  int64_t rowBlock = 0;                    // rows of a block of a product; 0: the target's own, 48 or 64
  std::vector<std::string> disabledPasses; // td record names of optional passes, for example FuseMoEDispatch
};

/// What --list-passes and the tests need to know of a pass.
struct PassInfo {
  const char *name;     // the td record
  const char *argument; // the flag
  const char *summary;
  bool optional;         // may be switched off by name
  bool bitwise;          // switching it off changes no bit of a float32 answer
  bool onlyCuda = false; // it runs for target cuda only
};

/// Every pass of the pipeline from the model description to tile programs, in its order, and the optional one that runs
/// on plans.
llvm::ArrayRef<PassInfo> getPassList();

/// Prints the list as a table or as a JSON array of {name, argument, summary, optional, bitwise}.
void printPassList(llvm::raw_ostream &out, bool json);

/// Fails with the names of the optional passes where `options` disables one that is unknown or mandatory, or has a bad
/// dtype.
mlir::LogicalResult checkPipelineOptions(const PipelineOptions &options, std::string &error);

/// Appends the passes from a model description to tile kernels and launches to a pass manager on builtin.module.
/// `options` must have passed checkPipelineOptions.
void buildModelToTilePipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Which kernels a plan's variant gets.
struct KernelFamilies {
  std::string variant = "portable";  // sm_90a has a family of its own, others share the portable one
  std::vector<std::string> portable; // names of kernels that stay portable all the same, with * for any characters
};

/// Appends the passes from tile kernels to hopper kernels to a pass manager on builtin.module: first those that write
/// the rounding points of products (after which the tile interpreter is the kernels' oracle), then the choice of
/// families and the conversion.
void buildRoundProductsPipeline(mlir::OpPassManager &manager);
void buildTileToHopperPipeline(mlir::OpPassManager &manager, const KernelFamilies &families = {});

/// Registers every pass of the project and the pipeline `mmc-model-to-tile`.
void registerAllPasses();

} // namespace mmc
