// Walks the functions of a program, whose bodies are tile launches by now, and writes the plan that executes them.
//
//   model.func @lightning(%x, ...) { %n = tile.launch @norm(%x, %g) ... }      plan.program @lightning { plan.launch
//   @cpu::@norm [bind x, g, n] ... }
//
// A layer's input and output are one buffer, the stream: the launch that produces the output must not read the input,
// which is true of every layer that ends in a residual of something newer than its input (verified here). @main is cut
// in two where rows are selected for logits: what depends on the selection is the head program, which the runtime
// repeats for chunks of wanted rows.
#include "passes/Conversion/TileToPlan/TileToPlan.h"

#include "dialects/Model/IR/Model.h"
#include "passes/Conversion/TileToPlan/EntryPoints.h"
#include "passes/Conversion/TileToPlan/PlanItems.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace mmc {

#define GEN_PASS_DECL_TILETOPLAN
#define GEN_PASS_DEF_TILETOPLAN
#include "passes/Conversion/TileToPlan/Passes.h.inc"

namespace {

StringRef nameOf(Value value, StringRef otherwise) {
  Location loc = value.getLoc();
  if (auto name = dyn_cast<NameLoc>(loc)) return name.getName();
  return otherwise;
}

class Converter {
public:
  Converter(model::ProgramOp program, const PlanOptions &options) : program(program), options(options) {}
  LogicalResult run();

private:
  LogicalResult makePlan();
  LogicalResult convertMain(model::FuncOp main);
  LogicalResult convertLayer(model::FuncOp func, int index);
  LogicalResult convertStack(model::StackOp stack, planir::ProgramOp into);
  LogicalResult convertLaunch(tile::LaunchOp launch, planir::ProgramOp into, int program, int position);
  LogicalResult makePools(model::StackOp stack);
  FailureOr<Placement> place(Value value, tile::ViewType view);
  FailureOr<Placement> placeResult(OpResult result, tile::LaunchOp launch, int program, int position);
  FailureOr<planir::BindingAttr> stepBinding(tile::KernelOp kernel, unsigned argument);
  bool inHead(Operation *op);
  void extend(Value value, int program, int position);
  LogicalResult checkStream(model::FuncOp func);
  planir::ProgramOp addProgram(Location loc, StringRef name);
  void moveKernels();

  model::ProgramOp program;
  const PlanOptions &options;
  planir::ModuleOp plan;
  std::unique_ptr<PlanItems> items;
  llvm::DenseMap<Value, Placement> placements;
  llvm::SmallVector<model::FuncOp> kinds;                      // layer functions in the stack's order
  llvm::DenseMap<Operation *, SmallVector<int64_t>> layersOf;  // of a layer function
  llvm::DenseMap<StringAttr, FlatSymbolRefAttr> layerPrograms; // by the function's name
  llvm::SetVector<Operation *> kernels;                        // those that are launched
  llvm::DenseSet<Operation *> headOps;
  FlatSymbolRefAttr stream;
};

LogicalResult Converter::makePlan() {
  OpBuilder builder(program);
  auto number = [&](uint64_t value) { return builder.getI64IntegerAttr(static_cast<int64_t>(value)); };
  NamedAttrList facts;
  facts.set("target", builder.getStringAttr(options.target));
  facts.set("dtype", builder.getStringAttr(options.dtype));
  facts.set("max_model_len", number(options.maxModelLen));
  facts.set("max_num_seqs", number(options.maxNumSeqs));
  facts.set("max_num_batched_tokens", number(options.maxNumBatchedTokens));
  facts.set("recurrence_block", number(options.recurrenceBlock));
  facts.set("page_tokens", number(options.pageTokens));
  facts.set("parameters_total", number(options.parametersTotal));
  facts.set("parameters_active", number(options.parametersActive));
  for (StringRef name : {"vocabulary", "stop_tokens", "embedding"})
    if (Attribute value = program->getAttr(name)) facts.set(name, value);
  plan = planir::ModuleOp::create(builder, program.getLoc(), program.getSymName(),
                                  facts.getDictionary(builder.getContext()));
  plan.getBody().emplaceBlock();
  int64_t routes = 0;
  if (auto attribute = program->getAttrOfType<IntegerAttr>("routes_per_token")) routes = attribute.getInt();
  items = std::make_unique<PlanItems>(plan, routes);
  // Found by these names later: a weight or a layer that is called so too gets another.
  for (StringRef name : {StringRef("body"), StringRef("head"), options.executable()}) items->unique(name);
  return success();
}

planir::ProgramOp Converter::addProgram(Location loc, StringRef name) {
  OpBuilder builder = OpBuilder::atBlockEnd(&plan.getBody().front());
  auto op = planir::ProgramOp::create(builder, loc, name);
  op.getBody().emplaceBlock();
  return op;
}

LogicalResult Converter::run() {
  if (failed(makePlan())) return failure();
  auto main = program.lookupSymbol<model::FuncOp>("main");
  if (!main) return program.emitOpError("has no function @main");
  if (failed(convertMain(main))) return failure();
  moveKernels();
  if (failed(addEntryPoints(plan, items->getBuffers(), options))) return failure();
  program.erase();
  return success();
}

/// What depends on the selection of output rows runs in the head program.
bool Converter::inHead(Operation *op) {
  auto isOutputs = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    auto rows = tensor ? dyn_cast_or_null<model::RowsAttr>(tensor.getEncoding()) : nullptr;
    return rows && rows.getSpace() == model::RowSpace::outputs;
  };
  return llvm::any_of(op->getResultTypes(), isOutputs) || llvm::any_of(op->getOperands(), [&](Value v) {
           return v.getDefiningOp() && headOps.contains(v.getDefiningOp());
         });
}

