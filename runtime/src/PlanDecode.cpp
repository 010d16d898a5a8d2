// Copies the metadata FlatBuffer into PlanTables. Relies on verifyMetadataForm; checks enumerators and the memory that
// copies take, leaves the meaning of values to PlanVerify*.cpp.
#include "runtime/src/PlanVerify.h"

#include "runtime/schema/plan_generated.h"
#include "runtime/src/Errors.h"

#include <cstring>

namespace mmc::runtime {

namespace {

/// Copies field after field; the first failure sticks, and later copies do nothing.
class Decoder {
public:
  explicit Decoder(uint64_t budget) : budget(budget) {}
  Status status;

  std::string text(const flatbuffers::String *from) {
    if (!from || !charge(from->size() + sizeof(std::string))) return {};
    const std::string to = from->str();
    if (std::string shown = printable(to); shown != to)
      fail(badField("a name", "'" + shown.substr(0, 120) + "'", "UTF-8 without control characters"));
    return to;
  }

  // NOTE: the FlatBuffers verifier checks where a vector lies, not that its elements are aligned, so they are copied as
  // bytes.
  template <typename T> std::vector<T> numbers(const flatbuffers::Vector<T> *from) {
    if (!from || from->size() == 0 || !charge(from->size() * sizeof(T))) return {};
    std::vector<T> to(from->size());
    std::memcpy(to.data(), from->Data(), to.size() * sizeof(T));
    return to;
  }

  std::vector<std::string> texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *from) {
    std::vector<std::string> to;
    if (!from || !charge(from->size() * sizeof(std::string))) return to;
    to.reserve(from->size());
    for (const flatbuffers::String *item : *from) to.push_back(text(item));
    return to;
  }

  /// A vector of tables, each by `decode`; at most `limit` of them.
  template <typename To, typename From, typename Function>
  std::vector<To> tables(const char *field, const flatbuffers::Vector<flatbuffers::Offset<From>> *from, size_t limit,
                         Function decode) {
    std::vector<To> to;
    if (!from || !charge(from->size() * sizeof(To))) return to;
    if (from->size() > limit) {
      fail(badField(std::string(field) + " count", from->size(), "at most " + std::to_string(limit)));
      return to;
    }
    to.reserve(from->size());
    for (const From *item : *from) {
      if (!status.ok()) break;
      to.push_back(decode(*item));
    }
    return to;
  }

  template <typename To, typename From> To enumerator(const char *field, From value, uint8_t count) {
    if (uint8_t(value) >= count) fail(badField(field, uint8_t(value), "an enumerator below " + std::to_string(count)));
    return To(uint8_t(value));
  }

  DType dtype(const char *field, plan::DType value) { return enumerator<DType>(field, value, kDTypeCount); }

  void fail(Status failure) {
    if (status.ok()) status = std::move(failure);
  }

private:
  bool charge(uint64_t bytes) {
    if (!status.ok()) return false;
    if (bytes > budget) {
      fail(Status(kMetadataForm, "plan metadata decodes to far more than its size: its tables share parts"));
      return false;
    }
    budget -= bytes;
    return true;
  }

