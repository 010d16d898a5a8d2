// Internal to the tile interpreter: a kernel as a tree of closures over numbered values.
//
// Every SSA value has a slot whose storage is allocated once per run, so an op allocates nothing per element or per
// loop trip. Floats live in `f`, integers and indices in `i` (sign-extended; i1 is 0 or 1); a scalar is a tile of one
// element.
#pragma once

#include "dialects/Tile/IR/Tile.h"
#include "lib/Interpreter/TileInterpreter.h"
#include "runtime/src/Layout.h"

#include <functional>

namespace mmc::interpreter {

struct Slot {
  std::vector<double> f;
  std::vector<int64_t> i;
};

/// A pointer of an argument, and the memory that it may reach: bytes [low, high) relative to `base` (everything,
/// without a memory map).
struct Pointer {
  std::byte *base = nullptr;
  int64_t low = INT64_MIN;
  int64_t high = INT64_MAX;
};

/// An argument as bound for one run: a view's memory or a work list's records, and a paged view's table.
struct Binding {
  Pointer memory;
  Pointer table;
};

struct Frame {
  std::vector<Slot> slots;
  std::vector<Binding> bindings;
};

/// Executes one op; false after an error was emitted.
using Action = std::function<bool(Frame &)>;
using Actions = std::vector<Action>;

inline bool runAll(const Actions &actions, Frame &frame) {
  for (const Action &action : actions)
    if (!action(frame)) return false;
  return true;
}

struct TileProgram {
  tile::KernelOp kernel;
  /// Slots as a run starts: sized, constants filled in.
  std::vector<Slot> initial;
  /// Slots of the entry block's arguments: kernel arguments, then points.
  std::vector<unsigned> entrySlots;
  Actions actions;
};

/// Rounds to the nearest bfloat16, ties to even; NaN stays NaN.
double roundToBF16(double value);

/// Translates ops to actions. The compile function of a group of ops returns false where the op is not of its group.
class TileCompiler {
public:
  TileCompiler(TileProgram &program, TilePrecision precision) : program(program), precision(precision) {}

  /// Appends the actions of every op of `block` but its terminator.
  mlir::LogicalResult compileBlock(mlir::Block &block, Actions &actions);

  /// The slot of `value`, created at its first use.
  unsigned slot(mlir::Value value);

private:
  mlir::LogicalResult compileOp(mlir::Operation *op, Actions &actions);
  bool compileArith(mlir::Operation *op, Actions &actions);
  bool compileIntegers(mlir::Operation *op, Actions &actions);
  bool compileCasts(mlir::Operation *op, Actions &actions);
  bool compileMath(mlir::Operation *op, Actions &actions);
  bool compileMemory(mlir::Operation *op, Actions &actions);
  bool compileCompute(mlir::Operation *op, Actions &actions);
  bool compileConstant(mlir::arith::ConstantOp op);
  mlir::LogicalResult compileFor(mlir::scf::ForOp op, Actions &actions);
  mlir::LogicalResult compileIf(mlir::scf::IfOp op, Actions &actions);
  mlir::LogicalResult compileWhile(mlir::scf::WhileOp op, Actions &actions);

  /// Appends what makes the float results of `op` representable in their type, and wraps integers to their width.
  void finishResults(mlir::Operation *op, Actions &actions);

  std::vector<unsigned> slots(mlir::ValueRange values);

  /// Elementwise helpers: result[e] = fn(operands[e]...), for float or integer slots.
  template <typename Fn> void floatUnary(mlir::Operation *op, Actions &actions, Fn fn) {
    actions.push_back([a = slot(op->getOperand(0)), r = slot(op->getResult(0)), fn](Frame &frame) {
      const std::vector<double> &x = frame.slots[a].f;
      std::vector<double> &z = frame.slots[r].f;
      for (size_t e = 0; e < z.size(); ++e) z[e] = fn(x[e]);
      return true;
    });
  }
  template <typename Fn> void floatBinary(mlir::Operation *op, Actions &actions, Fn fn) {
    actions.push_back(
        [a = slot(op->getOperand(0)), b = slot(op->getOperand(1)), r = slot(op->getResult(0)), fn](Frame &frame) {
          const std::vector<double> &x = frame.slots[a].f, &y = frame.slots[b].f;
          std::vector<double> &z = frame.slots[r].f;
          for (size_t e = 0; e < z.size(); ++e) z[e] = fn(x[e], y[e]);
          return true;
        });
  }
  template <typename Fn> void intBinary(mlir::Operation *op, Actions &actions, Fn fn) {
    actions.push_back(
        [a = slot(op->getOperand(0)), b = slot(op->getOperand(1)), r = slot(op->getResult(0)), fn](Frame &frame) {
          const std::vector<int64_t> &x = frame.slots[a].i, &y = frame.slots[b].i;
          std::vector<int64_t> &z = frame.slots[r].i;
          for (size_t e = 0; e < z.size(); ++e) z[e] = fn(x[e], y[e]);
          return true;
        });
  }

  TileProgram &program;
  TilePrecision precision;
  llvm::DenseMap<mlir::Value, unsigned> slotOf;
};

} // namespace mmc::interpreter