LogicalResult Converter::convertMain(model::FuncOp main) {
  auto stacks = llvm::to_vector(main.getOps<model::StackOp>());
  if (stacks.size() != 1) return main.emitOpError("expected exactly one model.stack to plan, got ") << stacks.size();
  model::StackOp stack = stacks.front();
  if (!stack.getX().hasOneUse()) return stack.emitOpError("expected the stack to be the only use of its input");

  Block &block = main.getBody().front();
  placements[block.getArgument(0)] = {planir::BindingKind::token_ids, {}};
  auto streamType = cast<RankedTensorType>(stack.getX().getType());
  auto made = items->buffer(stack.getLoc(), "stream", streamType, {kBody, 0, 0});
  if (failed(made)) return failure();
  stream = *made;
  placements[stack.getX()] = placements[stack.getY()] = {planir::BindingKind::buffer, stream};
  auto returned = cast<model::ReturnOp>(block.getTerminator());
  placements[returned.getOperand(0)] = {planir::BindingKind::logits, {}};

  if (failed(makePools(stack))) return failure();
  planir::ProgramOp body, head;
  SmallVector<planir::ProgramOp> layers;
  for (auto [index, kind] : llvm::enumerate(kinds))
    if (failed(convertLayer(kind, static_cast<int>(index)))) return failure();
  body = addProgram(main.getLoc(), "body");
  head = addProgram(main.getLoc(), "head");
  int position = 0, headPosition = 0;
  for (Operation &op : block) {
    if (auto launch = dyn_cast<tile::LaunchOp>(op)) {
      bool late = inHead(launch);
      if (late) headOps.insert(launch);
      if (failed(convertLaunch(launch, late ? head : body, late ? kHead : kBody, late ? headPosition++ : position++)))
        return failure();
    } else if (isa<model::StackOp>(op)) {
      extend(stack.getX(), kBody, position++);
      if (failed(convertStack(stack, body))) return failure();
    } else if (!isa<model::WeightOp, model::ConcatOp, model::RowOp, model::ReturnOp>(op)) {
      return op.emitOpError("is not at the tile level: expected launches, weights, table rows and a stack");
    }
  }
  return success();
}

