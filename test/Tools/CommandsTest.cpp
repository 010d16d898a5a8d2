// The commands' outputs and exit codes as scripts rely on them. One plan of the demo is compiled for all tests.
#include "runtime/src/Safetensors.h"
#include "test/E2E/Golden.h"
#include "test/Tools/Process.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

class Commands : public testing::Test {
protected:
  static void SetUpTestSuite() {
    folder = new TemporaryFolder();
    const Outcome compiled =
        runMmc({"compile", demo(), "-o", plan(), "--max-model-len", "256", "--max-num-batched-tokens", "64"});
    ASSERT_EQ(compiled.exitCode, 0) << compiled.err;
    EXPECT_EQ(compiled.out, "");
    EXPECT_NE(compiled.err.find("state per sequence"), std::string::npos) << "no memory certificate";
  }
  static void TearDownTestSuite() { delete folder; }
  static std::string demo() { return inputFolder("demo"); }
  static std::string plan() { return folder->path("demo.plan"); }
  static Outcome run(std::vector<std::string> arguments, const ProcessOptions &options = {}) {
    arguments.insert(arguments.begin(), {"run", plan(), "--weights", demo()});
    return runMmc(arguments, options);
  }
  static TemporaryFolder *folder;
};

TemporaryFolder *Commands::folder = nullptr;

std::string join(const std::vector<int32_t> &ids, const char *separator = ",") {
  std::string text;
  for (int32_t id : ids) text += (text.empty() ? "" : separator) + std::to_string(id);
  return text;
}

std::vector<float> floats(const runtime::SafetensorsFile &file, const std::string &name, uint64_t rows,
                          uint64_t columns) {
  const runtime::TensorInfo *tensor = file.find(name);
  if (!tensor) {
    ADD_FAILURE() << "no tensor " << name;
    return {};
  }
  EXPECT_EQ(tensor->type, runtime::TensorType::f32);
  EXPECT_EQ(std::vector<uint64_t>(tensor->shape.begin(), tensor->shape.end()), (std::vector<uint64_t>{rows, columns}));
  std::vector<float> values(tensor->bytes / 4);
  EXPECT_TRUE(file.read(*tensor, 0, {reinterpret_cast<uint8_t *>(values.data()), tensor->bytes}).ok());
  return values;
}

// ----------------------------------------------------------------------------------------------------------------------
// general

TEST_F(Commands, VersionAndHelp) {
  const Outcome version = runMmc({"--version"});
  EXPECT_EQ(version.exitCode, 0);
  for (const char *part : {"mmc ", "C ABI", "plan format"})
    EXPECT_NE(version.out.find(part), std::string::npos) << part;
  const Outcome help = runMmc({"--help"});
  EXPECT_EQ(help.exitCode, 0);
  for (const char *command : {"import", "compile", "run", "tokenize", "inspect", "verify", "bench"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
    const Outcome own = runMmc({command, "--help"});
    EXPECT_EQ(own.exitCode, 0) << command;
    EXPECT_NE(own.out.find("--help"), std::string::npos) << command;
  }
}

// Every flag that is promised exists.
TEST_F(Commands, Flags) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> promised = {
      {"compile",
       {"--target", "--dtype", "--quantization", "--devices", "--tensor-parallel-size", "--ep", "--etp", "--sp",
        "--max-model-len", "--ctx-size", "--max-num-seqs", "--max-num-batched-tokens", "--rank-shapes", "--cache-dir",
        "--stop-after", "--print-ir-after", "--disable-pass", "--emit", "--model"}},
      {"run", {"--weights",   "--prompt",      "--prompt-file", "--input-ids",  "--max-tokens",    "--temperature",
               "--top-k",     "--top-p",       "--seed",        "--ignore-eos", "--chat",          "--prefill-chunk",
               "--threads",   "--cpu-variant", "--cuda-graphs", "--cuda-sync",  "--no-host-code",  "--target",
               "--dtype",     "--dump-logits", "--json",        "--trace",      "--max-model-len", "--disable-pass",
               "--cache-dir", "--cuda-variant"}},
      {"tokenize", {"--text", "--file", "--decode", "--parse-special", "--json"}},
      {"inspect", {"--json"}},
      {"verify", {"--weights"}},
      {"bench", {"-p", "-n", "-d", "-r", "--weights", "--json"}}};
  for (const auto &[command, flags] : promised) {
    const std::string help = runMmc({command, "--help"}).out;
    for (const std::string &flag : flags) EXPECT_NE(help.find(flag), std::string::npos) << command << " " << flag;
  }
}