  uint64_t budget;
};

WeightSource decodeSource(Decoder &d, const plan::Source &from) {
  WeightSource to;
  to.name = d.text(from.name());
  to.shape = d.numbers(from.shape());
  if (from.slices())
    for (uint32_t i = 0; i < from.slices()->size(); ++i) {
      plan::Slice slice;
      std::memcpy(&slice, from.slices()->Data() + i * sizeof slice, sizeof slice);
      if (to.slices.size() == kMaxRank) {
        d.fail(badField("source '" + to.name + "' slices count", from.slices()->size(),
                        "at most " + std::to_string(kMaxRank)));
        break;
      }
      to.slices.push_back({slice.dim(), slice.begin(), slice.end()});
    }
  return to;
}

Weight decodeWeight(Decoder &d, const plan::Weight &from) {
  Weight to;
  to.sources = d.tables<WeightSource>("weight sources", from.sources(), 1u << 16,
                                      [&](const plan::Source &s) { return decodeSource(d, s); });
  to.layers = d.numbers(from.layers());
  to.perLayer = !to.layers.empty();
  to.experts = from.experts();
  to.shape = d.numbers(from.shape());
  if (const plan::Layout *layout = from.layout())
    to.layout = {d.dtype("weight layout dtype", layout->dtype()),
                 d.enumerator<LayoutKind>("weight layout kind", layout->kind(), 2), layout->panel_n(),
                 layout->panel_k(), layout->pad_n()};
  else
    d.fail(badField("weight layout", std::string("absent"), "a layout"));
  to.expertBytes = from.expert_bytes();
  to.bytes = from.bytes();
  to.randomMean = from.random_mean();
  to.randomScale = from.random_scale();
  to.nextElse = d.text(from.next_else());
  return to;
}

std::vector<Extent> decodeDomain(Decoder &d, const char *field,
                                 const flatbuffers::Vector<flatbuffers::Offset<plan::Extent>> *from) {
  return d.tables<Extent>(field, from, kMaxDomainRank, [&](const plan::Extent &e) {
    return Extent{d.enumerator<ExtentKind>("extent kind", e.kind(), uint8_t(ExtentKind::work) + 1), e.value()};
  });
}

Parameter decodeParameter(Decoder &d, const plan::Parameter &from) {
  Parameter to;
  if (from.kinds() && from.kinds()->size() > size_t(ArgumentKind::immediate) + 1)
    d.fail(badField("parameter kinds count", from.kinds()->size(), "at most 16"));
  else if (from.kinds())
    for (uint32_t i = 0; i < from.kinds()->size(); ++i)
      to.kinds.push_back(
          d.enumerator<ArgumentKind>("parameter kind", from.kinds()->Get(i), uint8_t(ArgumentKind::immediate) + 1));
  to.read = from.read();
  to.written = from.written();
  to.dtype = d.dtype("parameter dtype", from.dtype());
  to.rows = d.enumerator<Rows>("parameter rows", from.rows(), 4);
  to.bytes = from.bytes();
  to.shape = d.numbers(from.shape());
  to.panelN = from.panel_n();
  to.panelK = from.panel_k();
  to.padN = from.pad_n();
  to.pageTokens = from.page_tokens();
  to.pagesPerSequence = from.pages_per_sequence();
  to.filters = from.filters();
  to.tileRows = from.tile_rows();
  to.own = from.own();
  return to;
}

Launch decodeLaunch(Decoder &d, const plan::Launch &from) {
  Launch to;
  to.kernel = from.kernel();
  to.grain = from.grain();
  to.arguments = d.tables<Argument>("launch arguments", from.arguments(), kMaxArguments, [&](const plan::Argument &a) {
    return Argument{d.enumerator<ArgumentKind>("argument kind", a.kind(), uint8_t(ArgumentKind::immediate) + 1),
                    a.written(), a.index(), a.offset()};
  });
  to.domain = decodeDomain(d, "launch domain", from.domain());
  to.branch = from.branch();
  return to;
}

Program decodeProgram(Decoder &d, const char *field, const plan::Program *from, PlanTables &plan) {
  Program to;
  if (!from) {
    d.fail(badField(field, std::string("absent"), "a program"));
    return to;
  }
  to.name = d.text(from->name());
  to.commands = d.tables<Command>("program commands", from->commands(), 1u << 16, [&](const plan::Command &c) {
    Command command;
    if (!!c.launch() == !!c.stack()) {
      d.fail(badField("command of program '" + to.name + "'", c.launch() ? "a launch and a stack" : "empty",
                      "a launch or a stack"));
    } else if (c.launch()) {
      command.launch = decodeLaunch(d, *c.launch());
    } else {
      command.isStack = true;
      if (!plan.stack.empty()) d.fail(badField("stacks", std::string("several"), "one"));
      plan.stack = d.numbers(c.stack()->kinds());
    }
    return command;
  });
  return to;
}

void decodeMemory(Decoder &d, const plan::Plan &from, PlanTables &to) {
  to.constants = d.tables<Constant>("constants", from.constants(), 4096, [&](const plan::Constant &c) {
    return Constant{d.text(c.name()), d.dtype("constant dtype", c.dtype()), d.numbers(c.shape()), c.offset(), c.bytes(),
                    c.layer_bytes()};
  });
  to.pools = d.tables<Pool>("pools", from.pools(), 1024, [&](const plan::Pool &p) {
    return Pool{d.text(p.name()),
                d.enumerator<PoolKind>("pool kind", p.kind(), 2),
                d.dtype("pool dtype", p.dtype()),
                d.numbers(p.shape()),
                p.unit_bytes(),
                p.layers()};
  });
  to.buffers = d.tables<Buffer>("buffers", from.buffers(), 1024, [&](const plan::Buffer &b) {
    return Buffer{d.text(b.name()),     d.dtype("buffer dtype", b.dtype()),
                  b.bytes_per_token(),  b.bytes_per_sequence(),
                  b.bytes_per_output(), b.bytes_fixed()};
  });
  to.workLists = d.tables<WorkList>("work_lists", from.work_lists(), 64, [&](const plan::WorkList &w) {
    return WorkList{d.enumerator<WorkFilter>("work list filter", w.filter(), 3), w.tile_rows()};
  });
}

TensorMapRecord decodeMap(Decoder &d, const plan::TensorMap &from) {
  return {from.argument(),         d.dtype("map dtype", from.dtype()), from.offset(),
          d.numbers(from.sizes()), d.numbers(from.strides()),          d.numbers(from.box()),
          from.swizzle()};
}

DeviceFunction decodeFunction(Decoder &d, const plan::DeviceFunction &from) {
  return {from.image(),
          from.threads(),
          from.shared_bytes(),
          d.enumerator<Rows>("function dealt_rows", from.dealt_rows(), 3),
          from.dealt_step(),
          from.family() ? d.text(from.family()) : kPortableFamily,
          d.tables<TensorMapRecord>("function maps", from.maps(), kMaxTensorMaps,
                                    [&](const plan::TensorMap &m) { return decodeMap(d, m); })};
}

constexpr size_t kMaxVariants = 16;

void decodeCode(Decoder &d, const plan::Plan &from, PlanTables &to) {
  to.variants = d.tables<std::string>("variants", from.variants(), kMaxVariants,
                                      [&](const plan::Variant &v) { return d.text(v.name()); });
  to.kernels = d.tables<Kernel>("kernels", from.kernels(), 4096, [&](const plan::Kernel &k) {
    return Kernel{d.text(k.name()),
                  d.texts(k.symbols()),
                  d.numbers(k.scratch_bytes()),
                  d.texts(k.parameters()),
                  k.domain_rank(),
                  d.tables<Parameter>("kernel interface", k.interface(), kMaxArguments,
                                      [&](const plan::Parameter &p) { return decodeParameter(d, p); }),
                  decodeDomain(d, "kernel domain", k.domain()),
                  k.interface() != nullptr || k.domain() != nullptr,
                  d.tables<DeviceFunction>("kernel functions", k.functions(), kMaxVariants,
                                           [&](const plan::DeviceFunction &f) { return decodeFunction(d, f); })};
  });
  to.deviceImages = d.tables<DeviceImage>("device_images", from.device_images(), 1u << 13, [](const auto &i) {
    return DeviceImage{i.variant(), i.offset(), i.bytes()};
  });
  to.layerKinds = d.tables<Program>("layers", from.layers(), 256,
                                    [&](const plan::Program &p) { return decodeProgram(d, "layers", &p, to); });
  const bool stackInLayers = !to.stack.empty();
  to.body = decodeProgram(d, "body", from.body(), to);
  const bool stackBeforeHead = !to.stack.empty();
  to.head = decodeProgram(d, "head", from.head(), to);
  if (stackInLayers || (!stackBeforeHead && !to.stack.empty()))
    d.fail(badField("stack", std::string("outside the body"), "in the body"));
  to.entryPoints = d.tables<EntryPoint>("entry_points", from.entry_points(), 1u << 16, [&](const plan::EntryPoint &e) {
    return EntryPoint{e.tokens(), e.sequences(), e.context(), e.outputs(), e.arena_bytes(), d.numbers(e.offsets())};
  });
}

} // namespace