LogicalResult Converter::makePools(model::StackOp stack) {
  SmallVector<FlatSymbolRefAttr> pattern = stack.expandPattern();
  unsigned state = 0;
  for (FlatSymbolRefAttr symbol : stack.getKinds()) {
    auto func = program.lookupSymbol<model::FuncOp>(symbol.getAttr());
    if (!func) return stack.emitOpError("names no function: ") << symbol;
    kinds.push_back(func);
    for (auto [layer, kind] : llvm::enumerate(pattern))
      if (kind == symbol) layersOf[func].push_back(static_cast<int64_t>(layer));
    Block &block = func.getBody().front();
    for (unsigned i = 3; i < block.getNumArguments(); ++i, ++state) {
      auto type = dyn_cast<RankedTensorType>(block.getArgument(i).getType());
      if (!type) return func.emitOpError("expected argument ") << i << " to be a state";
      bool paged = isa_and_nonnull<model::KVAttr>(type.getEncoding());
      std::string name = (func.getSymName() + "_" + nameOf(block.getArgument(i), "state")).str();
      SmallVector<int64_t> shape(type.getShape());
      if (paged) shape[0] = options.pageTokens;
      auto unit = RankedTensorType::get(shape, type.getElementType());
      auto pool = items->pool(func.getLoc(), name, paged ? planir::PoolKind::pages : planir::PoolKind::slots, unit,
                              static_cast<int64_t>(layersOf[func].size()));
      placements[block.getArgument(i)] = {planir::BindingKind::pool, pool};
    }
  }
  return success();
}

/// The stream is read and written in place, so nothing may read a layer's input from the launch on that writes its
/// output.
LogicalResult Converter::checkStream(model::FuncOp func) {
  Block &block = func.getBody().front();
  Value output = cast<model::ReturnOp>(block.getTerminator()).getOperand(0);
  Operation *writer = output.getDefiningOp();
  if (!writer) return func.emitOpError("returns its input unchanged, which the plan does not support");
  for (Operation *user : block.getArgument(0).getUsers())
    if (!user->isBeforeInBlock(writer))
      return user->emitOpError(
          "reads the layer's input when its output is being written; the plan keeps both in one buffer");
  return success();
}

LogicalResult Converter::convertLayer(model::FuncOp func, int index) {
  if (failed(checkStream(func))) return failure();
  Block &block = func.getBody().front();
  Placement streamPlace{planir::BindingKind::buffer, stream};
  placements[block.getArgument(0)] = streamPlace;
  auto returned = cast<model::ReturnOp>(block.getTerminator());
  placements[returned.getOperand(0)] = streamPlace;
  planir::ProgramOp into = addProgram(func.getLoc(), items->unique(func.getSymName()));
  layerPrograms[func.getSymNameAttr()] = FlatSymbolRefAttr::get(into.getSymNameAttr());
  int position = 0;
  for (Operation &op : block) {
    if (auto launch = dyn_cast<tile::LaunchOp>(op)) {
      if (failed(convertLaunch(launch, into, index, position++))) return failure();
    } else if (!isa<model::WeightOp, model::ConcatOp, model::RowOp, model::ReturnOp>(op)) {
      return op.emitOpError("is not at the tile level: expected launches, weights and table rows");
    }
  }
  return success();
}

LogicalResult Converter::convertStack(model::StackOp stack, planir::ProgramOp into) {
  OpBuilder builder = OpBuilder::atBlockEnd(&into.getBody().front());
  SmallVector<Attribute> programs;
  SmallVector<int64_t> pattern;
  SmallVector<FlatSymbolRefAttr> names = stack.getKinds();
  for (FlatSymbolRefAttr name : names) programs.push_back(layerPrograms.lookup(name.getAttr()));
  for (FlatSymbolRefAttr layer : stack.expandPattern()) pattern.push_back(llvm::find(names, layer) - names.begin());
  planir::StackOp::create(builder, stack.getLoc(), builder.getArrayAttr(programs),
                          builder.getDenseI64ArrayAttr(pattern));
  return success();
}

/// Keeps the buffer of `value` alive until `position`. A buffer that crosses from the body to the head lives through
/// the whole head.
void Converter::extend(Value value, int programIndex, int position) {
  auto found = placements.find(value);
  if (found == placements.end() || found->second.kind != planir::BindingKind::buffer || found->second.symbol == stream)
    return;
  Lifetime &lifetime = items->lifetime(found->second.symbol);
  if (lifetime.program == programIndex)
    lifetime.end = std::max(lifetime.end, position);
  else
    lifetime.end = kForever;
}

