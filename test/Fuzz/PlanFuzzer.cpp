// Fuzzes everything that reads a plan before it is trusted, and what execution makes of a plan that is. The first byte
// says what the rest is: a whole file, a metadata segment, edits of the tiny model's plan, a host object, or a device
// image; digests would otherwise keep the fuzzer out of the inner ones. Edits name fields by number, so most of them
// leave a plan that is whole, and many one that is accepted: its own kernels then run a step. Nothing from the input is
// ever executed.
#include "runtime/src/DeviceImage.h"
#include "test/Runtime/TinyModel.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace mmc::runtime;

/// A failure must say something; a success must be usable.
static void require(bool condition) {
  if (!condition) abort();
}

namespace {

/// Every number of the tables, by place; texts and lengths of lists stay as they are.
class Fields {
public:
  explicit Fields(PlanTables &t) {
    add(t.dtype, t.ranks, t.parametersTotal, t.parametersActive, t.vocabulary, t.maxModelLen, t.maxNumSeqs,
        t.maxNumBatchedTokens, t.recurrenceBlock, t.pageTokens, t.pagesPerSequence, t.layerCount, t.embeddingWeight);
    for (Weight &w : t.weights) weight(w);
    for (Constant &c : t.constants) add(c.dtype, c.offset, c.bytes, c.layerBytes), all(c.shape);
    for (Pool &p : t.pools) add(p.kind, p.dtype, p.unitBytes, p.layers), all(p.shape);
    for (Buffer &b : t.buffers) add(b.dtype, b.bytesPerToken, b.bytesPerSequence, b.bytesPerOutput, b.bytesFixed);
    for (WorkList &w : t.workLists) add(w.filter, w.tileRows);
    for (Kernel &k : t.kernels) kernel(k);
    for (Program &p : t.layerKinds) program(p);
    program(t.body);
    program(t.head);
    for (EntryPoint &e : t.entryPoints) add(e.tokens, e.sequences, e.context, e.outputs, e.arenaBytes), all(e.offsets);
    all(t.stack);
    all(t.stopTokens);
  }

  void set(size_t index, uint8_t how, uint64_t value) {
    const auto [at, size] = fields[index % fields.size()];
    uint64_t old = 0;
    std::memcpy(&old, at, size);
    const uint64_t choices[] = {value, 0, old + 1, old - 1, old * 2, old / 2, value & 0xff, old + 64};
    std::memcpy(at, &choices[how % 8], size);
  }

private:
  template <typename... T> void add(T &...values) { (fields.emplace_back(&values, sizeof values), ...); }
  template <typename T> void all(std::vector<T> &values) {
    for (T &value : values) add(value);
  }
  void weight(Weight &w) {
    add(w.experts, w.layout.dtype, w.layout.kind, w.layout.panelN, w.layout.panelK, w.layout.padN, w.expertBytes,
        w.bytes);
    all(w.layers);
    all(w.shape);
    for (WeightSource &source : w.sources) all(source.shape);
  }
  void kernel(Kernel &k) {
    add(k.domainRank);
    all(k.scratchBytes);
    for (Parameter &p : k.interface) {
      add(p.dtype, p.rows, p.bytes, p.panelN, p.panelK, p.padN, p.pageTokens, p.pagesPerSequence, p.filters,
          p.tileRows);
      all(p.kinds);
      all(p.shape);
    }
    for (Extent &extent : k.domain) add(extent.kind, extent.value);
  }
  void program(Program &p) {
    for (Command &c : p.commands) {
      add(c.launch.kernel, c.launch.grain);
      for (Argument &a : c.launch.arguments) add(a.kind, a.index, a.offset);
      for (Extent &extent : c.launch.domain) add(extent.kind, extent.value);
    }
  }

  std::vector<std::pair<void *, size_t>> fields;
};

/// A step of an accepted plan: whatever it answers, it stays inside its memory.
void runStep(PlanImage image) {
  const Expected<std::shared_ptr<const LoadedPlan>> plan = loadPlan(std::move(image), {});
  if (!plan.ok() || (*plan)->tables.weightsBytes() > (1u << 20)) return;
  const Expected<std::shared_ptr<const Model>> model = makeModel(*plan, *randomRows(1), 1, {});
  if (!model.ok()) return;
  const Expected<std::unique_ptr<Session>> session = Session::create(*model, {.maxSequences = 2, .threads = 1});
  if (!session.ok()) return;
  const Expected<Sequence *> sequence = (*session)->createSequence();
  if (!sequence.ok()) return;
  for (const std::vector<int32_t> &tokens : {std::vector<int32_t>{3, 1, 2, 5, 7}, std::vector<int32_t>{4}}) {
    const StepEntry entry{*sequence, tokens.data(), tokens.size(), Logits::all};
    (void)(*session)->step({&entry, 1});
  }
}

/// Edits of twelve bytes: field, how, a number.
void editPlan(std::span<const uint8_t> edits) {
  PlanTables tables = mmc::test::tinyTables();
  Fields fields(tables);
  for (; edits.size() >= 12; edits = edits.subspan(12)) {
    uint16_t index;
    uint64_t value;
    std::memcpy(&index, edits.data(), sizeof index);
    std::memcpy(&value, edits.data() + 4, sizeof value);
    fields.set(index, edits[2], value);
  }
  Expected<PlanImage> image = PlanImage::copy(mmc::test::tinyPlan(tables));
  require(image.ok());
  const Expected<PlanTables> verified = verifyPlan(*image);
  require(verified.ok() || !verified.status().message().empty());
  if (verified.ok()) runStep(std::move(*image));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  const std::span<const uint8_t> rest(data + 1, size - 1);
  switch (data[0]) {
  case 0: {
    const Expected<PlanImage> image = PlanImage::copy(rest);
    require(image.ok() || !image.status().message().empty());
    if (image.ok()) (void)verifyPlan(*image);
    break;
  }
  case 1: {
    // FlatBuffers expects an aligned buffer, as segments are.
    const std::vector<uint64_t> aligned((rest.size() + 7) / 8 + 1);
    auto *copy = reinterpret_cast<uint8_t *>(const_cast<uint64_t *>(aligned.data()));
    std::copy(rest.begin(), rest.end(), copy);
    const Expected<PlanTables> tables = decodePlan({copy, rest.size()}, 20);
    if (!tables.ok()) {
      require(!tables.status().message().empty());
      break;
    }
    // Tables that were accepted must be in range: touch what execution would index.
    for (const Program &program : tables->layerKinds)
      for (const Command &command : program.commands) require(command.launch.kernel < tables->kernels.size());
    require(tables->layerOrdinals.size() == tables->stack.size());
    for (const EntryPoint &entry : tables->entryPoints)
      for (size_t i = 0; i < entry.offsets.size(); ++i)
        require(entry.offsets[i] + bufferBytes(tables->buffers[i], entry) <= entry.arenaBytes);
    break;
  }
  case 3:
    editPlan(rest);
    break;
  case 4:
  case 5: {
    const std::string symbols[] = {"embed__sm_90a", "head__sm_90a"};
    const CudaArchitecture architecture = *parseArchitecture("sm_90a");
    const Status status = checkDeviceImage("image", data[0] == 4 ? &architecture : nullptr, rest, symbols);
    require(status.ok() || !status.message().empty());
    break;
  }
  default: {
    const std::string symbols[] = {"embed__x86_64_v3", "head__avx512"};
    (void)checkHostObject(rest, symbols);
  }
  }
  return 0;
}