TEST_F(Commands, UsageErrors) {
  expectError(runMmc({}), 2, "subcommand");
  expectError(runMmc({"fly"}), 2, "fly");
  expectError(runMmc({"run", demo(), "--prompt", "a", "--bogus"}), 2, "--bogus");
  expectError(runMmc({"run"}), 2, "model");
  expectError(runMmc({"compile", demo(), "-o", folder->path("x.plan"), "--max-model-len", "12Q"}), 2, "12Q");
  expectError(runMmc({"compile", demo(), "-o", folder->path("x.plan"), "--dtype", "int3"}), 2, "int3");
  expectError(run({"--prompt", "a", "--max-tokens", "-5"}), 2, "-5");
  expectError(run({"--prompt", "a", "--temperature", "-1"}), 2, "temperature");
  expectError(run({"--prompt", "a", "--top-p", "0"}), 2, "top");
  expectError(run({}), 2, "--prompt");
  expectError(run({"--prompt", "a", "--input-ids", "1"}), 2, "exactly one");
  expectError(runMmc({"run", plan(), "--prompt", "a"}), 2, "--");
  expectError(runMmc({"tokenize", demo()}), 2, "--text");
}

// What this build cannot do is refused by name, with the exit code of incompatibility.
TEST_F(Commands, Unsupported) {
  const std::string output = folder->path("unsupported.plan");
  expectError(runMmc({"compile", demo(), "-o", output, "--target", "metal"}), 3, "metal");
  expectError(runMmc({"compile", demo(), "-o", output, "--quantization", "int8"}), 3, "int8");
  expectError(runMmc({"compile", demo(), "-o", output, "--devices", "8"}), 3, "--devices");
  expectError(runMmc({"compile", demo(), "-o", output, "--tp", "2"}), 3, "--tensor-parallel-size");
  expectError(run({"--prompt", "a", "--no-host-code"}), 3, "host code");
  expectError(run({"--prompt", "a", "--cpu-variant", "pentium"}), 3, "pentium");
  EXPECT_FALSE(std::filesystem::exists(output));
}

// ----------------------------------------------------------------------------------------------------------------------
// commands

TEST_F(Commands, Tokenize) {
  const Golden golden = loadGolden("demo");
  const std::string ids = join(golden.cases[0].ids);
  EXPECT_EQ(runMmc({"tokenize", demo(), "--text", "In the beginning"}).out, ids + "\n");
  EXPECT_EQ(runMmc({"tokenize", demo() + "/tokenizer.json", "--text", "In the beginning", "--json"}).json(),
            (nlohmann::json{{"ids", golden.cases[0].ids}}));
  EXPECT_EQ(runMmc({"tokenize", demo(), "--decode", ids, "--json"}).json(),
            (nlohmann::json{{"text", "In the beginning"}}));
  writeFile(folder->path("text"), "In the beginning");
  EXPECT_EQ(runMmc({"tokenize", demo(), "--file", folder->path("text")}).out, ids + "\n");
  expectError(runMmc({"tokenize", demo(), "--decode", "1,99999999"}), 2, "99999999");
  expectError(runMmc({"tokenize", demo(), "--decode", "1,x"}), 2, "'x'");
}

TEST_F(Commands, ImportAndStop) {
  const Outcome printed = runMmc({"import", demo(), "-o", "-"});
  EXPECT_EQ(printed.exitCode, 0) << printed.err;
  EXPECT_NE(printed.out.find("model.program"), std::string::npos);
  const std::string model = folder->path("model.mlir");
  EXPECT_EQ(runMmc({"import", demo() + "/config.json", "-o", model}).exitCode, 0);
  const auto stop = [&](const char *level) {
    return runMmc({"compile", model, "-o", folder->path(std::string(level) + ".mlir"), "--stop-after", level});
  };
  EXPECT_EQ(stop("tile").exitCode, 0);
  EXPECT_NE(readFile(folder->path("tile.mlir")).find("tile.kernel"), std::string::npos);
  EXPECT_EQ(stop("plan").exitCode, 0);
  EXPECT_NE(readFile(folder->path("plan.mlir")).find("plan."), std::string::npos);
}