FailureOr<Placement> Converter::place(Value value, tile::ViewType view) {
  if (auto found = placements.find(value); found != placements.end()) return found->second;
  auto layers = [&]() -> ArrayRef<int64_t> {
    auto func = value.getDefiningOp()->getParentOfType<model::FuncOp>();
    return layersOf[func];
  };
  if (auto weight = value.getDefiningOp<model::WeightOp>()) {
    auto type = cast<RankedTensorType>(weight.getType());
    return Placement{planir::BindingKind::weight,
                     items->weight(weight.getLoc(), {weight.getName()}, {}, type, view, layers(), weight.getNextElseAttr())};
  }
  if (auto concat = value.getDefiningOp<model::ConcatOp>()) {
    SmallVector<StringRef> sources;
    SmallVector<int64_t> heights;
    for (Value input : concat.getInputs()) {
      auto weight = input.getDefiningOp<model::WeightOp>();
      if (!weight) return concat.emitOpError("expected weights to lie below each other"), failure();
      sources.push_back(weight.getName());
      heights.push_back(cast<RankedTensorType>(weight.getType()).getDimSize(0));
    }
    auto type = cast<RankedTensorType>(concat.getType());
    return Placement{planir::BindingKind::weight,
                     items->weight(concat.getLoc(), sources, heights, type, view, layers())};
  }
  if (auto row = value.getDefiningOp<model::RowOp>()) {
    auto table = program.lookupSymbol<model::TableOp>(row.getTableAttr().getAttr());
    if (!table) return row.emitOpError("names no table"), failure();
    auto type = cast<RankedTensorType>(table.getType());
    return Placement{planir::BindingKind::constant,
                     items->constant(table.getLoc(), table.getSymName(), table.getValue(), type, view)};
  }
  return emitError(value.getLoc(), "a launch reads a value that has no place in the plan"), failure();
}

FailureOr<Placement> Converter::placeResult(OpResult result, tile::LaunchOp launch, int programIndex, int position) {
  if (auto found = placements.find(result); found != placements.end()) return found->second;
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type) return launch.emitOpError("expected results to be tensors, got ") << result.getType(), failure();
  // A tensor that later launches complete in place is named by the function's return or by its own place.
  Value last = result;
  for (bool moved = true; moved;) {
    moved = false;
    for (OpOperand &use : last.getUses()) {
      auto next = dyn_cast<tile::LaunchOp>(use.getOwner());
      if (!next) continue;
      for (auto [i, tied] : llvm::enumerate(next.getTied()))
        if (tied == static_cast<int64_t>(use.getOperandNumber())) last = next.getResult(i), moved = true;
      if (moved) break;
    }
    if (auto found = placements.find(last); found != placements.end()) return placements[result] = found->second;
  }
  auto made =
      items->buffer(launch.getLoc(), nameOf(result, launch.getKernel()), type, {programIndex, position, position});
  if (failed(made)) return failure();
  return placements[result] = Placement{planir::BindingKind::buffer, *made};
}

FailureOr<planir::BindingAttr> Converter::stepBinding(tile::KernelOp kernel, unsigned argument) {
  MLIRContext *context = kernel.getContext();
  if (auto work = kernel.getArgAttrOfType<tile::WorkAttr>(argument, "tile.work"))
    return planir::BindingAttr::get(context, planir::BindingKind::work_list, items->workList(kernel.getLoc(), work), 0,
                                    false);
  if (auto step = kernel.getArgAttrOfType<tile::StepAttr>(argument, "tile.step")) {
    auto kind = planir::symbolizeBindingKind(tile::stringifyStepField(step.getField()));
    if (!kind)
      return kernel.emitOpError("argument ") << argument << " names a step field that a plan cannot bind", failure();
    return planir::BindingAttr::get(context, *kind, {}, 0, false);
  }
  return planir::BindingAttr();
}

