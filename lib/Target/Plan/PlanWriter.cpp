#include "lib/Target/Plan/PlanWriter.h"

#include "dialects/Model/IR/ModelTables.h"
#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Support/RandomDistribution.h"
#include "lib/Target/Plan/KernelInterface.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/src/Layout.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <set>

using namespace mlir;
namespace fb = mmc::plan;

namespace mmc {
namespace {

constexpr const char *kProducer = "mmc 0.1";

class Writer {
public:
  Writer(planir::ModuleOp plan, const CompiledKernels &compiled)
      : plan(plan), compiled(compiled), interfaces(describeKernels(plan)) {}
  FailureOr<PlanSegments> run();

private:
  using Weights = std::vector<flatbuffers::Offset<fb::Weight>>;
  LogicalResult number();
  FailureOr<flatbuffers::Offset<fb::Weight>> weight(planir::WeightOp op);
  FailureOr<flatbuffers::Offset<fb::Constant>> constant(planir::ConstantOp op);
  FailureOr<flatbuffers::Offset<fb::Kernel>> kernel(tile::KernelOp op);
  using Maps = std::vector<runtime::TensorMapRecord>;
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::TensorMap>>> tensorMaps(const Maps &maps);
  flatbuffers::Offset<fb::Program> program(planir::ProgramOp op);
  flatbuffers::Offset<fb::Command> launch(planir::LaunchOp op);
  flatbuffers::Offset<fb::Command> stack(planir::StackOp op);
  fb::DType dtype(Type type);
  uint64_t fact(StringRef name) {
    auto value = plan.getFacts().getAs<IntegerAttr>(name);
    return value ? static_cast<uint64_t>(value.getInt()) : 0;
  }
  template <typename Op> uint32_t ordinal(FlatSymbolRefAttr symbol) const { return ordinals.lookup(symbol.getValue()); }

