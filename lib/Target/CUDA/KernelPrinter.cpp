// The frame of a kernel, control flow and scalars.
#include "lib/Target/CUDA/KernelPrinter.h"
#include "lib/Target/CUDA/Expressions.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mmc::hopper;
using llvm::formatv;

namespace mmc::cuda {

/// kReduceScratch floats of block/fragment.cuh.
static constexpr uint32_t kScratchBytes = 4096;

void KernelPrinter::line(const std::string &text) { body += wrapped(text, 2 * indent); }

/// snake_case as the IR writes it, or a path with dots; camelCase as the source does.
static std::string camelCase(StringRef name) {
  std::string out;
  bool upper = false;
  for (char c : name) {
    if (!llvm::isAlnum(c)) {
      upper = !out.empty();
    } else {
      out += upper ? llvm::toUpper(c) : c;
      upper = false;
    }
  }
  return out.empty() || llvm::isDigit(out[0]) ? "v" + out : out;
}

std::string KernelPrinter::fresh(StringRef base) {
  std::string name = camelCase(base);
  unsigned count = used[name]++;
  return count ? name + std::to_string(count + 1) : name;
}

const std::string &KernelPrinter::define(Value value, StringRef base) {
  if (auto location = dyn_cast<NameLoc>(value.getLoc())) base = location.getName();
  return names[value] = fresh(base);
}

std::string KernelPrinter::text(Value value) {
  if (auto found = names.find(value); found != names.end()) return found->second;
  Operation *op = value.getDefiningOp();
  std::string expression = op ? expressionText(op, [&](Value operand) { return text(operand); }) : "";
  if (expression.empty()) {
    failed = true;
    emitError(value.getLoc(), "has no text in CUDA");
  }
  return expression;
}

std::string KernelPrinter::declareFragment(Value value, StringRef base) {
  auto type = cast<FragmentType>(value.getType());
  const std::string &name = define(value, base);
  line(formatv("BlockFragment<{0}, {1}> {2};", typeText(type.getElementType()), layoutText(type, threads), name));
  return name;
}

// ------------------------------------------------------------------------------------------------ frame

void KernelPrinter::nameArguments() {
  // Words that the source gives a meaning of its own.
  for (StringRef word :
       {"threads", "shared", "point", "slot", "i",   "j",     "k",        "float",  "double", "bool", "auto",
        "load",    "store",  "copy",  "put",  "get", "clear", "multiply", "assign", "reduce", "tile"})
    used[word] = 1;
  for (BlockArgument argument : kernel.getBody().getArguments().take_front(kernel.getNumKernelArguments())) {
    const std::string &name = define(argument, "argument" + std::to_string(argument.getArgNumber()));
    auto view = dyn_cast<tile::ViewType>(argument.getType());
    if (view && isa_and_nonnull<tile::PagedAttr>(view.getLayout())) pageTables[argument] = fresh(name + "_pages");
  }
}

/// Copies of one view by boxes of one shape share a map.
static bool sharesMap(TensorCopyOp a, TensorCopyOp b) {
  return a.getView() == b.getView() && a.getBox() == b.getBox() &&
         a.getShared().getType().getSwizzle() == b.getShared().getType().getSwizzle();
}

/// The word of the argument record that an argument begins with.
static uint32_t wordOf(BlockArgument argument) {
  uint32_t word = 0;
  for (BlockArgument before : argument.getOwner()->getArguments().take_front(argument.getArgNumber())) {
    auto view = dyn_cast<tile::ViewType>(before.getType());
    word += view && isa_and_nonnull<tile::PagedAttr>(view.getLayout()) ? 2 : 1;
  }
  return word;
}

static runtime::TensorMapRecord recordOf(TensorCopyOp copy) {
  auto view = copy.getView().getType();
  Type element = view.getElementType();
  const uint64_t bytes = element.getIntOrFloatBitWidth() / 8;
  runtime::TensorMapRecord record;
  record.argument = wordOf(cast<BlockArgument>(copy.getView()));
  record.dtype = element.isBF16() ? runtime::DType::bf16 : element.isF32() ? runtime::DType::f32 : runtime::DType::i32;
  record.offset = static_cast<uint64_t>(view.getOffset()) * bytes;
  for (int64_t size : view.getShape())
    record.sizes.push_back(ShapedType::isDynamic(size) ? 0 : static_cast<uint64_t>(size));
  SmallVector<int64_t> strides = view.getStrides();
  for (int64_t stride : ArrayRef(strides).drop_back()) record.strides.push_back(static_cast<uint64_t>(stride) * bytes);
  for (int64_t size : copy.getBox()) record.box.push_back(static_cast<uint32_t>(size));
  record.swizzle = static_cast<uint32_t>(copy.getShared().getType().getSwizzle());
  return record;
}

StringRef KernelPrinter::mapOf(TensorCopyOp copy) {
  for (auto &[known, name] : mapNames)
    if (sharesMap(known, copy)) return name;
  return {};
}

void KernelPrinter::nameMaps() {
  kernel.walk([&](TensorCopyOp copy) {
    if (!mapOf(copy).empty()) return;
    mapNames.push_back({copy, fresh(names[copy.getView()] + "_map")});
    maps.push_back(recordOf(copy));
  });
}

std::string KernelPrinter::parameters() {
  SmallVector<std::string> list;
  for (BlockArgument argument : kernel.getBody().getArguments().take_front(kernel.getNumKernelArguments())) {
    const std::string &name = names[argument];
    if (isa<tile::RaggedType>(argument.getType())) {
      list.push_back("const WorkRecord *" + name);
    } else if (argument.getType().isIndex()) {
      list.push_back("const u32 *" + name + "Pointer");
    } else {
      auto view = cast<tile::ViewType>(argument.getType());
      auto access = kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), tile::kAccessAttr);
      bool written = access && access.getValue() != "read";
      list.push_back((written ? "" : "const ") + typeText(view.getElementType()) + " *" + name);
      if (auto table = pageTables.find(argument); table != pageTables.end())
        list.push_back("const s32 *" + table->second);
    }
  }
  for (auto [i, attribute] : llvm::enumerate(kernel.getDomain())) {
    auto extent = cast<tile::ExtentAttr>(attribute);
    if (extent.getKind() == tile::ExtentKind::fixed) {
      extents.push_back(std::to_string(extent.getValue()));
    } else {
      std::string name = fresh("extent" + std::to_string(i));
      list.push_back("const u32 *" + name);
      extents.push_back("*" + name);
    }
  }
  for (auto &[copy, name] : mapNames) list.push_back("MMC_GRID_CONSTANT TensorMap " + name);
  return llvm::join(list, ", ");
}

