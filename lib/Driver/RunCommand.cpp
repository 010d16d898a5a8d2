// mmc run: a prompt in, text out.
#include "lib/Driver/EngineFlags.h"
#include "lib/Driver/Generation.h"
#include "lib/Driver/LogitsFile.h"
#include "lib/Driver/Outputs.h"
#include "lib/Driver/Prompt.h"
#include "lib/Driver/Trace.h"
#include "lib/Text/Detokenizer.h"
#include "lib/Text/GenerationConfig.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mmc::driver {

namespace {

struct RunFlags {
  EngineFlags engine;
  PromptFlags prompt;
  text::SamplingParameters sampling;
  uint64_t maxTokens = 128;
  uint32_t prefillChunk = 0;
  std::string tokenizer, dumpLogits, trace;
  bool ignoreEos = false, json = false;
};

/// What a run opened and made, for its report.
struct Run {
  const RunFlags &flags;
  std::optional<text::Tokenizer> tokenizer;
  std::string folder; // of config.json and tokenizer.json; empty: none
  OpenedEngine opened;
  std::vector<int32_t> prompt;
  std::string text; // generated
};

uint64_t peakResidentBytes() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return uint64_t(usage.ru_maxrss) * 1024;
}

Status loadTokenizer(Run &run) {
  run.folder = run.flags.tokenizer.empty() ? modelFolder(run.flags.engine) : run.flags.tokenizer;
  std::string file = run.folder;
  if (run.flags.tokenizer.empty()) {
    struct stat info;
    file += "/tokenizer.json";
    if (run.folder.empty() || stat(file.c_str(), &info) != 0) return {}; // a model without one still runs on ids
  }
  auto loaded = text::Tokenizer::load(file);
  MMC_RETURN_IF_TEXT_ERROR(loaded);
  run.tokenizer = std::move(*loaded);
  return {};
}

/// The prompt's ids, before anything slow begins.
Status readPrompt(Run &run) {
  MMC_RETURN_IF_ERROR(loadTokenizer(run));
  auto ids = promptTokens(run.flags.prompt, run.tokenizer ? &*run.tokenizer : nullptr, run.folder);
  MMC_RETURN_IF_ERROR(ids.status());
  run.prompt = std::move(*ids);
  return {};
}

Expected<text::Sampler> makeSampler(const Run &run) {
  const EngineInfo &info = run.opened.engine->info();
  text::TokenMask mask(info.vocabulary);
  for (int32_t id : info.suppressed) mask.suppress(id);
  if (run.tokenizer) mask.suppressFrom(int64_t(run.tokenizer->lastTokenId()) + 1);
  auto sampler = text::Sampler::create(run.flags.sampling, std::move(mask));
  MMC_RETURN_IF_TEXT_ERROR(sampler);
  return std::move(*sampler);
}

/// The model's files decide; without them the ids that the plan was compiled with.
Expected<text::StopTokens> stopTokens(const Run &run) {
  if (run.flags.ignoreEos) return text::StopTokens();
  const EngineInfo &info = run.opened.engine->info();
  if (!run.folder.empty() && inputKind(run.folder) == InputKind::modelFolder) {
    auto config = text::loadGenerationConfig(run.folder, run.tokenizer ? &*run.tokenizer : nullptr, info.vocabulary);
    MMC_RETURN_IF_TEXT_ERROR(config);
    if (!config->eosTokenIds.empty()) return text::StopTokens(config->eosTokenIds);
  }
  return text::StopTokens(info.stopTokens);
}

/// Streams tokens to standard output: text with a tokenizer, else ids separated by commas.
class TokenWriter {
public:
  TokenWriter(Run &run) : run(run) {
    if (run.tokenizer) detokenizer.emplace(*run.tokenizer, text::DecodeOptions{.skipSpecial = true});
  }
  Status push(int32_t id, bool isStop) {
    if (!detokenizer) return emit((first ? "" : ",") + std::to_string(id));
    if (isStop) return {};
    auto piece = detokenizer->push(id);
    MMC_RETURN_IF_TEXT_ERROR(piece);
    return emit(*piece);
  }
  Status finish() {
    if (detokenizer) MMC_RETURN_IF_ERROR(emit(detokenizer->flush()));
    return run.flags.json ? Status() : writeOutput("\n");
  }

private:
  Status emit(const std::string &piece) {
    first = false;
    run.text += piece;
    return run.flags.json || piece.empty() ? Status() : writeOutput(piece);
  }
  Run &run;
  std::optional<text::Detokenizer> detokenizer;
  bool first = true;
};