LogicalResult Converter::convertLaunch(tile::LaunchOp launch, planir::ProgramOp into, int programIndex, int position) {
  auto kernel = program.lookupSymbol<tile::KernelOp>(launch.getKernelAttr().getAttr());
  if (!kernel) return launch.emitOpError("names no kernel: ") << launch.getKernelAttr();
  kernels.insert(kernel);
  MLIRContext *context = launch.getContext();
  for (Value operand : launch.getOperands()) extend(operand, programIndex, position);

  // The values that the kernel's unnamed arguments are bound to: operands, then results with a place of their own.
  SmallVector<Value> bound(launch.getOperands());
  for (auto [i, tied] : llvm::enumerate(launch.getTied()))
    if (tied < 0) bound.push_back(launch.getResult(i));

  SmallVector<Attribute> bindings;
  SmallVector<FlatSymbolRefAttr> lists(kernel.getNumKernelArguments());
  unsigned next = 0;
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    auto step = stepBinding(kernel, i);
    if (failed(step)) return failure();
    if (*step) {
      lists[i] = step->getSymbol();
      bindings.push_back(*step);
      continue;
    }
    auto view = dyn_cast<tile::ViewType>(type);
    if (!view || next >= bound.size()) return launch.emitOpError("does not match its kernel's argument ") << i;
    Value value = bound[next++];
    auto result = dyn_cast<OpResult>(value);
    auto place = result && result.getOwner() == launch ? placeResult(result, launch, programIndex, position)
                                                       : this->place(value, view);
    if (failed(place)) return failure();
    auto access = kernel.getArgAttrOfType<StringAttr>(i, "tile.access");
    bool written = !access || access.getValue() != "read";
    bindings.push_back(planir::BindingAttr::get(context, place->kind, place->symbol, 0, written));
    if (isa_and_nonnull<tile::PagedAttr>(view.getLayout()))
      bindings.push_back(planir::BindingAttr::get(context, planir::BindingKind::page_table, {}, 0, false));
  }
  if (next != bound.size()) return launch.emitOpError("binds ") << bound.size() << " values, its kernel takes " << next;
  for (auto [i, tied] : llvm::enumerate(launch.getTied()))
    if (tied >= 0)
      if (auto found = placements.find(launch.getOperand(tied)); found != placements.end())
        placements.insert({launch.getResult(i), found->second});

  SmallVector<Attribute> domain;
  for (auto extent : kernel.getDomain().getAsRange<tile::ExtentAttr>()) {
    auto kind = static_cast<planir::ExtentKind>(extent.getKind());
    bool work = kind == planir::ExtentKind::work;
    if (work &&
        (extent.getValue() < 0 || extent.getValue() >= static_cast<int64_t>(lists.size()) || !lists[extent.getValue()]))
      return kernel.emitOpError("domain names an argument that is no work list: ") << extent;
    domain.push_back(planir::ExtentAttr::get(context, kind, work ? 0 : extent.getValue(),
                                             work ? lists[extent.getValue()] : FlatSymbolRefAttr()));
  }
  OpBuilder builder = OpBuilder::atBlockEnd(&into.getBody().front());
  auto callee = SymbolRefAttr::get(context, options.executable(), {FlatSymbolRefAttr::get(kernel.getSymNameAttr())});
  planir::LaunchOp::create(builder, launch.getLoc(), callee, builder.getArrayAttr(bindings),
                           builder.getArrayAttr(domain), kernel.getGrain());
  return success();
}

void Converter::moveKernels() {
  OpBuilder builder = OpBuilder::atBlockEnd(&plan.getBody().front());
  auto executable = planir::ExecutableOp::create(builder, program.getLoc(), options.executable(), options.target);
  Block &block = executable.getBody().emplaceBlock();
  for (Operation *kernel : kernels) kernel->moveBefore(&block, block.end());
}

struct TileToPlan : impl::TileToPlanBase<TileToPlan> {
  using TileToPlanBase::TileToPlanBase;

  void runOnOperation() override {
    PlanOptions options;
    options.target = target;
    options.dtype = dtype;
    options.maxModelLen = maxModelLen;
    options.maxNumSeqs = maxNumSeqs;
    options.maxNumBatchedTokens = maxNumBatchedTokens;
    options.recurrenceBlock = recurrenceBlock;
    options.pageTokens = pageTokens;
    if (failed(convertTileToPlan(getOperation(), options))) signalPassFailure();
  }
};

} // namespace

void registerTileToPlanPass() { PassRegistration<TileToPlan>(); }

LogicalResult convertTileToPlan(mlir::ModuleOp module, const PlanOptions &options) {
  auto programs = llvm::to_vector(module.getOps<model::ProgramOp>());
  if (programs.size() != 1) return module.emitError("expected one model.program, got ") << programs.size();
  return Converter(programs.front(), options).run();
}

} // namespace mmc