/// The block's point of the work domain, the last dimension running fastest.
void KernelPrinter::printDomain() {
  auto points = kernel.getPoints();
  for (BlockArgument argument : kernel.getBody().getArguments().take_front(kernel.getNumKernelArguments()))
    if (argument.getType().isIndex()) line(formatv("const s64 {0} = *{0}Pointer;", names[argument]));
  for (auto [i, point] : llvm::enumerate(points)) define(point, "point" + std::to_string(i));
  std::string rest = "s64(blockIndex())";
  for (size_t i = points.size(); i > 1; --i) {
    line(formatv("const s64 {0} = {1} % {2};", names[points[i - 1]], rest, extents[i - 1]));
    rest = formatv("{0} / {1}", rest, extents[i - 1]).str();
  }
  line(formatv("const s64 {0} = {1};", names[points[0]], rest));
  line(formatv("if ({0} >= {1}) return;", names[points[0]], extents[0]));
}

/// Where a tile of shared memory may begin: as base/tile.cuh says for matrices.
static uint32_t alignmentOf(SharedType type) {
  if (type.getShape().size() == 1) return 16;
  return type.getSwizzle() ? static_cast<uint32_t>(8 * type.getSwizzle()) : 128;
}

/// The members of the structure, and its size as C++ lays it out.
std::string KernelPrinter::sharedStruct(uint32_t &bytes) {
  std::string text;
  uint32_t alignment = 1;
  auto place = [&](uint32_t size, uint32_t multiple) {
    bytes = static_cast<uint32_t>(llvm::alignTo(bytes, multiple)) + size;
    alignment = std::max(alignment, multiple);
  };
  for (auto alloc : kernel.getOps<AllocOp>()) {
    SharedType type = alloc.getType();
    place(static_cast<uint32_t>(type.getBytes()), alignmentOf(type));
    const std::string &name = names[alloc];
    std::string element = typeText(type.getElementType());
    std::string stages = type.getStages() > 1 ? formatv("[{0}]", type.getStages()).str() : "";
    if (type.getShape().size() == 1)
      text += formatv("  alignas(16) {0} {1}{2}[{3}];\n", element, name, stages, type.getShape()[0]);
    else
      text += formatv("  Tile<{0}, {1}, {2}, Swizzle::{3}> {4}{5};\n", element, type.getShape()[0], type.getShape()[1],
                      type.getSwizzle() ? "bytes" + std::to_string(type.getSwizzle()) : "none", name, stages);
  }
  for (auto ring : kernel.getOps<RingOp>()) {
    const auto stages = static_cast<uint32_t>(ring.getType().getStages());
    place(16 * stages, 8);
    text += formatv("  RingBarriers<{0}> {1};\n", stages, names[ring]);
  }
  if (needsScratch) {
    text += "  float scratch[kReduceScratch];\n";
    place(kScratchBytes, 4);
  }
  bytes = static_cast<uint32_t>(llvm::alignTo(bytes, alignment));
  return text;
}