  planir::ModuleOp plan;
  const CompiledKernels &compiled;
  const KernelInterfaces interfaces;
  flatbuffers::FlatBufferBuilder builder;
  PlanSegments out;
  llvm::StringMap<uint32_t> ordinals; // of every named item within its own list
  llvm::StringMap<uint32_t> kernelOrdinals;
  llvm::SmallVector<planir::ProgramOp> layers;
  std::set<std::string> features; // that a reader must know
};

fb::DType Writer::dtype(Type type) {
  if (type.isBF16()) return fb::DType::bf16;
  if (type.isF64()) return fb::DType::f64;
  if (type.isF16()) return fb::DType::f16;
  if (type.isInteger(32)) return fb::DType::i32;
  if (type.isInteger(64)) return fb::DType::i64;
  if (type.isInteger(8)) return fb::DType::i8;
  return fb::DType::f32;
}

runtime::Layout layoutOf(planir::WeightOp op, fb::DType dtype) {
  runtime::Layout layout{static_cast<runtime::DType>(dtype)};
  if (auto panels = op.getPanels()) {
    layout.kind = runtime::LayoutKind::panels;
    layout.panelN = static_cast<uint32_t>((*panels)[0]);
    layout.panelK = static_cast<uint32_t>((*panels)[1]);
    layout.padN = static_cast<uint32_t>((*panels)[2]);
  }
  return layout;
}

/// Items of one list are numbered in the order in which they stand.
LogicalResult Writer::number() {
  llvm::StringMap<uint32_t> next;
  for (Operation &op : plan.getBody().front()) {
    if (auto symbol = dyn_cast<SymbolOpInterface>(op)) ordinals[symbol.getName()] = next[op.getName().getStringRef()]++;
    if (auto executable = dyn_cast<planir::ExecutableOp>(op))
      for (auto kernel : executable.getOps<tile::KernelOp>()) {
        uint32_t ordinal = kernelOrdinals.size();
        kernelOrdinals[kernel.getSymName()] = ordinal;
      }
  }
  planir::StackOp stack;
  for (auto program : plan.getOps<planir::ProgramOp>())
    for (auto found : program.getBody().front().getOps<planir::StackOp>()) stack = found;
  if (!stack) return plan.emitOpError("has no stack");
  for (Attribute name : stack.getPrograms())
    layers.push_back(cast<planir::ProgramOp>(plan.lookupSymbol(cast<FlatSymbolRefAttr>(name).getAttr())));
  return success();
}

FailureOr<flatbuffers::Offset<fb::Weight>> Writer::weight(planir::WeightOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  std::vector<uint64_t> shape(type.getShape().begin(), type.getShape().end());
  uint32_t experts = 0;
  if (op.getSource().contains("{expert}")) {
    experts = static_cast<uint32_t>(shape.front());
    shape.erase(shape.begin());
  }
  fb::DType elements = dtype(type.getElementType());
  runtime::Layout layout = layoutOf(op, elements);
  if (layout.kind == runtime::LayoutKind::panels && shape.size() != 2)
    return op.emitOpError("expected two dimensions under panels"), failure();
  uint64_t expertBytes = runtime::storedBytes(layout, shape);
  // The tensors that lie below each other differ in their rows.
  std::vector<std::string> names = {op.getSource().str()};
  if (op.getAbove())
    for (StringRef name : op.getAbove()->getAsValueRange<StringAttr>()) names.push_back(name.str());
  std::vector<flatbuffers::Offset<fb::Source>> parts;
  for (auto [i, name] : llvm::enumerate(names)) {
    std::vector<uint64_t> part = shape;
    if (op.getHeights()) part[0] = static_cast<uint64_t>((*op.getHeights())[i]);
    parts.push_back(fb::CreateSource(builder, builder.CreateString(name), builder.CreateVector(part)));
  }
  auto sources = builder.CreateVector(parts);
  flatbuffers::Offset<flatbuffers::Vector<uint32_t>> layersOffset;
  if (auto layers = op.getLayers())
    layersOffset = builder.CreateVector(std::vector<uint32_t>(layers->begin(), layers->end()));
  auto shapeOffset = builder.CreateVector(shape);
  auto layoutOffset = fb::CreateLayout(builder, elements, static_cast<fb::LayoutKind>(layout.kind), layout.panelN,
                                       layout.panelK, layout.padN);
  flatbuffers::Offset<flatbuffers::String> nextElse;
  if (auto name = op.getNextElse()) {
    nextElse = builder.CreateString(name->str());
    features.insert(runtime::kFeatureNextLayerWeights);
  }
  auto [mean, scale] = randomDistribution(shape.size(), static_cast<int64_t>(shape.back()));
  return fb::CreateWeight(builder, sources, layersOffset, experts, shapeOffset, layoutOffset, expertBytes,
                          expertBytes * std::max<uint64_t>(experts, 1), mean, scale, nextElse);
}

/// Appends a table to the constants segment.
FailureOr<flatbuffers::Offset<fb::Constant>> Writer::constant(planir::ConstantOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  std::vector<double> values = model::evaluateTable(op.getValue(), type);
  if (values.size() != static_cast<size_t>(type.getNumElements()))
    return op.emitOpError("cannot be evaluated: ") << op.getValue(), failure();
  out.constants.resize(runtime::roundUp(out.constants.size(), runtime::kAlignment));
  uint64_t offset = out.constants.size();
  auto append = [&](auto value) {
    auto *bytes = reinterpret_cast<const uint8_t *>(&value);
    out.constants.insert(out.constants.end(), bytes, bytes + sizeof(value));
  };
  bool wide = type.getElementType().isF64();
  if (!wide && !type.getElementType().isF32())
    return op.emitOpError("expected elements of f32 or f64, got ") << type, failure();
  for (double value : values) wide ? append(value) : append(static_cast<float>(value));
  uint64_t bytes = out.constants.size() - offset;
  uint64_t rows = static_cast<uint64_t>(type.getShape().front());
  std::vector<uint64_t> shape(type.getShape().begin(), type.getShape().end());
  auto name = builder.CreateString(op.getSymName().str());
  auto shapeOffset = builder.CreateVector(shape);
  return fb::CreateConstant(builder, name, dtype(type.getElementType()), shapeOffset, offset, bytes,
                            op.getByLayer() ? bytes / rows : 0);
}

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::TensorMap>>> Writer::tensorMaps(const Maps &maps) {
  if (maps.empty()) return {};
  features.insert(runtime::kFeatureTensorMaps);
  std::vector<flatbuffers::Offset<fb::TensorMap>> made;
  for (const runtime::TensorMapRecord &map : maps) {
    auto sizes = builder.CreateVector(map.sizes);
    auto strides = builder.CreateVector(map.strides);
    auto box = builder.CreateVector(map.box);
    made.push_back(fb::CreateTensorMap(builder, map.argument, static_cast<fb::DType>(map.dtype), map.offset, sizes,
                                       strides, box, map.swizzle));
  }
  return builder.CreateVector(made);
}

FailureOr<flatbuffers::Offset<fb::Kernel>> Writer::kernel(tile::KernelOp op) {
  auto found = compiled.kernels.find(op.getSymName().str());
  if (found == compiled.kernels.end()) return op.emitOpError("was not compiled"), failure();
  auto name = builder.CreateString(op.getSymName().str());
  auto symbols = builder.CreateVectorOfStrings(found->second.symbols);
  flatbuffers::Offset<flatbuffers::Vector<uint64_t>> scratch;
  if (!found->second.scratchBytes.empty()) scratch = builder.CreateVector(found->second.scratchBytes);
  const runtime::Kernel &described = interfaces.at(op.getSymName().str());
  auto words = builder.CreateVectorOfStrings(described.parameters);
  std::vector<flatbuffers::Offset<fb::Parameter>> parameters;
  for (const runtime::Parameter &p : described.interface) {
    std::vector<fb::ArgumentKind> kinds;
    for (runtime::ArgumentKind kind : p.kinds) kinds.push_back(static_cast<fb::ArgumentKind>(kind));
    auto kindsOffset = builder.CreateVector(kinds);
    auto shape = builder.CreateVector(p.shape);
    parameters.push_back(fb::CreateParameter(builder, kindsOffset, p.read, p.written, static_cast<fb::DType>(p.dtype),
                                             static_cast<fb::Rows>(p.rows), p.bytes, shape, p.panelN, p.panelK, p.padN,
                                             p.pageTokens, p.pagesPerSequence, p.filters, p.tileRows, p.own));
  }
  std::vector<flatbuffers::Offset<fb::Extent>> domain;
  for (const runtime::Extent &extent : described.domain)
    domain.push_back(fb::CreateExtent(builder, static_cast<fb::ExtentKind>(extent.kind), extent.value));
  std::vector<flatbuffers::Offset<fb::DeviceFunction>> functions;
  for (const runtime::DeviceFunction &f : found->second.functions) {
    auto family = builder.CreateSharedString(f.family);
    functions.push_back(fb::CreateDeviceFunction(builder, f.image, f.threads, f.sharedBytes,
                                                 static_cast<fb::Rows>(f.dealtRows), f.dealtStep, family,
                                                 tensorMaps(f.maps)));
  }
  auto interface = builder.CreateVector(parameters);
  auto domainOffset = builder.CreateVector(domain);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::DeviceFunction>>> functionsOffset;
  if (!functions.empty()) functionsOffset = builder.CreateVector(functions);
  return fb::CreateKernel(builder, name, symbols, scratch, words, described.domainRank, interface, domainOffset,
                          functionsOffset);
}

flatbuffers::Offset<fb::Command> Writer::launch(planir::LaunchOp op) {
  std::vector<flatbuffers::Offset<fb::Argument>> arguments;
  for (auto binding : op.getBindings().getAsRange<planir::BindingAttr>()) {
    uint32_t index = binding.getSymbol() ? ordinals.lookup(binding.getSymbol().getValue()) : 0;
    arguments.push_back(fb::CreateArgument(builder, static_cast<fb::ArgumentKind>(binding.getKind()), index,
                                           static_cast<uint64_t>(binding.getOffset()), binding.getWritten()));
  }
  std::vector<flatbuffers::Offset<fb::Extent>> domain;
  for (auto extent : op.getDomain().getAsRange<planir::ExtentAttr>()) {
    uint64_t value =
        extent.getList() ? ordinals.lookup(extent.getList().getValue()) : static_cast<uint64_t>(extent.getValue());
    domain.push_back(fb::CreateExtent(builder, static_cast<fb::ExtentKind>(extent.getKind()), value));
  }
  auto argumentsOffset = builder.CreateVector(arguments);
  auto domainOffset = builder.CreateVector(domain);
  uint32_t kernel = kernelOrdinals.lookup(op.getKernel().getLeafReference().getValue());
  auto launch = fb::CreateLaunch(builder, kernel, argumentsOffset, domainOffset, static_cast<uint32_t>(op.getGrain()),
                                 static_cast<uint8_t>(op.getBranch()));
  return fb::CreateCommand(builder, launch);
}

flatbuffers::Offset<fb::Command> Writer::stack(planir::StackOp op) {
  std::vector<uint8_t> kinds(op.getPattern().begin(), op.getPattern().end());
  return fb::CreateCommand(builder, 0, fb::CreateStack(builder, builder.CreateVector(kinds)));
}

flatbuffers::Offset<fb::Program> Writer::program(planir::ProgramOp op) {
  std::vector<flatbuffers::Offset<fb::Command>> commands;
  for (Operation &command : op.getBody().front()) {
    if (auto launchOp = dyn_cast<planir::LaunchOp>(command))
      commands.push_back(launch(launchOp));
    else if (auto stackOp = dyn_cast<planir::StackOp>(command))
      commands.push_back(stack(stackOp));
  }
  auto name = builder.CreateString(op.getSymName().str());
  return fb::CreateProgram(builder, name, builder.CreateVector(commands));
}

flatbuffers::Offset<fb::Pool> writePool(flatbuffers::FlatBufferBuilder &builder, planir::PoolOp op, fb::DType dtype) {
  auto type = cast<RankedTensorType>(op.getUnit());
  std::vector<uint64_t> shape(type.getShape().begin(), type.getShape().end());
  uint64_t bytes = static_cast<uint64_t>(type.getNumElements()) * (type.getElementTypeBitWidth() / 8);
  auto name = builder.CreateString(op.getSymName().str());
  auto shapeOffset = builder.CreateVector(shape);
  return fb::CreatePool(builder, name, static_cast<fb::PoolKind>(op.getKind()), dtype, shapeOffset, bytes,
                        static_cast<uint32_t>(op.getLayers()));
}

flatbuffers::Offset<fb::Buffer> writeBuffer(flatbuffers::FlatBufferBuilder &builder, planir::BufferOp op,
                                            fb::DType dtype) {
  auto type = cast<RankedTensorType>(op.getType());
  uint64_t bytes = (type.getElementTypeBitWidth() + 7) / 8;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size)) bytes *= static_cast<uint64_t>(size);
  bytes *= static_cast<uint64_t>(op.getRowsPer());
  StringRef rows = op.getRows().value_or("");
  auto counted = [&](StringRef by) { return rows == by ? bytes : 0; };
  auto name = builder.CreateString(op.getSymName().str());
  return fb::CreateBuffer(builder, name, dtype, counted("tokens"), counted("sequences"), counted("outputs"),
                          counted(""));
}

