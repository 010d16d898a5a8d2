// Preparing and running a kernel: slots, argument words, the work domain.
#include "lib/Interpreter/TileInterpreter.h"

#include "lib/Interpreter/TileProgram.h"

#include <cmath>

using namespace mlir;
using namespace mmc;
using namespace mmc::interpreter;

// ------------------------------------------------------------------------------------------------ memory map

void MemoryMap::add(const void *begin, uint64_t bytes, void *copy) {
  void *memory = copy ? copy : const_cast<void *>(begin);
  regions.push_back({reinterpret_cast<uint64_t>(begin), bytes, static_cast<std::byte *>(memory)});
}

const MemoryMap::Region *MemoryMap::find(uint64_t address) const {
  const Region *best = nullptr;
  auto better = [&](const Region &region) {
    // A pointer to the end of one region may be the beginning of the next: a region that holds a byte at the address is
    // preferred.
    bool holds = address - region.begin < region.bytes, bestHolds = best && address - best->begin < best->bytes;
    return !best || (holds != bestHolds ? holds : region.bytes < best->bytes);
  };
  for (const Region &region : regions)
    if (address >= region.begin && address - region.begin <= region.bytes && better(region)) best = &region;
  return best;
}

// ------------------------------------------------------------------------------------------------ compilation

unsigned TileCompiler::slot(Value value) {
  auto [it, inserted] = slotOf.try_emplace(value, program.initial.size());
  if (!inserted) return it->second;
  Slot &storage = program.initial.emplace_back();
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  size_t elements = tensor ? tensor.getNumElements() : 1;
  Type element = getElementTypeOrSelf(value.getType());
  if (isa<FloatType>(element))
    storage.f.resize(elements);
  else if (element.isIntOrIndex())
    storage.i.resize(elements);
  return it->second;
}

std::vector<unsigned> TileCompiler::slots(ValueRange values) {
  std::vector<unsigned> result;
  for (Value value : values) result.push_back(slot(value));
  return result;
}

LogicalResult TileCompiler::compileBlock(Block &block, Actions &actions) {
  for (Operation &op : block.without_terminator())
    if (failed(compileOp(&op, actions))) return failure();
  return success();
}

/// Whether the interpreter has a representation for values of this type.
static bool isKnownType(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto tensor = dyn_cast<TensorType>(type))
    if (!tensor.hasStaticShape()) return false;
  return element.isIndex() || (element.isInteger() && element.getIntOrFloatBitWidth() <= 64) || element.isF64() ||
         element.isF32() || element.isBF16();
}

LogicalResult TileCompiler::compileOp(Operation *op, Actions &actions) {
  for (Type type : op->getResultTypes())
    if (!isKnownType(type))
      return op->emitOpError() << "has a result of type " << type << ", which the tile interpreter does not know";
  using Group = bool (TileCompiler::*)(Operation *, Actions &);
  for (Group group : {&TileCompiler::compileArith, &TileCompiler::compileIntegers, &TileCompiler::compileCasts,
                      &TileCompiler::compileMath, &TileCompiler::compileMemory, &TileCompiler::compileCompute})
    if ((this->*group)(op, actions)) {
      finishResults(op, actions);
      return success();
    }
  if (auto loop = dyn_cast<scf::ForOp>(op)) return compileFor(loop, actions);
  if (auto branch = dyn_cast<scf::IfOp>(op)) return compileIf(branch, actions);
  if (auto loop = dyn_cast<scf::WhileOp>(op)) return compileWhile(loop, actions);
  return op->emitOpError() << "cannot be executed by the tile interpreter";
}

double mmc::interpreter::roundToBF16(double value) {
  if (!std::isfinite(value) || value == 0.0) return value;
  // bfloat16 has 8 significant bits and float's exponents: below 2^-126 the spacing stays 2^-133. nearbyint rounds ties
  // to even.
  int exponent;
  std::frexp(value, &exponent);
  int spacing = std::max(exponent - 8, -133);
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -spacing)), spacing);
  return std::abs(rounded) >= std::ldexp(1.0, 128) ? std::copysign(INFINITY, value) : rounded;
}

/// An integer of `width` bits, sign-extended; one bit is 0 or 1.
static int64_t wrap(int64_t value, unsigned width) {
  if (width == 1) return value & 1;
  return static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - width)) >> (64 - width);
}

void TileCompiler::finishResults(Operation *op, Actions &actions) {
  for (Value result : op->getResults()) {
    Type element = getElementTypeOrSelf(result.getType());
    unsigned r = slot(result);
    if (element.isBF16())
      actions.push_back([r](Frame &frame) {
        for (double &x : frame.slots[r].f) x = roundToBF16(x);
        return true;
      });
    else if (element.isF32() && precision == TilePrecision::float32)
      actions.push_back([r](Frame &frame) {
        for (double &x : frame.slots[r].f) x = static_cast<float>(x);
        return true;
      });
    else if (element.isInteger() && element.getIntOrFloatBitWidth() < 64 && !isa<arith::ConstantOp>(op))
      actions.push_back([r, width = element.getIntOrFloatBitWidth()](Frame &frame) {
        for (int64_t &x : frame.slots[r].i) x = wrap(x, width);
        return true;
      });
  }
}

