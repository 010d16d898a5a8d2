// Writes tables as a FlatBuffer. It takes any values, so that tests can make plans that no compiler would.
#include "runtime/schema/plan_generated.h"
#include "test/Runtime/TinyModel.h"

namespace mmc::test {

namespace {

namespace fb = mmc::plan;
using flatbuffers::Offset;
using Builder = flatbuffers::FlatBufferBuilder;

template <typename To, typename From, typename Function>
auto vectorOf(Builder &b, const std::vector<From> &items, Function encode) {
  std::vector<Offset<To>> offsets;
  for (const From &item : items) offsets.push_back(encode(item));
  return b.CreateVector(offsets);
}

Offset<fb::Weight> encode(Builder &b, const Weight &w) {
  auto sources = vectorOf<fb::Source>(b, w.sources, [&](const WeightSource &s) {
    std::vector<fb::Slice> slices;
    for (const DimensionSlice &slice : s.slices) slices.emplace_back(slice.dimension, slice.begin, slice.end);
    auto name = b.CreateString(s.name);
    auto shape = b.CreateVector(s.shape);
    return fb::CreateSource(b, name, shape, b.CreateVectorOfStructs(slices));
  });
  Offset<flatbuffers::Vector<uint32_t>> layers;
  if (w.perLayer) layers = b.CreateVector(w.layers);
  auto shape = b.CreateVector(w.shape);
  auto layout = fb::CreateLayout(b, fb::DType(w.layout.dtype), fb::LayoutKind(w.layout.kind), w.layout.panelN,
                                 w.layout.panelK, w.layout.padN);
  Offset<flatbuffers::String> nextElse;
  if (!w.nextElse.empty()) nextElse = b.CreateString(w.nextElse);
  return fb::CreateWeight(b, sources, layers, w.experts, shape, layout, w.expertBytes, w.bytes, w.randomMean,
                          w.randomScale, nextElse);
}

auto encode(Builder &b, const std::vector<Extent> &domain) {
  return vectorOf<fb::Extent>(b, domain,
                              [&](const Extent &e) { return fb::CreateExtent(b, fb::ExtentKind(e.kind), e.value); });
}

Offset<fb::Parameter> encode(Builder &b, const Parameter &p) {
  std::vector<fb::ArgumentKind> kinds;
  for (ArgumentKind kind : p.kinds) kinds.push_back(fb::ArgumentKind(kind));
  auto kindsOffset = b.CreateVector(kinds);
  auto shape = b.CreateVector(p.shape);
  return fb::CreateParameter(b, kindsOffset, p.read, p.written, fb::DType(p.dtype), fb::Rows(p.rows), p.bytes, shape,
                             p.panelN, p.panelK, p.padN, p.pageTokens, p.pagesPerSequence, p.filters, p.tileRows, p.own);
}

Offset<fb::Program> encode(Builder &b, const Program &p, const std::vector<uint8_t> &kinds) {
  auto commands = vectorOf<fb::Command>(b, p.commands, [&](const Command &c) {
    if (c.isStack) return fb::CreateCommand(b, 0, fb::CreateStack(b, b.CreateVector(kinds)));
    auto arguments = vectorOf<fb::Argument>(b, c.launch.arguments, [&](const Argument &a) {
      return fb::CreateArgument(b, fb::ArgumentKind(a.kind), a.index, a.offset, a.written);
    });
    auto domain = encode(b, c.launch.domain);
    return fb::CreateCommand(b, fb::CreateLaunch(b, c.launch.kernel, arguments, domain, c.launch.grain, c.launch.branch));
  });
  return fb::CreateProgram(b, b.CreateString(p.name), commands);
}

} // namespace

std::vector<uint8_t> encodeTables(const PlanTables &t) {
  Builder b;
  auto producer = b.CreateString(t.producer), model = b.CreateString(t.model), target = b.CreateString(t.target);
  auto features = b.CreateVectorOfStrings(t.requiredFeatures);
  auto weights = vectorOf<fb::Weight>(b, t.weights, [&](const Weight &w) { return encode(b, w); });
  auto constants = vectorOf<fb::Constant>(b, t.constants, [&](const Constant &c) {
    auto name = b.CreateString(c.name);
    return fb::CreateConstant(b, name, fb::DType(c.dtype), b.CreateVector(c.shape), c.offset, c.bytes, c.layerBytes);
  });
  auto pools = vectorOf<fb::Pool>(b, t.pools, [&](const Pool &p) {
    auto name = b.CreateString(p.name);
    return fb::CreatePool(b, name, fb::PoolKind(p.kind), fb::DType(p.dtype), b.CreateVector(p.shape), p.unitBytes,
                          p.layers);
  });
  auto buffers = vectorOf<fb::Buffer>(b, t.buffers, [&](const Buffer &x) {
    return fb::CreateBuffer(b, b.CreateString(x.name), fb::DType(x.dtype), x.bytesPerToken, x.bytesPerSequence,
                            x.bytesPerOutput, x.bytesFixed);
  });
  auto lists = vectorOf<fb::WorkList>(
      b, t.workLists, [&](const WorkList &w) { return fb::CreateWorkList(b, fb::WorkFilter(w.filter), w.tileRows); });
  auto variants = vectorOf<fb::Variant>(b, t.variants,
                                        [&](const std::string &v) { return fb::CreateVariant(b, b.CreateString(v)); });
  auto kernels = vectorOf<fb::Kernel>(b, t.kernels, [&](const Kernel &k) {
    auto name = b.CreateString(k.name);
    auto symbols = b.CreateVectorOfStrings(k.symbols);
    auto scratch = b.CreateVector(k.scratchBytes);
    auto parameters = b.CreateVectorOfStrings(k.parameters);
    Offset<flatbuffers::Vector<Offset<fb::DeviceFunction>>> functions;
    if (!k.functions.empty())
      functions = vectorOf<fb::DeviceFunction>(b, k.functions, [&](const DeviceFunction &f) {
        Offset<flatbuffers::String> family;
        if (f.family != kPortableFamily) family = b.CreateString(f.family);
        Offset<flatbuffers::Vector<Offset<fb::TensorMap>>> maps;
        if (!f.maps.empty())
          maps = vectorOf<fb::TensorMap>(b, f.maps, [&](const TensorMapRecord &m) {
            auto sizes = b.CreateVector(m.sizes), strides = b.CreateVector(m.strides);
            auto box = b.CreateVector(m.box);
            return fb::CreateTensorMap(b, m.argument, fb::DType(m.dtype), m.offset, sizes, strides, box, m.swizzle);
          });
        return fb::CreateDeviceFunction(b, f.image, f.threads, f.sharedBytes, fb::Rows(f.dealtRows), f.dealtStep,
                                        family, maps);
      });
    if (!k.described) return fb::CreateKernel(b, name, symbols, scratch, parameters, k.domainRank, 0, 0, functions);
    auto interface = vectorOf<fb::Parameter>(b, k.interface, [&](const Parameter &p) { return encode(b, p); });
    return fb::CreateKernel(b, name, symbols, scratch, parameters, k.domainRank, interface, encode(b, k.domain),
                            functions);
  });
  Offset<flatbuffers::Vector<Offset<fb::DeviceImage>>> images;
  if (!t.deviceImages.empty())
    images = vectorOf<fb::DeviceImage>(b, t.deviceImages, [&](const DeviceImage &i) {
      return fb::CreateDeviceImage(b, i.variant, i.offset, i.bytes);
    });
  auto layers = vectorOf<fb::Program>(b, t.layerKinds, [&](const Program &p) { return encode(b, p, t.stack); });
  auto body = encode(b, t.body, t.stack), head = encode(b, t.head, t.stack);
  auto entries = vectorOf<fb::EntryPoint>(b, t.entryPoints, [&](const EntryPoint &e) {
    return fb::CreateEntryPoint(b, e.tokens, e.sequences, e.context, e.outputs, e.arenaBytes,
                                b.CreateVector(e.offsets));
  });
  auto stops = b.CreateVector(t.stopTokens);
  b.Finish(fb::CreatePlan(b, producer, model, target, fb::DType(t.dtype), t.ranks, features, t.parametersTotal,
                          t.parametersActive, t.vocabulary, t.maxModelLen, t.maxNumSeqs, t.maxNumBatchedTokens,
                          t.recurrenceBlock, t.pageTokens, t.pagesPerSequence, weights, constants, pools, buffers,
                          lists, variants, kernels, layers, body, head, entries, t.embeddingWeight, stops, t.layerCount,
                          images),
           fb::PlanIdentifier());
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

} // namespace mmc::test