TEST_F(Commands, InspectPlan) {
  const nlohmann::json json = runMmc({"inspect", plan(), "--json"}).json();
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["digest"].get<std::string>().size(), 64u);
  EXPECT_EQ(json["targets"], nlohmann::json({"cpu"}));
  EXPECT_EQ(json["ranks"], 1);
  EXPECT_EQ(json["parameters"]["total"], 4037632);
  EXPECT_EQ(json["recurrence_block"], 64);
  EXPECT_TRUE(json["collectives"].is_array());
  EXPECT_FALSE(json["cpu_variants"].empty());
  EXPECT_FALSE(json["entry_points"].empty());
  EXPECT_TRUE(json.contains("format"));
  const nlohmann::json &memory = json["memory"].at(0);
  // 7 lightning layers of 4 heads x 32 x 32 float32; 1 softmax layer with 2 KV heads x 32, keys and values, float32.
  EXPECT_EQ(memory["state_bytes_per_sequence"], 7 * 4 * 32 * 32 * 4);
  EXPECT_EQ(memory["kv_bytes_per_token"], 2 * 2 * 32 * 4);
  EXPECT_EQ(memory["max_context"], 256);
  EXPECT_EQ(memory["communication_bytes"], 0);
  EXPECT_EQ(memory["rank"], 0);
  EXPECT_GE(memory["weights_bytes"].get<uint64_t>(), 4037632u * 4);
  EXPECT_GT(memory["arena_bytes"].get<uint64_t>(), 0u);
  uint64_t lightning = 0;
  for (const nlohmann::json &kernel : json["kernels"])
    if (kernel["name"].get<std::string>().find("lightning_decode") == 0) lightning += kernel["count"].get<uint64_t>();
  EXPECT_EQ(lightning, 7u);
}

TEST_F(Commands, InspectOthers) {
  const nlohmann::json full = runMmc({"inspect", inputFolder("text01-full"), "--json"}).json();
  EXPECT_EQ(full["parameters"]["total"], 456089655296);
  EXPECT_EQ(full["parameters"]["active"], 45944920064);
  const nlohmann::json weights = runMmc({"inspect", demo() + "/model.safetensors", "--json"}).json();
  EXPECT_GT(weights["tensors"].size(), 10u);
  EXPECT_NE(runMmc({"inspect", demo()}).out.find("4,037,632 parameters"), std::string::npos);
  expectError(runMmc({"inspect", folder->path("absent.plan")}), 1, "absent.plan");
}

TEST_F(Commands, Verify) {
  const Outcome good = runMmc({"verify", plan(), "--weights", demo()});
  EXPECT_EQ(good.exitCode, 0) << good.err;
  EXPECT_EQ(std::count(good.out.begin(), good.out.end(), '\n'), 1);
  expectError(runMmc({"verify", plan(), "--weights", inputFolder("text01-tiny")}), 3, "model.");
}

TEST_F(Commands, RunText) {
  const nlohmann::json golden = nlohmann::json::parse(readFile(demo() + "/golden.json"));
  const Outcome streamed = run({"--prompt", "In the beginning", "--max-tokens", "64", "--ignore-eos"});
  EXPECT_EQ(streamed.exitCode, 0) << streamed.err;
  EXPECT_EQ(streamed.out, golden["cases"][0]["text"].get<std::string>() + "\n");
  EXPECT_NE(streamed.err.find("tokens/s"), std::string::npos);
  writeFile(folder->path("prompt"), "In the beginning");
  EXPECT_EQ(run({"--prompt-file", folder->path("prompt"), "--max-tokens", "64", "--ignore-eos"}).out, streamed.out);
}

