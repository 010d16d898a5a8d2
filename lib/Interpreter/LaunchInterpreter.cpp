// How a value is bound: a buffer is shared by a result and the operand that it is tied to; a pool is one buffer per
// state argument of a layer kind, of which a layer sees its part; weights and table rows are laid out when a launch
// first binds them.
#include "lib/Interpreter/LaunchInterpreter.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Model/IR/ModelTables.h"
#include "dialects/Tile/IR/Tile.h"
#include "runtime/src/Layout.h"
#include "runtime/src/TensorNames.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/bit.h"

#include <cstring>

using namespace mlir;
using namespace mmc;
using namespace mmc::interpreter;

// ------------------------------------------------------------------------------------------------ float64 programs

void mmc::interpreter::widenToFloat64(model::ProgramOp program) {
  Type f32 = Float32Type::get(program.getContext()), f64 = Float64Type::get(program.getContext());
  AttrTypeReplacer replacer;
  replacer.addReplacement([=](Float32Type) -> std::optional<Type> { return f64; });
  replacer.addReplacement([=](FloatAttr attribute) -> std::optional<std::pair<Attribute, WalkResult>> {
    if (attribute.getType() != f32) return std::nullopt;
    return std::pair<Attribute, WalkResult>(FloatAttr::get(f64, attribute.getValueAsDouble()), WalkResult::skip());
  });
  replacer.addReplacement([=](DenseFPElementsAttr attribute) -> std::optional<std::pair<Attribute, WalkResult>> {
    if (attribute.getElementType() != f32) return std::nullopt;
    auto widen = [](const APFloat &value) { return APFloat(value.convertToDouble()).bitcastToAPInt(); };
    return std::pair<Attribute, WalkResult>(attribute.mapValues(f64, widen), WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(program, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
}

// ------------------------------------------------------------------------------------------------ memory

namespace {

int64_t bytesOf(Type element) { return element.getIntOrFloatBitWidth() / 8; }

void writeElement(std::byte *at, Type element, double value) {
  if (element.isF64()) {
    std::memcpy(at, &value, 8);
  } else if (element.isF32()) {
    float narrow = static_cast<float>(value);
    std::memcpy(at, &narrow, 4);
  } else if (element.isBF16()) {
    bool lost;
    APFloat narrow(value);
    narrow.convert(APFloat::BFloat(), APFloat::rmNearestTiesToEven, &lost);
    uint16_t bits = static_cast<uint16_t>(narrow.bitcastToAPInt().getZExtValue());
    std::memcpy(at, &bits, 2);
  } else {
    int32_t integer = static_cast<int32_t>(value);
    std::memcpy(at, &integer, 4);
  }
}

double readElement(const std::byte *at, Type element) {
  if (element.isF64()) return *reinterpret_cast<const double *>(at);
  if (element.isF32()) return *reinterpret_cast<const float *>(at);
  uint16_t bits;
  std::memcpy(&bits, at, 2);
  return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Memory that several values may share.
using Storage = std::shared_ptr<std::vector<std::byte>>;

Storage makeStorage(int64_t bytes, std::byte fill) {
  return std::make_shared<std::vector<std::byte>>(static_cast<size_t>(bytes), fill);
}

/// What a value is bound to: part of a storage.
struct Bound {
  Storage storage;
  int64_t offset = 0;
  int64_t bytes = 0;
};

/// The step's records, as kernels read them.
struct StepFields {
  std::vector<int32_t> ids, positions, slots, outputs;
  int64_t sequences = 0;
};

using Environment = llvm::DenseMap<Value, Bound>;

} // namespace

struct LaunchInterpreter::State {
  model::ProgramOp program;
  LaunchOptions options;
  LaunchInterpreter *owner = nullptr;

  std::map<std::string, TileInterpreter> kernels;
  std::map<std::string, Storage> weights; // by weight op, layer and layout
  llvm::DenseMap<Value, Storage> pools;   // by state argument of a layer function
  std::vector<int32_t> pageTable;
  int64_t tablePages = 0;

  // Of the run in progress.
  LaunchStep step;
  StepFields fields;
  llvm::DenseMap<Value, int64_t> poolLayers;

  LogicalResult prepare();
  LogicalResult makePools(model::StackOp stack);
  LogicalResult runBlock(Block &block, Environment &values, int64_t layer);
  LogicalResult runStack(model::StackOp stack, Environment &values);
  LogicalResult runLaunch(tile::LaunchOp launch, Environment &values, int64_t layer);
  FailureOr<Bound> bind(Value value, tile::ViewType view, Environment &values, int64_t layer);
  Bound bindWeight(ArrayRef<model::WeightOp> parts, tile::ViewType view, int64_t layer);
  Storage layOut(tile::ViewType view, llvm::function_ref<std::vector<double>(int64_t expert)> elements);
  FailureOr<Bound> makeResult(Operation *op, Type type);
  std::vector<int32_t> makeWorkList(tile::WorkAttr work);
  void makeFields();
};

// ------------------------------------------------------------------------------------------------ preparation

LaunchInterpreter::LaunchInterpreter(std::unique_ptr<State> state) : state(std::move(state)) {}
LaunchInterpreter::~LaunchInterpreter() = default;

FailureOr<std::unique_ptr<LaunchInterpreter>> LaunchInterpreter::create(model::ProgramOp program,
                                                                        const LaunchOptions &options) {
  auto state = std::make_unique<State>();
  state->program = program;
  state->options = options;
  if (failed(state->prepare())) return failure();
  std::unique_ptr<LaunchInterpreter> interpreter(new LaunchInterpreter(std::move(state)));
  interpreter->state->owner = interpreter.get();
  return interpreter;
}

LogicalResult LaunchInterpreter::State::prepare() {
  for (auto kernel : program.getOps<tile::KernelOp>()) {
    auto made = TileInterpreter::create(kernel, options.precision);
    if (failed(made)) return failure();
    kernels.emplace(kernel.getSymName().str(), *made);
    for (Type type : kernel.getArgumentTypes())
      if (auto view = dyn_cast<tile::ViewType>(type))
        if (auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout())) tablePages = paged.getTable();
  }
  auto main = program.lookupSymbol<model::FuncOp>("main");
  if (!main) return program.emitOpError("has no function @main");
  for (auto stack : main.getOps<model::StackOp>())
    if (failed(makePools(stack))) return failure();
  // Pages are spread backwards over the pool, so that an address that is not found through the table is wrong.
  for (int64_t i = 0; i < options.slots * tablePages; ++i)
    pageTable.push_back(static_cast<int32_t>(options.slots * tablePages - 1 - i));
  return success();
}

/// One storage per state of a kind, layer after layer: slots of a recurrent state, pages of a cache.
LogicalResult LaunchInterpreter::State::makePools(model::StackOp stack) {
  llvm::DenseMap<Attribute, int64_t> layers;
  for (FlatSymbolRefAttr kind : stack.expandPattern()) ++layers[kind];
  for (FlatSymbolRefAttr kind : stack.getKinds()) {
    auto function = program.lookupSymbol<model::FuncOp>(kind.getAttr());
    for (BlockArgument argument : llvm::drop_begin(function.getBody().front().getArguments(), 3)) {
      auto type = cast<RankedTensorType>(argument.getType());
      int64_t bytes = bytesOf(type.getElementType());
      int64_t units = options.slots;
      ArrayRef<int64_t> unit = type.getShape();
      if (model::isCache(type)) {
        unit = unit.drop_front();
        int64_t page = 0;
        program.walk([&](tile::KernelOp kernel) {
          for (Type argumentType : kernel.getArgumentTypes())
            if (auto view = dyn_cast<tile::ViewType>(argumentType))
              if (auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout())) page = paged.getPage();
        });
        units = options.slots * tablePages * page;
      }
      for (int64_t size : unit) bytes *= size;
      poolLayers[argument] = units * bytes;
      // A cache starts as NaN: nothing may be read that was not appended. A recurrent state starts at zero.
      pools[argument] =
          makeStorage(layers[kind] * units * bytes, model::isCache(type) ? std::byte(0xff) : std::byte(0));
    }
  }
  return success();
}

// ------------------------------------------------------------------------------------------------ a step

void LaunchInterpreter::State::makeFields() {
  fields = {};
  fields.sequences = static_cast<int64_t>(step.sequences.size());
  for (const LaunchStep::Sequence &sequence : step.sequences)
    for (size_t i = 0; i < sequence.tokens.size(); ++i) {
      fields.ids.push_back(sequence.tokens[i]);
      fields.positions.push_back(static_cast<int32_t>(sequence.position + static_cast<int64_t>(i)));
      fields.slots.push_back(static_cast<int32_t>(sequence.slot));
    }
  fields.outputs = step.outputRows;
}

/// Records of (slot, first row, rows, position of the first row), one per sequence or per tile of at most tile_rows
/// rows.
std::vector<int32_t> LaunchInterpreter::State::makeWorkList(tile::WorkAttr work) {
  std::vector<int32_t> records;
  int64_t row = 0;
  for (const LaunchStep::Sequence &sequence : step.sequences) {
    int64_t rows = static_cast<int64_t>(sequence.tokens.size());
    bool decode = rows == 1;
    bool listed = work.getFilter() == tile::WorkFilter::all || (work.getFilter() == tile::WorkFilter::decode) == decode;
    int64_t tile = work.getTileRows() > 0 ? work.getTileRows() : rows;
    for (int64_t first = 0; listed && first < rows; first += tile)
      for (int64_t value : {sequence.slot, row + first, std::min(tile, rows - first), sequence.position + first})
        records.push_back(static_cast<int32_t>(value));
    row += rows;
  }
  return records;
}

FailureOr<std::vector<double>> LaunchInterpreter::run(const LaunchStep &step) {
  state->step = step;
  state->makeFields();
  auto main = state->program.lookupSymbol<model::FuncOp>("main");
  Block &block = main.getBody().front();
  Environment values;
  Bound ids{makeStorage(static_cast<int64_t>(state->fields.ids.size()) * 4, std::byte(0)), 0,
            static_cast<int64_t>(state->fields.ids.size()) * 4};
  std::memcpy(ids.storage->data(), state->fields.ids.data(), ids.storage->size());
  values[block.getArgument(0)] = ids;
  if (failed(state->runBlock(block, values, 0))) return failure();
  Value logits = block.getTerminator()->getOperand(0);
  Type element = getElementTypeOrSelf(logits.getType());
  const Bound &bound = values[logits];
  std::vector<double> result;
  for (int64_t at = 0; at < bound.bytes; at += bytesOf(element))
    result.push_back(readElement(bound.storage->data() + bound.offset + at, element));
  return result;
}

LogicalResult LaunchInterpreter::State::runBlock(Block &block, Environment &values, int64_t layer) {
  for (Operation &op : block.without_terminator()) {
    LogicalResult done = success();
    if (auto launch = dyn_cast<tile::LaunchOp>(op))
      done = runLaunch(launch, values, layer);
    else if (auto stack = dyn_cast<model::StackOp>(op))
      done = runStack(stack, values);
    else if (!isa<model::WeightOp, model::ConcatOp, model::RowOp>(op))
      done = op.emitOpError("is not at the tile level");
    if (failed(done)) return failure();
  }
  return success();
}

LogicalResult LaunchInterpreter::State::runStack(model::StackOp stack, Environment &values) {
  llvm::DenseMap<Attribute, int64_t> ordinals;
  Bound x = values[stack.getX()];
  for (auto [layer, kind] : llvm::enumerate(stack.expandPattern())) {
    auto function = program.lookupSymbol<model::FuncOp>(kind.getAttr());
    Block &block = function.getBody().front();
    int64_t ordinal = ordinals[kind]++;
    Environment inner;
    inner[block.getArgument(0)] = x;
    for (BlockArgument argument : llvm::drop_begin(block.getArguments(), 3))
      inner[argument] = {pools[argument], ordinal * poolLayers[argument], poolLayers[argument]};
    if (failed(runBlock(block, inner, static_cast<int64_t>(layer)))) return failure();
    x = inner[block.getTerminator()->getOperand(0)];
    // The states that a layer returns are those it took, updated in place.
    for (auto [argument, returned] : llvm::zip_equal(llvm::drop_begin(block.getArguments(), 3),
                                                     llvm::drop_begin(block.getTerminator()->getOperands())))
      if (inner[returned].storage != inner[argument].storage || inner[returned].offset != inner[argument].offset)
        return function.emitOpError("returns a state that does not continue its argument");
  }
  values[stack.getY()] = x;
  return success();
}

// ------------------------------------------------------------------------------------------------ a launch

FailureOr<Bound> LaunchInterpreter::State::makeResult(Operation *op, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  int64_t elements = 1;
  for (int64_t size : tensor.getShape())
    if (!ShapedType::isDynamic(size)) elements *= size;
  if (auto space = model::getRowSpace(type)) {
    int64_t tokens = static_cast<int64_t>(fields.ids.size());
    auto routes = program->getAttrOfType<IntegerAttr>("routes_per_token");
    if (*space == model::RowSpace::routes && !routes)
      return op->emitOpError("makes a tensor of routes, but the program has no attribute routes_per_token"), failure();
    elements *= *space == model::RowSpace::outputs     ? static_cast<int64_t>(fields.outputs.size())
                : *space == model::RowSpace::sequences ? fields.sequences
                : *space == model::RowSpace::routes    ? tokens * routes.getInt()
                                                       : tokens;
  }
  int64_t bytes = elements * bytesOf(tensor.getElementType());
  return Bound{makeStorage(bytes, std::byte(0xff)), 0, bytes};
}

/// The elements of a weight or row as the kernel reads them.
Storage LaunchInterpreter::State::layOut(tile::ViewType view,
                                         llvm::function_ref<std::vector<double>(int64_t expert)> elements) {
  Type element = view.getElementType();
  int64_t width = bytesOf(element);
  auto panels = dyn_cast_or_null<tile::PanelsAttr>(view.getLayout());
  ArrayRef<int64_t> shape = view.getShape();
  if (!panels) { // row-major; experts may be further apart than they are long
    int64_t experts = shape.size() == 3 ? shape[0] : 1, stride = experts > 1 ? shape[1] * shape[2] : 0;
    if (auto strided = dyn_cast_or_null<tile::StridedAttr>(view.getLayout()); strided && experts > 1)
      stride = strided.getStrides()[0];
    Storage storage;
    for (int64_t expert = 0; expert < experts; ++expert) {
      std::vector<double> all = elements(shape.size() == 3 ? expert : -1);
      if (!storage)
        storage = makeStorage((stride * (experts - 1) + static_cast<int64_t>(all.size())) * width, std::byte(0));
      std::byte *to = storage->data() + expert * stride * width;
      for (size_t i = 0; i < all.size(); ++i) writeElement(to + i * width, element, all[i]);
    }
    return storage;
  }
  runtime::Layout layout{element.isBF16()  ? runtime::DType::bf16
                         : element.isF64() ? runtime::DType::f64
                                           : runtime::DType::f32,
                         runtime::LayoutKind::panels, static_cast<uint32_t>(panels.getN()),
                         static_cast<uint32_t>(panels.getK()), static_cast<uint32_t>(panels.getPad())};
  uint64_t matrix[] = {static_cast<uint64_t>(shape[shape.size() - 2]), static_cast<uint64_t>(shape.back())};
  int64_t experts = shape.size() == 3 ? shape[0] : 1,
          bytes = static_cast<int64_t>(runtime::storedBytes(layout, matrix));
  Storage storage = makeStorage(experts * bytes, std::byte(0));
  for (int64_t expert = 0; expert < experts; ++expert) {
    std::vector<double> all = elements(shape.size() == 3 ? expert : -1);
    for (uint64_t n = 0; n < matrix[0]; ++n)
      for (uint64_t k = 0; k < matrix[1]; ++k) {
        uint64_t index = runtime::panelIndex(layout, matrix[1], n, k);
        writeElement(storage->data() + expert * bytes + static_cast<int64_t>(index) * width, element,
                     all[n * matrix[1] + k]);
      }
  }
  return storage;
}

Bound LaunchInterpreter::State::bindWeight(ArrayRef<model::WeightOp> parts, tile::ViewType view, int64_t layer) {
  std::string key;
  for (model::WeightOp weight : parts) key += weight.getTensorName(layer) + " ";
  llvm::raw_string_ostream(key) << view;
  Storage &storage = weights[key];
  if (!storage)
    storage = layOut(view, [&](int64_t expert) {
      std::vector<double> all;
      for (model::WeightOp weight : parts) {
        std::string name = weight.getTensorName(layer);
        ArrayRef<int64_t> shape = cast<RankedTensorType>(weight.getType()).getShape();
        bool stacked = StringRef(name).contains(runtime::kExpertPlaceholder);
        std::vector<double> part = options.weights(runtime::withNumber(name, runtime::kExpertPlaceholder, expert),
                                                   stacked ? shape.drop_front() : shape);
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    });
  return {storage, 0, static_cast<int64_t>(storage->size())};
}

FailureOr<Bound> LaunchInterpreter::State::bind(Value value, tile::ViewType view, Environment &values, int64_t layer) {
  if (auto found = values.find(value); found != values.end()) return found->second;
  SmallVector<model::WeightOp> parts; // a weight, or several below each other
  if (auto concat = value.getDefiningOp<model::ConcatOp>())
    for (Value input : concat.getInputs()) parts.push_back(input.getDefiningOp<model::WeightOp>());
  else if (auto weight = value.getDefiningOp<model::WeightOp>())
    parts.push_back(weight);
  if (!parts.empty()) return bindWeight(parts, view, layer);
  if (auto row = value.getDefiningOp<model::RowOp>()) {
    auto table = program.lookupSymbol<model::TableOp>(row.getTableAttr().getAttr());
    auto type = cast<RankedTensorType>(table.getType());
    std::vector<double> all = model::evaluateTable(table.getValue(), type);
    int64_t width = type.getNumElements() / type.getDimSize(0);
    Storage storage = layOut(view, [&](int64_t) {
      return std::vector<double>(all.begin() + layer * width, all.begin() + (layer + 1) * width);
    });
    return Bound{storage, 0, static_cast<int64_t>(storage->size())};
  }
  return emitError(value.getLoc(), "a launch reads a value that has no memory"), failure();
}

LogicalResult LaunchInterpreter::State::runLaunch(tile::LaunchOp launch, Environment &values, int64_t layer) {
  auto kernel = program.lookupSymbol<tile::KernelOp>(launch.getKernelAttr().getAttr());
  SmallVector<Value> bound(launch.getOperands());
  for (auto [result, tied] : llvm::zip_equal(launch.getResults(), launch.getTied())) {
    if (tied >= 0) {
      values[result] = values[launch.getOperand(tied)];
      continue;
    }
    FailureOr<Bound> made = makeResult(launch, result.getType());
    if (failed(made)) return failure();
    values[result] = *made;
    bound.push_back(result);
  }

  std::vector<uint64_t> words;
  MemoryMap memory;
  std::vector<std::vector<int32_t>> lists;
  std::vector<Storage> keep;
  TileCounts counts{
      static_cast<int64_t>(fields.ids.size()), static_cast<int64_t>(fields.outputs.size()), fields.sequences, {}};
  auto addPointer = [&](const void *data, int64_t bytes) {
    words.push_back(reinterpret_cast<uint64_t>(data));
    memory.add(data, static_cast<uint64_t>(bytes));
  };
  auto addIntegers = [&](const std::vector<int32_t> &data) {
    addPointer(data.data(), static_cast<int64_t>(data.size() * 4));
  };
  unsigned next = 0;
  lists.reserve(kernel.getNumKernelArguments());
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    if (auto work = kernel.getArgAttrOfType<tile::WorkAttr>(i, tile::kWorkAttr)) {
      lists.push_back(makeWorkList(work));
      counts.work.push_back(static_cast<int64_t>(lists.back().size() / 4));
      addIntegers(lists.back());
    } else if (auto field = kernel.getArgAttrOfType<tile::StepAttr>(i, tile::kStepAttr)) {
      switch (field.getField()) {
      case tile::StepField::row_positions:
        addIntegers(fields.positions);
        break;
      case tile::StepField::row_slots:
        addIntegers(fields.slots);
        break;
      case tile::StepField::output_rows:
        addIntegers(fields.outputs);
        break;
      case tile::StepField::token_count:
        words.push_back(static_cast<uint64_t>(counts.tokens));
        break;
      case tile::StepField::output_count:
        words.push_back(static_cast<uint64_t>(counts.outputs));
        break;
      case tile::StepField::sequence_count:
        words.push_back(static_cast<uint64_t>(counts.sequences));
        break;
      }
    } else {
      auto view = cast<tile::ViewType>(type);
      FailureOr<Bound> memoryOf = bind(bound[next++], view, values, layer);
      if (failed(memoryOf)) return failure();
      keep.push_back(memoryOf->storage);
      addPointer(memoryOf->storage->data() + memoryOf->offset, memoryOf->bytes);
      if (isa_and_nonnull<tile::PagedAttr>(view.getLayout())) addIntegers(pageTable);
    }
  }
  if (owner->onLaunch) owner->onLaunch(launch);
  const TileInterpreter &interpreter = kernels.at(kernel.getSymName().str());
  return interpreter.run(words, interpreter.extents(counts), &memory);
}