std::optional<PrintedKernel> KernelPrinter::run() {
  nameArguments();
  nameMaps();
  std::string signature = parameters();
  printDomain();
  for (auto alloc : kernel.getOps<AllocOp>())
    define(alloc, alloc.getType().getShape().size() == 1 ? "exchange" : "tile");
  for (auto ring : kernel.getOps<RingOp>()) define(ring, "ring");
  printBlock(kernel.getBody().front());
  if (failed) return {};
  uint32_t bytes = 0;
  std::string shared = sharedStruct(bytes), name = kernel.getSymName().str();
  std::string out = "#include \"block/kernel.cuh\"\n";
  if (!maps.empty()) out += "#include \"copy/tensor.cuh\"\n";
  if (needsWarpgroups) out += "#include \"mma/block_async.cuh\"\n";
  out += "\n" + head;
  if (!shared.empty())
    out += formatv("struct Shared {{\n{0}};\nstatic_assert(sizeof(Shared) == {1}, \"as the plan says\");\n\n", shared,
                   bytes)
               .str();
  out += wrapped(
      formatv("MMC_KERNEL({0}, {1}) void {2}({3}) {{", kernel.getAllThreads(), kernel.getBlocks(), name, signature), 0);
  if (!shared.empty()) out += "  MMC_SHARED(Shared, shared);\n";
  if (kernel.getSerial()) out += "  if (threadIndex() != 0) return;\n";
  out += body + "}\n" +
         formatv("MMC_EXPORT({0}, {1}, {2}{3})\n", name, kernel.getAllThreads(), kernel.getBlocks(),
                 shared.empty() ? "" : ", Shared")
             .str();
  return PrintedKernel{std::move(out), bytes, std::move(maps)};
}

// ------------------------------------------------------------------------------------------------ control flow

void KernelPrinter::printBlock(Block &block) {
  for (Operation &op : block.without_terminator()) printOp(op);
}

void KernelPrinter::printOp(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) return printFor(loop);
  if (auto loop = dyn_cast<DistributeOp>(op)) return printDistribute(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    line("if (" + withoutParentheses(text(branch.getCondition())) + ") {");
    ++indent;
    printBlock(*branch.thenBlock());
    --indent;
    if (Block *otherwise = branch.elseBlock()) {
      line("} else {");
      ++indent;
      printBlock(*otherwise);
      --indent;
    }
    return line("}");
  }
  if (auto point = dyn_cast<PointOp>(op)) {
    std::string record = fresh("record");
    line(formatv("const WorkRecord {0} = {1}[{2}];", record, text(point.getList()), text(point.getRecord())));
    constexpr const char *kFields[] = {"slot", "row", "rows", "position"};
    for (auto [value, field] : llvm::zip(point.getResults(), kFields))
      names[value] = formatv("s64({0}.{1})", record, field).str();
    return;
  }
  if (auto load = dyn_cast<LoadOp>(op)) return printLoad(load);
  if (auto store = dyn_cast<StoreOp>(op)) return printStore(store);
  if (auto copy = dyn_cast<CopyOp>(op)) return printCopy(copy);
  if (auto map = dyn_cast<MapOp>(op)) return printMap(map);
  if (auto multiply = dyn_cast<MultiplyOp>(op)) return printMultiply(multiply);
  if (auto wgmma = dyn_cast<WgmmaOp>(op)) return printWgmma(wgmma);
  if (auto wait = dyn_cast<WgmmaWaitOp>(op)) return printWgmmaWait(wait);
  if (auto fence = dyn_cast<WgmmaFenceOp>(op)) {
    SmallVector<std::string> list;
    for (Value value : fence.getAccumulators()) list.push_back(text(value));
    return line(formatv("fenceProducts({0});", llvm::join(list, ", ")));
  }
  if (isa<FenceProxyOp>(op)) return line("fenceProxyAsyncShared();");
  if (auto reduce = dyn_cast<ReduceOp>(op)) return printReduce(reduce);
  if (auto topK = dyn_cast<TopKOp>(op)) return printTopK(topK);
  if (auto put = dyn_cast<PutOp>(op)) return printTransfer(&op, put.getShared());
  if (auto get = dyn_cast<GetOp>(op)) return printTransfer(&op, get.getShared());
  if (auto clear = dyn_cast<ClearOp>(op))
    return line(formatv("clear<{0}>({1});", threads, sharedText(clear.getShared(), {})));
  if (auto shape = dyn_cast<ReshapeOp>(op)) {
    std::string from = text(shape.getValue()), to = declareFragment(shape.getResult(), "reshaped");
    return line(formatv("reshape({0}, {1});", to, from));
  }
  if (isa<CommitOp>(op)) return line("copyAsyncCommit();");
  if (auto wait = dyn_cast<WaitOp>(op)) return line(formatv("copyAsyncWait<{0}>();", wait.getPending()));
  if (isa<BarrierOp>(op))
    return line(op.getParentOfType<RolesOp>() ? formatv("syncFragments<{0}>();", threads).str() : "syncThreads();");
  if (auto roles = dyn_cast<RolesOp>(op)) return printRoles(roles);
  if (printRingUse(op)) return;
  if (!isa<AllocOp>(op)) printScalar(op);
}

