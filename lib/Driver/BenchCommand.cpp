// mmc bench: prompt and generation speed over a grid, against what the machine can do.
//
// For every depth D a sequence of D tokens is made first, untimed; then `pp` times a prompt of P tokens and `tg` a
// generation of N tokens, token by token. Each is repeated; the median counts, and the spread is shown. Ratios are to
// peaks measured in the same run:
//   tg  bytes that a token touches (weights of its experts, attention, router, norms, head once, state read and
//   written) over the time, to the
//       bandwidth of plain reads
//   pp  2 x active parameters x tokens + 2 x head for one row, over the time, to the peak of multiply-adds (bfloat16:
//   of dot products)
#include "lib/Driver/EngineFlags.h"
#include "lib/Driver/Generation.h"
#include "lib/Driver/Interrupt.h"
#include "lib/Driver/MachinePeaks.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mmc::driver {

namespace {

using Json = nlohmann::ordered_json;

struct BenchFlags {
  EngineFlags engine;
  std::vector<uint64_t> prompts = {512}, generated = {64}, depths = {0};
  uint32_t repetitions = 5, prefillChunk = 0;
  uint64_t readBytes = uint64_t(2) << 30;
  bool json = false;
};

struct Row {
  std::string name; // pp512, tg64 @ d4096
  bool decode;
  uint64_t tokens, depth;
  std::vector<double> seconds; // sorted
  double ratio = 0;            // of the median

  double median() const {
    const size_t n = seconds.size();
    return n % 2 ? seconds[n / 2] : (seconds[n / 2 - 1] + seconds[n / 2]) / 2;
  }
  double rate() const { return double(tokens) / median(); }
  double slowest() const { return double(tokens) / seconds.back(); }
  double fastest() const { return double(tokens) / seconds.front(); }
};

/// Reproducible ids spread over the vocabulary, without the padding.
std::vector<int32_t> benchTokens(const EngineInfo &info, uint64_t count) {
  std::vector<bool> padding(info.vocabulary);
  for (int32_t id : info.suppressed) padding[size_t(id)] = true;
  std::vector<int32_t> ids;
  uint64_t random = 1;
  for (uint64_t tries = 0; ids.size() < count && tries < count + 64 * uint64_t(info.vocabulary); ++tries) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const int32_t id = int32_t((random >> 33) % info.vocabulary);
    if (!padding[size_t(id)]) ids.push_back(id);
  }
  ids.resize(count);
  return ids;
}

class Bench {
public:
  Bench(const BenchFlags &flags, OpenedEngine &opened, ProgressMode progress)
      : flags(flags), engine(*opened.engine), tables(opened.plan->tables), progress(progress, "bench") {}

  Status run() {
    auto chosen = chunkSize(engine.info(), flags.prefillChunk);
    MMC_RETURN_IF_ERROR(chosen.status());
    chunk = *chosen;
    auto measured = measurePeaks(flags.engine.threads, flags.readBytes);
    MMC_RETURN_IF_ERROR(measured.status());
    peaks = *measured;
    InterruptScope interruptible(engine.session());
    for (uint64_t depth : flags.depths) {
      for (uint64_t tokens : flags.prompts)
        if (tokens) MMC_RETURN_IF_ERROR(measure(false, tokens, depth));
      for (uint64_t tokens : flags.generated)
        if (tokens) MMC_RETURN_IF_ERROR(measure(true, tokens, depth));
    }
    return {};
  }

  std::vector<Row> rows;
  MachinePeaks peaks;

private:
  Status measure(bool decode, uint64_t tokens, uint64_t depth) {
    Row row{cat(decode ? "tg" : "pp", tokens, depth ? cat(" @ d", depth) : ""), decode, tokens, depth, {}};
    if (depth + tokens > engine.info().maxModelLen)
      return Status(
          kContextExceeded,
          cat(row.name, ": needs ", depth + tokens, " tokens, the longest sequence is ", engine.info().maxModelLen),
          "give smaller -p, -n or -d, or a larger --max-model-len");
    const std::vector<int32_t> ids = benchTokens(engine.info(), std::max(depth, tokens));
    MMC_RETURN_IF_ERROR(
        once(decode, std::span(ids).first(std::min<uint64_t>(tokens, decode ? 4 : tokens)), {}).status()); // warm up
    for (uint32_t i = 0; i < flags.repetitions; ++i) {
      auto seconds = once(decode, std::span(ids).first(tokens), std::span(ids).first(depth));
      MMC_RETURN_IF_ERROR(seconds.status());
      row.seconds.push_back(*seconds);
      progress.update(++done, total());
    }
    std::sort(row.seconds.begin(), row.seconds.end());
    row.ratio = ratioOf(row);
    rows.push_back(std::move(row));
    return {};
  }

  Expected<double> once(bool decode, std::span<const int32_t> tokens, std::span<const int32_t> depth) {
    MMC_RETURN_IF_ERROR(engine.restart());
    MMC_RETURN_IF_ERROR(prefill(engine, depth, chunk, Engine::Rows::none).status());
    Stopwatch watch;
    MMC_RETURN_IF_ERROR(
        prefill(engine, tokens, decode ? 1 : chunk, decode ? Engine::Rows::all : Engine::Rows::last).status());
    return watch.seconds();
  }

  double ratioOf(const Row &row) const {
    const DecodeCost cost = decodeCost(tables);
    if (row.decode) return double(cost.weightBytes + cost.stateBytes) * row.rate() / peaks.readBytesPerSecond;
    const double flop = 2.0 * double(cost.activeParameters) * double(row.tokens) + 2.0 * double(cost.headParameters);
    const bool dot = tables.dtype == runtime::DType::bf16 && peaks.dotFlops > 0;
    return flop / row.median() / (dot ? peaks.dotFlops : peaks.fmaFlops);
  }