TEST_F(Commands, RunJson) {
  const Golden golden = loadGolden("demo");
  const GoldenCase &item = golden.cases[2];
  writeFile(folder->path("ids"), join(item.ids, "\n"));
  const nlohmann::json json =
      run({"--input-ids", "@" + folder->path("ids"), "--max-tokens", "16", "--ignore-eos", "--json"}).json();
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["prompt_tokens"], item.ids.size());
  EXPECT_EQ(json["tokens"].get<std::vector<int32_t>>(),
            std::vector<int32_t>(item.greedy.begin(), item.greedy.begin() + 16));
  EXPECT_TRUE(json["text"].is_string());
  EXPECT_EQ(json["finish_reason"], "length");
  for (const char *field : {"load_seconds", "prefill_seconds", "decode_seconds", "prefill_tokens_per_second",
                            "decode_tokens_per_second", "peak_rss_bytes"})
    EXPECT_TRUE(json["timings"][field].is_number()) << field;
  EXPECT_EQ(json["plan"]["digest"], runMmc({"inspect", plan(), "--json"}).json()["digest"]);
  EXPECT_EQ(json["plan"]["targets"], nlohmann::json({"cpu"}));
  EXPECT_EQ(json["plan"]["ranks"], 1);
}

TEST_F(Commands, RunStops) {
  const std::string copy = folder->path("stopping");
  copyModel("demo", copy);
  const Golden golden = loadGolden("demo");
  writeFile(copy + "/generation_config.json",
            "{\"eos_token_id\": [" + std::to_string(golden.cases[0].greedy[3]) + "]}");
  const std::vector<std::string> arguments = {"run",          plan(), "--weights", copy, "--prompt", "In the beginning",
                                              "--max-tokens", "8",    "--json"};
  const nlohmann::json stopped = runMmc(arguments).json();
  EXPECT_EQ(stopped["finish_reason"], "stop");
  EXPECT_EQ(stopped["tokens"].size(), 4u);
  std::vector<std::string> ignoring = arguments;
  ignoring.push_back("--ignore-eos");
  EXPECT_EQ(runMmc(ignoring).json()["tokens"].size(), 8u);
}

// Logits of the runtime and of the reference interpreter, in the file that both write.
TEST_F(Commands, DumpLogits) {
  const Golden golden = loadGolden("demo");
  const GoldenCase &item = golden.cases[3];
  const std::string path = folder->path("logits.safetensors");
  for (const std::string target : {"cpu", "reference"}) {
    SCOPED_TRACE(target);
    std::vector<std::string> arguments = {"--input-ids",  join(item.ids),  "--max-tokens", "3",
                                          "--ignore-eos", "--dump-logits", path,           "--json"};
    std::vector<std::string> head = {"run", plan(), "--weights", demo(), "--prefill-chunk", "4"};
    if (target == "reference") head = {"run", demo(), "--target", "reference"};
    arguments.insert(arguments.begin(), head.begin(), head.end());
    const Outcome outcome = runMmc(arguments);
    ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
    auto file = runtime::SafetensorsFile::open(path);
    ASSERT_TRUE(file.ok()) << file.status().text();
    const std::vector<float> prompt = floats(*file, "prompt_logits", item.ids.size(), golden.vocabulary);
    const std::vector<float> steps = floats(*file, "step_logits", 3, golden.vocabulary);
    EXPECT_LE(largestRelative(prompt, item.logits), 3e-5);
    ASSERT_EQ(steps.size(), 3 * golden.vocabulary);
    EXPECT_TRUE(std::equal(steps.begin(), steps.begin() + golden.vocabulary, prompt.end() - golden.vocabulary))
        << "row 0 is the last prompt row";
    const std::vector<int32_t> tokens = outcome.json()["tokens"];
    for (size_t row = 0; row < 3; ++row) {
      const auto begin = steps.begin() + ptrdiff_t(row * golden.vocabulary);
      EXPECT_EQ(std::max_element(begin, begin + golden.vocabulary) - begin, tokens[row])
          << "row " << row << " chose token " << row;
    }
    std::filesystem::remove(path);
  }
}