void KernelPrinter::printScalar(Operation &op) {
  // Written where it is used, if that is one place and not inside a loop or map of which it is no part.
  if (isa<arith::ConstantOp>(op)) return;
  Value result = op.getResult(0);
  if (result.hasOneUse() && result.getUses().begin()->getOwner()->getBlock() == op.getBlock()) return;
  std::string expression = text(result);
  const std::string &name = define(result, resultName(&op));
  line(formatv("const {0} {1} = {2};", typeText(result.getType()), name, withoutParentheses(expression)));
}

void KernelPrinter::printFor(scf::ForOp loop) {
  for (auto [init, argument, result] : llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults())) {
    std::string first = text(init);
    if (isa<FragmentType>(argument.getType()) && init.hasOneUse() && init.getParentBlock() == loop->getBlock()) {
      names[argument] = first; // nobody else needs the registers
    } else if (isa<FragmentType>(argument.getType())) {
      std::string name = declareFragment(argument, "carried");
      line(formatv("copy({0}, {1});", name, first));
    } else {
      line(formatv("{0} {1} = {2};", typeText(argument.getType()), define(argument, "carried"),
                   withoutParentheses(first)));
    }
    names[result] = names[argument];
  }
  std::string lower = text(loop.getLowerBound()), upper = text(loop.getUpperBound()), step = text(loop.getStep());
  const std::string &index = define(loop.getInductionVar(), "at");
  line(formatv("MMC_NO_UNROLL for (s64 {0} = {1}; {0} < {2}; {3}) {{", index, lower, upper,
               step == "1" ? "++" + index : index + " += " + step));
  ++indent;
  printBlock(*loop.getBody());
  printYield(loop);
  --indent;
  line("}");
}

/// The next values of a loop's variables. One may be made of another's old one, which is kept aside then.
void KernelPrinter::printYield(scf::ForOp loop) {
  struct Assignment {
    Type type;
    std::string name, next;
  };
  SmallVector<Assignment> assignments;
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  for (auto [value, argument] : llvm::zip(yield.getOperands(), loop.getRegionIterArgs()))
    if (std::string next = text(value); next != names[argument])
      assignments.push_back({argument.getType(), names[argument], withoutParentheses(next)});
  for (size_t i = 1; i < assignments.size(); ++i) {
    auto &[type, name, next] = assignments[i];
    auto fragment = dyn_cast<FragmentType>(type);
    // A fragment is another one's old value by name, a number may be an expression of any that came before.
    if (llvm::none_of(ArrayRef(assignments).take_front(i), [&](const Assignment &earlier) {
          return fragment ? earlier.name == next : !isa<FragmentType>(earlier.type);
        }))
      continue;
    std::string kept = fresh("next");
    if (fragment) {
      line(formatv("BlockFragment<{0}, {1}> {2};", typeText(fragment.getElementType()), layoutText(fragment, threads),
                   kept));
      line(formatv("copy({0}, {1});", kept, next));
    } else {
      line(formatv("const {0} {1} = {2};", typeText(type), kept, next));
    }
    next = kept;
  }
  for (auto &[type, name, next] : assignments)
    line(isa<FragmentType>(type) ? formatv("copy({0}, {1});", name, next).str()
                                 : formatv("{0} = {1};", name, next).str());
}

void KernelPrinter::printDistribute(DistributeOp loop) {
  std::string lower = text(loop.getLower()), upper = text(loop.getUpper()), step = text(loop.getStep());
  const std::string &index = define(loop.getBody().getArgument(0), "at");
  std::string times = step == "1" ? "" : " * " + step, from = lower == "0" ? "" : lower + " + ";
  line(formatv("MMC_NO_UNROLL for (s64 {0} = {1}blockIndexY(){2}; {0} < {3}; {0} += blockCountY(){2}) {{", index, from,
               times, upper));
  ++indent;
  printBlock(loop.getBody().front());
  --indent;
  line("}");
}

} // namespace mmc::cuda
