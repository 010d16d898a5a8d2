// Tile kernels as the CUDA path emits them, run on the emulated device beside the tile interpreter.
//
// The interpreter executes the program that the emitted kernel was made from: after the passes that write the rounding
// points of products. Every finding of the emulation (a race, an uninitialised read, an access out of bounds, ...) is a
// test failure.
#pragma once

#include "test/Target/CPU/KernelHarness.h"

namespace mmc::test {

class EmittedModule {
public:
  /// From text, or from a file of test/Inputs/tile where `text` ends in ".mlir". Throws std::runtime_error with the
  /// diagnostics.
  explicit EmittedModule(const std::string &text);
  ~EmittedModule();

  /// Runs the interpreter and, under some seeds of the emulation's scheduler, the emitted kernel of each family on
  /// copies of `arguments`, and compares what they wrote: floats to `tolerance` of the largest absolute value of the
  /// row, integers exactly.
  void check(const std::string &kernel, const std::vector<Argument> &arguments, const interpreter::TileCounts &counts,
             double tolerance);
  /// What the emulation finds, under some seeds, in the kernel of variant sm_90a where all of `from` in its source has
  /// become `to`: what a test breaks must be seen. Empty if nothing.
  std::string findings(const std::string &kernel, const std::vector<Argument> &arguments,
                       const interpreter::TileCounts &counts, const std::string &from, const std::string &to);
  /// The printed source of a kernel; of variant sm_90a where that is another one.
  const std::string &source(const std::string &kernel, const std::string &variant = "portable") const;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace mmc::test