// A prompt longer than a step is cut into chunks; the answer does not change.
TEST_F(Commands, LongPrompts) {
  std::string ids;
  for (int i = 0; i < 200; ++i) ids += (i ? "," : "") + std::to_string(3 + i % 200);
  const auto tokens = [&](const std::string &model, const std::vector<std::string> &more) {
    std::vector<std::string> arguments = {"run", model,          "--weights", demo(),         "--input-ids",
                                          ids,   "--max-tokens", "5",         "--ignore-eos", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = runMmc(arguments);
    EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
    return outcome.json()["tokens"];
  };
  const nlohmann::json expected = tokens(demo(), {"--max-model-len", "256", "--target", "reference"});
  EXPECT_EQ(expected.size(), 5u);
  EXPECT_EQ(tokens(plan(), {}), expected);
  EXPECT_EQ(tokens(plan(), {"--prefill-chunk", "7"}), expected);
  expectError(run({"--input-ids", "1", "--prefill-chunk", "65"}), 2, "--prefill-chunk");
}

TEST_F(Commands, Sampling) {
  const auto text = [&](const std::vector<std::string> &more) {
    std::vector<std::string> arguments = {"--prompt", "And God said unto", "--max-tokens", "12", "--ignore-eos"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments).out;
  };
  const std::string greedy = text({}), drawn = text({"--temperature", "1.5", "--seed", "7"});
  EXPECT_NE(drawn, greedy);
  EXPECT_EQ(text({"--temperature", "1.5", "--seed", "7"}), drawn);
  EXPECT_EQ(text({"--temperature", "1.5", "--seed", "7", "--top-k", "1"}), greedy);
}

TEST_F(Commands, EnvironmentTwins) {
  ProcessOptions options;
  options.environment = {"MMC_MAX_TOKENS=3", "MMC_IGNORE_EOS=1"};
  EXPECT_EQ(run({"--prompt", "And God", "--json"}, options).json()["tokens"].size(), 3u);
  EXPECT_EQ(run({"--prompt", "And God", "--json", "--max-tokens", "2"}, options).json()["tokens"].size(), 2u);
}

TEST_F(Commands, TheLastOfARepeatedFlagWins) {
  EXPECT_EQ(run({"--prompt", "And God", "--json", "--max-tokens", "9", "--max-tokens", "2"}).json()["tokens"].size(),
            2u);
}

TEST_F(Commands, Trace) {
  const std::string path = folder->path("trace.json");
  EXPECT_EQ(run({"--prompt", "And God", "--max-tokens", "3", "--trace", path}).exitCode, 0);
  const nlohmann::json trace = nlohmann::json::parse(readFile(path), nullptr, false);
  ASSERT_TRUE(trace.is_object());
  size_t launches = 0;
  for (const nlohmann::json &event : trace["traceEvents"]) launches += event["ph"] == "X";
  EXPECT_GT(launches, 100u);
}

TEST_F(Commands, Progress) {
  ProcessOptions options;
  const Outcome outcome = run({"--prompt", "And God", "--max-tokens", "1", "--progress", "json"});
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  const size_t at = outcome.err.find("{\"progress\"");
  ASSERT_NE(at, std::string::npos) << outcome.err;
  const nlohmann::json line =
      nlohmann::json::parse(outcome.err.substr(at, outcome.err.find('\n', at) - at), nullptr, false);
  EXPECT_TRUE(line["done"].is_number() && line["total"].is_number());
  EXPECT_EQ(run({"--prompt", "And God", "--max-tokens", "1", "--progress", "none"}).err.find("progress"),
            std::string::npos);
}

TEST_F(Commands, Bench) {
  const Outcome outcome = runMmc({"bench", plan(), "--weights", "random:3", "-p", "64", "-n", "4", "-d", "0,32", "-r",
                                  "2", "--read-bytes", "16M", "--json"});
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  const nlohmann::json json = outcome.json();
  ASSERT_EQ(json["results"].size(), 4u);
  for (const nlohmann::json &row : json["results"]) {
    EXPECT_GT(row["tokens_per_second"]["median"].get<double>(), 0);
    EXPECT_GT(row["ratio"].get<double>(), 0);
    EXPECT_EQ(row["repetitions"], 2);
  }
  EXPECT_EQ(json["cost"]["active_parameters"], 2202624);
  EXPECT_EQ(json["cost"]["decode_state_bytes"], 2 * 7 * 4 * 32 * 32 * 4);
  EXPECT_GT(json["machine"]["read_bytes_per_second"].get<double>(), 0);
  const Outcome decodeOnly =
      runMmc({"bench", plan(), "--weights", "random", "-p", "0", "-n", "2", "-r", "1", "--read-bytes", "16M"});
  EXPECT_NE(decodeOnly.out.find("tg2"), std::string::npos);
  EXPECT_EQ(decodeOnly.out.find("pp"), std::string::npos);
}

} // namespace
} // namespace mmc::test
