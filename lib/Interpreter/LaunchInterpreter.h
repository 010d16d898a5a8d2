// Runs a program of tile launches on the tile interpreter: the oracle of every pass from model to tile, without any
// backend.
//
// It does what a plan and a runtime do, in the plainest way: a buffer per launch result, pools for states, page tables,
// work lists, weights laid out as the kernels' views say. Buffers start as NaN (and -1), so that a row which no launch
// wrote is seen.
#pragma once

#include "lib/Interpreter/TileInterpreter.h"

#include "llvm/ADT/StringRef.h"

#include <functional>
#include <map>
#include <string>

namespace mmc::model {
class FuncOp;
class ProgramOp;
class StackOp;
} // namespace mmc::model
namespace mmc::tile {
class LaunchOp;
} // namespace mmc::tile

namespace mmc::interpreter {

/// A step of a ragged batch: the new tokens of some sequences, packed without padding.
struct LaunchStep {
  struct Sequence {
    int64_t slot = 0;     // of the pools, below LaunchOptions::slots
    int64_t position = 0; // tokens that the sequence already has
    std::vector<int32_t> tokens;
  };
  std::vector<Sequence> sequences;
  std::vector<int32_t> outputRows; // the rows, among all the step's tokens, whose logits are wanted
};

struct LaunchOptions {
  int64_t slots = 4; // sequences that the pools hold
  TilePrecision precision = TilePrecision::float64;
  /// Elements of a checkpoint tensor, row-major, by its name with layer and expert numbers filled in.
  std::function<std::vector<double>(llvm::StringRef name, llvm::ArrayRef<int64_t> shape)> weights;
};

/// Replaces f32 by f64 everywhere in a program of launches, constants included, so that running it rounds nowhere. bf16
/// stays.
void widenToFloat64(model::ProgramOp program);

class LaunchInterpreter {
public:
  /// Prepares a program that passes mmc-verify-tile-level; the program must outlive this. States start at zero.
  static mlir::FailureOr<std::unique_ptr<LaunchInterpreter>> create(model::ProgramOp program,
                                                                    const LaunchOptions &options);
  ~LaunchInterpreter();

  /// Runs @main on one step and returns its first result, the logits [outputs, vocabulary] row-major. Emits an error
  /// and fails where a kernel reaches outside its arguments or the program is not at the tile level.
  mlir::FailureOr<std::vector<double>> run(const LaunchStep &step);

  /// Called before each launch of a run, if set.
  std::function<void(tile::LaunchOp)> onLaunch;

private:
  struct State;
  explicit LaunchInterpreter(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace mmc::interpreter