Expected<PlanTables> decodePlan(std::span<const uint8_t> metadata, uint64_t constantsBytes, uint64_t imagesBytes) {
  MMC_RETURN_IF_ERROR(verifyMetadataForm(metadata));
  const plan::Plan &from = *plan::GetPlan(metadata.data());
  Decoder d(metadata.size() + kDecodeHeadroom);
  PlanTables to;
  to.producer = d.text(from.producer());
  to.model = d.text(from.model());
  to.target = d.text(from.target());
  to.dtype = d.dtype("dtype", from.dtype());
  to.ranks = from.ranks();
  to.requiredFeatures = d.texts(from.required_features());
  to.parametersTotal = from.parameters_total();
  to.parametersActive = from.parameters_active();
  to.vocabulary = from.vocabulary();
  to.maxModelLen = from.max_model_len();
  to.maxNumSeqs = from.max_num_seqs();
  to.maxNumBatchedTokens = from.max_num_batched_tokens();
  to.recurrenceBlock = from.recurrence_block();
  to.pageTokens = from.page_tokens();
  to.pagesPerSequence = from.pages_per_sequence();
  to.layerCount = from.layer_count();
  to.embeddingWeight = from.embedding_weight();
  to.stopTokens = d.numbers(from.stop_tokens());
  to.weights =
      d.tables<Weight>("weights", from.weights(), 4096, [&](const plan::Weight &w) { return decodeWeight(d, w); });
  decodeMemory(d, from, to);
  decodeCode(d, from, to);
  MMC_RETURN_IF_ERROR(d.status);
  MMC_RETURN_IF_ERROR(verifyTables(to, constantsBytes, imagesBytes));
  return to;
}

} // namespace mmc::runtime