FailureOr<PlanSegments> Writer::run() {
  if (failed(number())) return failure();
  Weights weights;
  std::vector<flatbuffers::Offset<fb::Constant>> constants;
  std::vector<flatbuffers::Offset<fb::Pool>> pools;
  std::vector<flatbuffers::Offset<fb::Buffer>> buffers;
  std::vector<flatbuffers::Offset<fb::WorkList>> lists;
  std::vector<flatbuffers::Offset<fb::Kernel>> kernels;
  std::vector<flatbuffers::Offset<fb::EntryPoint>> entries;
  uint32_t embedding = 0;
  bool paged = false;
  for (Operation &op : plan.getBody().front()) {
    if (auto item = dyn_cast<planir::WeightOp>(op)) {
      if (plan.getFacts().getAs<StringAttr>("embedding") == item.getSource())
        embedding = static_cast<uint32_t>(weights.size());
      auto offset = weight(item);
      if (failed(offset)) return failure();
      weights.push_back(*offset);
    } else if (auto item = dyn_cast<planir::ConstantOp>(op)) {
      auto offset = constant(item);
      if (failed(offset)) return failure();
      constants.push_back(*offset);
    } else if (auto item = dyn_cast<planir::PoolOp>(op)) {
      paged |= item.getKind() == planir::PoolKind::pages;
      pools.push_back(writePool(builder, item, dtype(cast<RankedTensorType>(item.getUnit()).getElementType())));
    } else if (auto item = dyn_cast<planir::BufferOp>(op)) {
      buffers.push_back(writeBuffer(builder, item, dtype(cast<RankedTensorType>(item.getType()).getElementType())));
    } else if (auto item = dyn_cast<planir::WorkListOp>(op)) {
      lists.push_back(fb::CreateWorkList(builder, static_cast<fb::WorkFilter>(item.getFilter()),
                                         static_cast<uint32_t>(item.getTileRows())));
    } else if (auto item = dyn_cast<planir::EntryOp>(op)) {
      std::vector<uint64_t> offsets(item.getOffsets().begin(), item.getOffsets().end());
      auto vector = builder.CreateVector(offsets);
      entries.push_back(fb::CreateEntryPoint(
          builder, static_cast<uint32_t>(item.getTokens()), static_cast<uint32_t>(item.getSequences()),
          static_cast<uint64_t>(item.getContext()), static_cast<uint32_t>(item.getOutputs()),
          static_cast<uint64_t>(item.getArena()), vector));
    } else if (auto item = dyn_cast<planir::ExecutableOp>(op)) {
      llvm::raw_string_ostream os(out.text);
      for (auto kernelOp : item.getOps<tile::KernelOp>()) {
        auto offset = kernel(kernelOp);
        if (failed(offset)) return failure();
        kernels.push_back(*offset);
        kernelOp->print(os);
        os << "\n";
      }
    }
  }
  std::vector<flatbuffers::Offset<fb::Program>> layerPrograms;
  for (planir::ProgramOp layer : layers) layerPrograms.push_back(program(layer));
  auto body = program(cast<planir::ProgramOp>(plan.lookupSymbol("body")));
  auto head = program(cast<planir::ProgramOp>(plan.lookupSymbol("head")));
  std::vector<flatbuffers::Offset<fb::Variant>> variants;
  for (const std::string &name : compiled.variants)
    variants.push_back(fb::CreateVariant(builder, builder.CreateString(name)));
  std::vector<int32_t> stops;
  if (auto attribute = plan.getFacts().getAs<DenseI32ArrayAttr>("stop_tokens"))
    stops.assign(attribute.asArrayRef().begin(), attribute.asArrayRef().end());
  uint32_t layerCount = 0;
  for (auto programOp : plan.getOps<planir::ProgramOp>())
    for (auto stackOp : programOp.getBody().front().getOps<planir::StackOp>())
      layerCount = static_cast<uint32_t>(stackOp.getPattern().size());
  auto stringFact = [&](StringRef name) { return builder.CreateString(plan.getFacts().getAs<StringAttr>(name).str()); };

  auto producer = builder.CreateString(kProducer);
  auto model = builder.CreateString(plan.getSymName().str());
  auto target = stringFact("target");
  bool bfloat16 = plan.getFacts().getAs<StringAttr>("dtype") == "bfloat16";
  auto weightsOffset = builder.CreateVector(weights);
  auto constantsOffset = builder.CreateVector(constants);
  auto poolsOffset = builder.CreateVector(pools);
  auto buffersOffset = builder.CreateVector(buffers);
  auto listsOffset = builder.CreateVector(lists);
  auto variantsOffset = builder.CreateVector(variants);
  auto kernelsOffset = builder.CreateVector(kernels);
  auto layersOffset = builder.CreateVector(layerPrograms);
  auto entriesOffset = builder.CreateVector(entries);
  std::vector<flatbuffers::Offset<fb::DeviceImage>> images;
  for (const runtime::DeviceImage &image : compiled.deviceImages)
    images.push_back(fb::CreateDeviceImage(builder, image.variant, image.offset, image.bytes));
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::DeviceImage>>> imagesOffset;
  if (!images.empty()) imagesOffset = builder.CreateVector(images);
  auto stopsOffset = builder.CreateVector(stops);
  auto featuresOffset = builder.CreateVectorOfStrings(std::vector<std::string>(features.begin(), features.end()));
  uint64_t pageTokens = paged ? fact("page_tokens") : 0;
  fb::PlanBuilder root(builder);
  root.add_producer(producer);
  root.add_model(model);
  root.add_target(target);
  root.add_dtype(bfloat16 ? fb::DType::bf16 : fb::DType::f32);
  root.add_ranks(1);
  if (!features.empty()) root.add_required_features(featuresOffset);
  root.add_parameters_total(fact("parameters_total"));
  root.add_parameters_active(fact("parameters_active"));
  root.add_vocabulary(static_cast<uint32_t>(fact("vocabulary")));
  root.add_max_model_len(fact("max_model_len"));
  root.add_max_num_seqs(static_cast<uint32_t>(fact("max_num_seqs")));
  root.add_max_num_batched_tokens(static_cast<uint32_t>(fact("max_num_batched_tokens")));
  root.add_recurrence_block(static_cast<uint32_t>(fact("recurrence_block")));
  root.add_page_tokens(static_cast<uint32_t>(pageTokens));
  root.add_pages_per_sequence(pageTokens ? static_cast<uint32_t>(runtime::ceilDivide(fact("max_model_len"), pageTokens))
                                         : 0);
  root.add_weights(weightsOffset);
  root.add_constants(constantsOffset);
  root.add_pools(poolsOffset);
  root.add_buffers(buffersOffset);
  root.add_work_lists(listsOffset);
  root.add_variants(variantsOffset);
  root.add_kernels(kernelsOffset);
  root.add_layers(layersOffset);
  root.add_body(body);
  root.add_head(head);
  root.add_entry_points(entriesOffset);
  root.add_embedding_weight(embedding);
  root.add_stop_tokens(stopsOffset);
  root.add_layer_count(layerCount);
  if (!images.empty()) root.add_device_images(imagesOffset);
  fb::FinishPlanBuffer(builder, root.Finish());
  out.metadata.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
  out.object = compiled.object;
  out.images = compiled.images;
  return std::move(out);
}

} // namespace

std::function<std::string(const std::string &, uint64_t)> kernelRecords(planir::ModuleOp plan) {
  return [interfaces = describeKernels(plan)](const std::string &kernel, uint64_t scratchBytes) {
    return runtime::kernelRecord(interfaces.at(kernel), scratchBytes);
  };
}

FailureOr<PlanSegments> serializePlan(planir::ModuleOp plan, const CompiledKernels &compiled) {
  return Writer(plan, compiled).run();
}

} // namespace mmc