FailureOr<TileInterpreter> TileInterpreter::create(tile::KernelOp kernel, TilePrecision precision) {
  auto program = std::make_shared<TileProgram>();
  program->kernel = kernel;
  TileCompiler compiler(*program, precision);
  Block &entry = kernel.getBody().front();
  for (BlockArgument argument : entry.getArguments()) program->entrySlots.push_back(compiler.slot(argument));
  if (failed(compiler.compileBlock(entry, program->actions))) return failure();
  return TileInterpreter(std::move(program));
}

// ------------------------------------------------------------------------------------------------ running

static bool isPaged(Type type) {
  auto view = dyn_cast<tile::ViewType>(type);
  return view && isa_and_nonnull<tile::PagedAttr>(view.getLayout());
}

size_t TileInterpreter::wordCount() const {
  size_t words = 0;
  for (Type type : tile::KernelOp(program->kernel).getArgumentTypes()) words += isPaged(type) ? 2 : 1;
  return words;
}

std::vector<int64_t> TileInterpreter::extents(const TileCounts &counts) const {
  tile::KernelOp kernel = program->kernel;
  auto workLength = [&](int64_t argument) -> int64_t {
    size_t list = llvm::count_if(kernel.getArgumentTypes().take_front(argument), llvm::IsaPred<tile::RaggedType>);
    return list < counts.work.size() ? counts.work[list] : 0;
  };
  std::vector<int64_t> result;
  for (tile::ExtentAttr extent : kernel.getDomain().getAsRange<tile::ExtentAttr>()) switch (extent.getKind()) {
    case tile::ExtentKind::fixed:
      result.push_back(extent.getValue());
      break;
    case tile::ExtentKind::tokens:
      result.push_back(counts.tokens);
      break;
    case tile::ExtentKind::outputs:
      result.push_back(counts.outputs);
      break;
    case tile::ExtentKind::sequences:
      result.push_back(counts.sequences);
      break;
    case tile::ExtentKind::work:
      result.push_back(workLength(extent.getValue()));
      break;
    }
  return result;
}

/// Makes a pointer of an argument word: translated and bounded by the region that contains it, if there is a map.
static LogicalResult bindPointer(tile::KernelOp kernel, unsigned argument, uint64_t word, const MemoryMap *memory,
                                 Pointer &pointer) {
  if (!memory || word == 0) {
    pointer.base = reinterpret_cast<std::byte *>(word);
    return success();
  }
  const MemoryMap::Region *region = memory->find(word);
  if (!region)
    return kernel.emitOpError() << "argument " << argument << " points to " << "0x" << llvm::utohexstr(word)
                                << ", which is in no region of the memory map";
  int64_t offset = static_cast<int64_t>(word - region->begin);
  pointer = {region->memory + offset, -offset, static_cast<int64_t>(region->bytes) - offset};
  return success();
}

static LogicalResult bindArguments(const TileProgram &program, std::span<const uint64_t> words, const MemoryMap *memory,
                                   Frame &frame) {
  tile::KernelOp kernel = program.kernel;
  frame.bindings.resize(kernel.getNumKernelArguments());
  size_t word = 0;
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    if (type.isIndex()) {
      frame.slots[program.entrySlots[i]].i[0] = static_cast<int64_t>(words[word++]);
      continue;
    }
    if (failed(bindPointer(kernel, i, words[word++], memory, frame.bindings[i].memory))) return failure();
    if (isPaged(type) && failed(bindPointer(kernel, i, words[word++], memory, frame.bindings[i].table)))
      return failure();
  }
  return success();
}

LogicalResult TileInterpreter::run(std::span<const uint64_t> words, std::span<const int64_t> extents,
                                   const MemoryMap *memory, int64_t begin, std::optional<int64_t> end) const {
  tile::KernelOp kernel = program->kernel;
  if (words.size() != wordCount())
    return kernel.emitOpError() << "expected " << wordCount() << " argument words, got " << words.size();
  if (extents.size() != kernel.getDomain().size())
    return kernel.emitOpError() << "expected " << kernel.getDomain().size() << " extents of the work domain, got "
                                << extents.size();
  Frame frame;
  frame.slots = program->initial;
  if (failed(bindArguments(*program, words, memory, frame))) return failure();
  int64_t points = 1;
  for (int64_t extent : extents) points *= std::max<int64_t>(extent, 0);
  for (int64_t point = std::max<int64_t>(begin, 0), last = std::min(end.value_or(points), points); point < last;
       ++point) {
    int64_t rest = point;
    for (size_t d = extents.size(); d-- > 0; rest /= extents[d])
      frame.slots[program->entrySlots[kernel.getNumKernelArguments() + d]].i[0] = rest % extents[d];
    if (!runAll(program->actions, frame)) return failure();
  }
  return success();
}