double perSecond(uint64_t count, double seconds) { return seconds > 0 ? double(count) / seconds : 0; }

Status printJson(const Run &run, const Generation &made) {
  const EngineInfo &info = run.opened.engine->info();
  nlohmann::ordered_json json;
  json["prompt_tokens"] = run.prompt.size();
  json["tokens"] = made.tokens;
  json["text"] = nullptr;
  if (run.tokenizer) json["text"] = run.text;
  json["finish_reason"] = made.stopped ? "stop" : "length";
  json["timings"] = {{"compile_seconds", run.opened.compileSeconds},
                     {"load_seconds", run.opened.loadSeconds},
                     {"prefill_seconds", made.prefillSeconds},
                     {"decode_seconds", made.decodeSeconds},
                     {"prefill_tokens_per_second", perSecond(run.prompt.size(), made.prefillSeconds)},
                     {"decode_tokens_per_second", perSecond(made.decodeSteps, made.decodeSeconds)},
                     {"peak_rss_bytes", peakResidentBytes()}};
  json["plan"] = {{"digest", nullptr}, {"targets", {info.target}}, {"ranks", info.ranks}};
  if (run.opened.plan) json["plan"]["targets"] = targetsOf(run.opened.plan->tables);
  if (!info.digest.empty()) json["plan"]["digest"] = info.digest;
  return writeOutput(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void printFigures(const Run &run, const Generation &made) {
  note(cat("prompt ", run.prompt.size(), " tokens in ", formatFixed(made.prefillSeconds, 3), " s, ",
           formatFixed(perSecond(run.prompt.size(), made.prefillSeconds), 1), " tokens/s"));
  note(cat("generated ", made.tokens.size(), " tokens, ",
           formatFixed(perSecond(made.decodeSteps, made.decodeSeconds), 1), " tokens/s, finished by ",
           made.stopped ? "stop" : "length"));
  if (const uint64_t longest = run.opened.engine->info().maxModelLen;
      !made.stopped && made.tokens.size() < run.flags.maxTokens)
    note(cat(made.tokens.empty() ? "the prompt alone is" : "prompt and text together are",
             " as long as the longest sequence, ", longest, " tokens: compile with a larger --max-model-len for more"));
  if (!run.opened.plan) return;
  note("plan");
  for (const std::string &line : certificateLines(*run.opened.plan)) note("  " + line);
}

/// A file that appears when the run has succeeded.
Expected<std::optional<runtime::OutputFile>> createOutput(const RunFlags &flags, const char *flag,
                                                          const std::string &path, OutputForm form) {
  std::optional<runtime::OutputFile> file;
  if (path.empty()) return std::move(file);
  if (path == "-")
    return Status(kUsage, cat(flag, ": found '-', and standard output carries what is generated"), "give a file");
  std::vector<std::string> inputs = {flags.engine.model, flags.engine.weights, flags.tokenizer};
  inputs.push_back(flags.prompt.promptFile.value_or(""));
  if (flags.prompt.inputIds && flags.prompt.inputIds->starts_with("@"))
    inputs.push_back(flags.prompt.inputIds->substr(1));
  auto created = openOutput(flag, path, form, inputs);
  MMC_RETURN_IF_ERROR(created.status());
  file.emplace(std::move(*created));
  return std::move(file);
}

/// What can be told without the model.
Status checkFlags(const RunFlags &flags) {
  MMC_RETURN_IF_TEXT_ERROR(flags.sampling.validate());
  if (!flags.trace.empty() && isReference(flags.engine))
    return Status(kUsage, "--trace needs a plan: the reference interpreter has no launches", "leave --trace out");
  if (!flags.trace.empty() && flags.trace == flags.dumpLogits)
    return Status(kUsage, cat("--trace and --dump-logits both name ", flags.trace), "give two names");
  return {};
}

/// On a terminal the prompt stands before its continuation; standard output gets the continuation alone.
void echoPrompt(const Run &run) {
  const PromptFlags &prompt = run.flags.prompt;
  if (run.flags.json || prompt.chat || !prompt.prompt || prompt.prompt->size() > 4096) return;
  if (isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1) fputs(prompt.prompt->c_str(), stderr);
}

Status runModel(const RunFlags &flags, ProgressMode progress) {
  Run run{flags, {}, {}, {}, {}, {}};
  MMC_RETURN_IF_ERROR(checkFlags(flags));
  MMC_RETURN_IF_ERROR(readPrompt(run));
  auto logitsFile = createOutput(flags, "--dump-logits", flags.dumpLogits, OutputForm::binary);
  MMC_RETURN_IF_ERROR(logitsFile.status());
  auto traceFile = createOutput(flags, "--trace", flags.trace, OutputForm::text);
  MMC_RETURN_IF_ERROR(traceFile.status());
  auto opened = openEngine(flags.engine, progress);
  MMC_RETURN_IF_ERROR(opened.status());
  run.opened = std::move(*opened);
  Engine &engine = *run.opened.engine;
  if (run.tokenizer) MMC_RETURN_IF_TEXT_ERROR(run.tokenizer->checkFits(engine.info().vocabulary));
  if (flags.prefillChunk) MMC_RETURN_IF_ERROR(chunkSize(engine.info(), flags.prefillChunk).status());
  auto sampler = makeSampler(run);
  MMC_RETURN_IF_ERROR(sampler.status());
  auto stop = stopTokens(run);
  MMC_RETURN_IF_ERROR(stop.status());
  std::optional<LaunchTrace> trace;
  if (*traceFile) trace.emplace(engine.session(), run.opened.plan->tables);
  echoPrompt(run);
  TokenWriter writer(run);
  GenerationOptions options{flags.maxTokens, flags.prefillChunk, *stop, logitsFile->has_value(),
                            [&](int32_t id, bool isStop) { return writer.push(id, isStop); }};
  auto made = generate(engine, run.prompt, *sampler, options);
  MMC_RETURN_IF_ERROR(made.status());
  MMC_RETURN_IF_ERROR(writer.finish());
  if (*logitsFile)
    MMC_RETURN_IF_ERROR(writeLogits(**logitsFile, engine.info().vocabulary, made->promptLogits, made->stepLogits));
  if (trace) MMC_RETURN_IF_ERROR(trace->write(**traceFile));
  if (flags.json) MMC_RETURN_IF_ERROR(printJson(run, *made));
  printFigures(run, *made);
  return {};
}

} // namespace

void addRunCommand(const CommandLine &line) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App *command = line.add("run", "generate from a prompt; a model folder is imported and compiled first",
                               [flags, progress = &line.progress] { return runModel(*flags, *progress); });
  addEngineFlags(command, flags->engine);
  addFlagValue(command, "-p,--prompt", flags->prompt.prompt, "text to continue")->type_name("TEXT");
  addFlagValue(command, "-f,--prompt-file", flags->prompt.promptFile,
               "file with the text to continue; - for standard input")
      ->type_name("FILE");
  addFlagValue(command, "--input-ids", flags->prompt.inputIds, "token ids: 1,2,3 or @FILE")->type_name("IDS");
  addSwitch(command, "--chat", flags->prompt.chat, "wrap the prompt in the model's chat template");
  addFlagValue(command, "--tokenizer", flags->tokenizer, "folder with tokenizer.json (default: the model's)")
      ->type_name("DIR");
  addCount(command, "-n,--max-tokens", flags->maxTokens, "tokens to generate (default: 128)");
  addFlagValue(command, "--temperature", flags->sampling.temperature, "0 is greedy (default)");
  addFlagValue(command, "--top-k", flags->sampling.topK, "keep the K most probable tokens; 0: all");
  addFlagValue(command, "--top-p", flags->sampling.topP, "keep the most probable tokens up to this probability");
  addFlagValue(command, "--seed", flags->sampling.seed, "seed of the draws");
  addSwitch(command, "--ignore-eos", flags->ignoreEos, "do not stop at an end-of-sequence token");
  addCount(command, "--prefill-chunk", flags->prefillChunk,
           "prompt tokens per step (default: as many as the plan takes)", 1);
  addFlagValue(command, "--dump-logits", flags->dumpLogits, "write prompt_logits and step_logits")
      ->type_name("FILE.safetensors");
  addFlagValue(command, "--trace", flags->trace, "write every launch as a Chrome trace, for ui.perfetto.dev")
      ->type_name("FILE.json");
  addSwitch(command, "--json", flags->json, "print one JSON object instead of streaming text");
}

} // namespace mmc::driver