  uint64_t total() const {
    auto timed = [](const std::vector<uint64_t> &sizes) {
      return uint64_t(std::count_if(sizes.begin(), sizes.end(), [](uint64_t n) { return n > 0; }));
    };
    return flags.depths.size() * (timed(flags.prompts) + timed(flags.generated)) * flags.repetitions;
  }

  const BenchFlags &flags;
  Engine &engine;
  const runtime::PlanTables &tables;
  Progress progress;
  uint32_t chunk = 1;
  uint64_t done = 0;
};

Json benchJson(const Bench &bench, const OpenedEngine &opened) {
  const EngineInfo &info = opened.engine->info();
  const DecodeCost cost = decodeCost(opened.plan->tables);
  Json json;
  json["plan"] = {{"digest", info.digest},
                  {"targets", targetsOf(opened.plan->tables)},
                  {"ranks", info.ranks},
                  {"dtype", info.dtype},
                  {"cpu_variant", info.variant}};
  json["machine"] = {{"threads", bench.peaks.threads},
                     {"isa", bench.peaks.isa},
                     {"read_bytes_per_second", bench.peaks.readBytesPerSecond},
                     {"fma_flop_per_second", bench.peaks.fmaFlops},
                     {"bf16_dot_flop_per_second", bench.peaks.dotFlops}};
  json["cost"] = {{"active_parameters", cost.activeParameters},
                  {"head_parameters", cost.headParameters},
                  {"decode_weight_bytes", cost.weightBytes},
                  {"decode_state_bytes", cost.stateBytes}};
  json["results"] = Json::array();
  for (const Row &row : bench.rows)
    json["results"].push_back(
        {{"test", row.name},
         {"kind", row.decode ? "decode" : "prefill"},
         {"tokens", row.tokens},
         {"depth", row.depth},
         {"repetitions", row.seconds.size()},
         {"seconds", row.seconds},
         {"tokens_per_second", {{"median", row.rate()}, {"min", row.slowest()}, {"max", row.fastest()}}},
         {"ratio", row.ratio},
         {"ratio_to", row.decode ? "read_bandwidth" : "peak_flops"}});
  return json;
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string benchText(const Bench &bench) {
  std::string text = cat("test                 tokens/s        min        max    of peak\n");
  for (const Row &row : bench.rows) {
    std::string name = row.name;
    name.resize(std::max<size_t>(name.size(), 18), ' ');
    text += cat(name, padded(formatFixed(row.rate(), 2), 11), padded(formatFixed(row.slowest(), 2), 11),
                padded(formatFixed(row.fastest(), 2), 11), padded(formatFixed(row.ratio * 100, 1), 8), " % of ",
                row.decode ? "read bandwidth" : "peak FLOP/s", "\n");
  }
  const MachinePeaks &peaks = bench.peaks;
  text += cat("machine: ", peaks.threads, " threads, reads ", formatFixed(peaks.readBytesPerSecond / 1e9, 1),
              " GB/s, float32 ", peaks.isa, " ", formatFixed(peaks.fmaFlops / 1e9, 1), " GFLOP/s");
  if (peaks.dotFlops > 0) text += cat(", bfloat16 dot ", formatFixed(peaks.dotFlops / 1e9, 1), " GFLOP/s");
  return text + "\n";
}

Status runBench(const BenchFlags &flags, ProgressMode progress) {
  if (isReference(flags.engine))
    return Status(kUsage, "bench measures plans, not the reference interpreter", "leave --target reference out");
  auto opened = openEngine(flags.engine, progress);
  MMC_RETURN_IF_ERROR(opened.status());
  Bench bench(flags, *opened, progress);
  MMC_RETURN_IF_ERROR(bench.run());
  return writeOutput(flags.json ? benchJson(bench, *opened).dump(2) + "\n" : benchText(bench));
}

/// A comma-separated list of counts.
void addCountList(CLI::App *command, const std::string &names, std::vector<uint64_t> &values,
                  const std::string &description) {
  std::function<void(const std::string &)> read = [names, &values](const std::string &text) {
    values.clear();
    for (const std::string &item : CLI::detail::split(text, ',')) {
      std::optional<uint64_t> count = parseCount(item);
      if (!count || *count > uint64_t(1) << 32)
        throw CLI::ValidationError(names,
                                   "found '" + item + "', expected counts separated by commas, suffix K or M allowed");
      values.push_back(*count);
    }
  };
  command->add_option_function<std::string>(names, read, description)
      ->type_name("N,...")
      ->take_last()
      ->envname(environmentName(names));
}

} // namespace

void addBenchCommand(const CommandLine &line) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App *command =
      line.add("bench", "measure prompt and generation speed over a grid, against the machine's own peaks",
               [flags, progress = &line.progress] { return runBench(*flags, *progress); });
  addEngineFlags(command, flags->engine);
  addCountList(command, "-p,--n-prompt", flags->prompts, "prompt tokens (default: 512; 0: none)");
  addCountList(command, "-n,--n-gen", flags->generated, "generated tokens (default: 64; 0: none)");
  addCountList(command, "-d,--n-depth", flags->depths, "tokens in the sequence before (default: 0)");
  addCount(command, "-r,--repetitions", flags->repetitions, "repetitions of each (default: 5)", 1, 10000);
  addCount(command, "--prefill-chunk", flags->prefillChunk,
           "prompt tokens per step (default: as many as the plan takes)", 1);
  addCount(command, "--read-bytes", flags->readBytes, "memory of a read pass (default: 2048M)", 1 << 20,
           uint64_t(1) << 40);
  addSwitch(command, "--json", flags->json, "print one JSON object");
}

} // namespace mmc::driver
