// Bad input through the program: a typed error with the field, the exit code of the contract, no crash, no hang,
// bounded memory, and nothing half-written under a final name.
#include "test/Tools/Process.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <utility>

namespace mmc::test {
namespace {

class BadInput : public testing::Test {
protected:
  static void SetUpTestSuite() {
    shared = new TemporaryFolder();
    const Outcome compiled = runMmc({"compile", inputFolder("text01-prenorm"), "-o", plan(), "--max-model-len", "64"});
    ASSERT_EQ(compiled.exitCode, 0) << compiled.err;
  }
  static void TearDownTestSuite() { delete shared; }
  static std::string plan() { return shared->path("good.plan"); }
  static std::vector<std::string> runWith(const std::string &ids) {
    return {"run",          plan(), "--weights",   inputFolder("text01-prenorm"), "--input-ids", ids,
            "--max-tokens", "1",    "--ignore-eos"};
  }

  /// Imports and compiles a copy of text01-prenorm whose config.json has these members replaced (null: removed).
  void expectConfigRefused(const nlohmann::json &changes, const std::string &part) {
    SCOPED_TRACE(changes.dump());
    nlohmann::json config = nlohmann::json::parse(readFile(inputFolder("text01-prenorm") + "/config.json"));
    for (const auto &[key, value] : changes.items())
      value.is_null() ? void(config.erase(key)) : void(config[key] = value);
    expectConfigTextRefused(config.dump(), part);
  }
  void expectConfigTextRefused(const std::string &text, const std::string &part) {
    writeFile(folder.path("config.json"), text);
    for (const char *command : {"import", "compile"}) {
      const Outcome outcome = runMmc({command, folder.path("config.json"), "-o", folder.path("out")});
      EXPECT_TRUE(outcome.exitCode >= 1 && outcome.exitCode <= 4) << outcome.exitCode;
      expectError(outcome, outcome.exitCode, part);
      expectLittleMemory(outcome, text.size());
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"config.json"});
  }

  TemporaryFolder folder;
  static TemporaryFolder *shared;
};

TemporaryFolder *BadInput::shared = nullptr;

// ------------------------------------------------------------------------------------------------------------------------
// config

TEST_F(BadInput, Config) {
  expectConfigRefused({{"num_hidden_layers", 0}}, "num_hidden_layers");
  expectConfigRefused({{"num_hidden_layers", 1000000000}}, "num_hidden_layers");
  expectConfigRefused({{"num_local_experts", 0}}, "num_local_experts");
  expectConfigRefused({{"num_experts_per_tok", 1000}}, "num_experts_per_tok");
  expectConfigRefused({{"attn_type_list", {0, 1}}}, "attn_type_list");
  expectConfigRefused({{"attn_type_list", {2, 2, 2, 2, 2, 2, 2, 2}}}, "attn_type_list");
  expectConfigRefused({{"rope_theta", 0}}, "rope_theta");
  expectConfigRefused({{"rope_theta", 1e-300}}, "rope_theta");
  expectConfigRefused({{"layernorm_mlp_alpha", 1e39}}, "layernorm_mlp_alpha");
  expectConfigRefused({{"rope_parameters", {{"full_attention", {{"rope_type", "yarn"}}}}}}, "full_attention.rope_type");
  expectConfigRefused({{"num_experts", 5}}, "num_local_experts");
  expectConfigRefused({{"a_new_feature", 2}}, "a_new_feature");
  expectConfigRefused({{"hidden_size", "64"}}, "hidden_size");
  expectConfigRefused({{"hidden_size", nullptr}}, "hidden_size");
  expectConfigRefused({{"num_key_value_heads", 3}}, "num_key_value_heads");
  expectConfigRefused({{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}}, "llama");
  expectConfigTextRefused("", "config.json");
  expectConfigTextRefused("{\"hidden_size\": 64, \"hidden_size\": 64}", "hidden_size");
  expectConfigTextRefused("{\"rms_norm_eps\": 1e400}", "config.json");
  expectConfigTextRefused(std::string(100000, '['), "config.json");
}

// ------------------------------------------------------------------------------------------------------------------
// checkpoints

TEST_F(BadInput, Safetensors) {
  const std::string model = folder.path("model"), weights = model + "/model.safetensors";
  copyModel("text01-prenorm", model);
  const std::string good = readFile(weights);
  const auto header = [](uint64_t length) { return std::string(reinterpret_cast<const char *>(&length), 8); };
  const std::vector<std::pair<std::string, std::string>> damages = {
      {"empty", ""},
      {"header of 0 bytes", header(0)},
      {"header of 7 bytes", header(7) + "{\"a\":1}"},
      {"header longer than the file", header(1 << 20) + "{}"},
      {"header of 2^63 bytes", header(uint64_t(1) << 63) + "{}"},
      {"header that is no object", header(8) + "[1,2,3] "},
      {"truncated", good.substr(0, good.size() / 2)},
      {"one byte short", good.substr(0, good.size() - 1)},
      {"trailing garbage", good + "x"},
      {"a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12345\n"},
      {"a web page", "<!DOCTYPE html><html><body>404</body></html>"}};
  for (const auto &[name, content] : damages) {
    SCOPED_TRACE(name);
    writeFile(weights, content);
    const Outcome run = runMmc({"run", plan(), "--weights", model, "--input-ids", "1"});
    expectError(run, 4, "model.safetensors");
    EXPECT_EQ(run.out, "");
    const Outcome verify = runMmc({"verify", plan(), "--weights", model});
    expectError(verify, 4, "model.safetensors");
    const Outcome compile = runMmc({"compile", model, "-o", folder.path("out.plan")});
    expectError(compile, 4, "model.safetensors");
    expectLittleMemory(compile, content.size());
    EXPECT_FALSE(std::filesystem::exists(folder.path("out.plan")));
  }
  // A file of the right size whose second half never came.
  writeFile(weights, good.substr(0, good.size() / 2) + std::string(good.size() - good.size() / 2, '\0'));
  for (const std::vector<std::string> &command :
       {std::vector<std::string>{"run", plan(), "--weights", model, "--input-ids", "1"},
        {"verify", plan(), "--weights", model},
        {"run", model, "--target", "reference", "--input-ids", "1", "--max-tokens", "1"}})
    expectError(runMmc(command), 4, "all zero");
  std::filesystem::remove(weights);
  expectError(runMmc({"run", plan(), "--weights", model, "--input-ids", "1"}), 1, "model.safetensors");
}

// -------------------------------------------------------------------------------------------------------------------------
// plans

TEST_F(BadInput, Plan) {
  const std::string good = readFile(plan()), path = folder.path("bad.plan");
  std::vector<std::pair<std::string, std::string>> damages = {{"empty", ""},
                                                              {"1 byte", good.substr(0, 1)},
                                                              {"7 bytes", good.substr(0, 7)},
                                                              {"only the magic", good.substr(0, 8)},
                                                              {"text", "hello, world, this is not a plan"},
                                                              {"trailing bytes", good + std::string(4096, '\0')}};
  for (size_t size = 4096; size < good.size(); size += 16 * 4096)
    damages.push_back({"truncated to " + std::to_string(size), good.substr(0, size)});
  for (size_t at = 20; at < good.size(); at += good.size() / 16) {
    std::string flipped = good;
    flipped[at] = char(flipped[at] ^ 16);
    damages.push_back({"bit flipped in byte " + std::to_string(at), flipped});
  }
  for (const auto &[name, content] : damages) {
    SCOPED_TRACE(name);
    writeFile(path, content);
    const Outcome verify = runMmc({"verify", path});
    EXPECT_TRUE(verify.exitCode == 4 || verify.exitCode == 3)
        << verify.exitCode; // a flipped version is another version
    expectError(verify, verify.exitCode, "bad.plan");
    expectLittleMemory(verify, good.size());
    const Outcome inspect = runMmc({"inspect", path});
    EXPECT_EQ(inspect.exitCode, verify.exitCode);
    EXPECT_EQ(inspect.out, "");
  }
  expectError(runMmc({"run", path, "--weights", inputFolder("text01-prenorm"), "--input-ids", "1"}), 4, "bad.plan");
}

// -----------------------------------------------------------------------------------------------------------------------
// prompts

// What the compiler makes of a plan's text that contradicts itself is refused before it has a name.
TEST_F(BadInput, APlanThatTheRuntimeWouldRefuse) {
  const std::string path = folder.path("plan.mlir");
  const Outcome written = runMmc({"compile", inputFolder("text01-prenorm"), "-o", path, "--stop-after=plan"});
  ASSERT_EQ(written.exitCode, 0) << written.err;
  std::string text = readFile(path);
  const std::string vocabulary = "vocabulary = 128 : i64";
  ASSERT_NE(text.find(vocabulary), std::string::npos);
  writeFile(path, text.replace(text.find(vocabulary), vocabulary.size(), "vocabulary = 10 : i64"));
  const Outcome outcome = runMmc({"compile", path, "-o", folder.path("out.plan")});
  expectError(outcome, 1, "the plan that was made is not valid", false);
  EXPECT_NE(outcome.err.find("MMC-E0906"), std::string::npos) << outcome.err;
  EXPECT_EQ(folder.names(), std::vector<std::string>{"plan.mlir"});
}

TEST_F(BadInput, Prompts) {
  std::string most;
  for (int i = 0; i < 64; ++i) most += (i ? "," : "") + std::to_string(i % 100);
  EXPECT_EQ(runMmc(runWith(most)).exitCode, 0) << "exactly as long as the plan allows";
  expectError(runMmc(runWith(most + ",1")), 5, "65");
  expectError(runMmc(runWith("1,-1")), 2, "-1");
  expectError(runMmc(runWith("1,128")), 2, "128");
  expectError(runMmc(runWith("1,99999999999")), 2, "99999999999");
  expectError(runMmc(runWith("")), 2, "empty");
  expectError(runMmc(runWith("@" + folder.path("absent"))), 1, "absent");
  expectError(runMmc({"run", plan(), "--weights", inputFolder("text01-prenorm"), "--prompt", "a"}), 2, "tokenizer");
}

// -----------------------------------------------------------------------------------------------------------------------
// outputs

/// Writes fail with EFBIG past this many bytes of a file, as they would on a full disk.
ProcessOptions limitedTo(uint64_t bytes) {
  ProcessOptions options;
  options.inChild = [bytes] {
    const struct rlimit limit = {bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
  };
  return options;
}

TEST_F(BadInput, FailingWritesLeaveNothing) {
  const std::string model = inputFolder("text01-prenorm");
  // All but the end of the plan fits.
  expectError(
      runMmc({"compile", model, "-o", folder.path("out.plan")}, limitedTo(std::filesystem::file_size(plan()) - 8192)),
      1, "out.plan", false);
  EXPECT_EQ(folder.names(), std::vector<std::string>());
  expectError(runMmc({"import", model, "-o", folder.path("out.mlir")}, limitedTo(4096)), 1, "out.mlir");
  EXPECT_EQ(folder.names(), std::vector<std::string>());
  std::vector<std::string> dump = {"run",           model,
                                   "--target",      "reference",
                                   "--input-ids",   "1,2,3,4,5,6,7,8,9,10,11,12",
                                   "--max-tokens",  "1",
                                   "--dump-logits", folder.path("out.safetensors")};
  expectError(runMmc(dump, limitedTo(4096)), 1, "out.safetensors", false);
  EXPECT_EQ(folder.names(), std::vector<std::string>());

  expectError(runMmc({"compile", model, "-o", folder.path("absent/out.plan")}), 1, "absent", false);
  dump.back() = folder.path("absent/out.safetensors");
  expectError(runMmc(dump), 1, "absent");
}

TEST_F(BadInput, FullStandardOutput) {
  ProcessOptions full;
  full.standardOutput = "/dev/full";
  expectError(runMmc({"inspect", plan(), "--json"}, full), 1, "standard output");
  expectError(runMmc(runWith("1,2"), full), 1, "standard output");
}

TEST_F(BadInput, AnExistingOutputSurvivesFailure) {
  const std::string path = folder.path("out.plan");
  writeFile(path, "precious");
  writeFile(folder.path("config.json"), "{}");
  EXPECT_NE(runMmc({"compile", folder.path("config.json"), "-o", path}).exitCode, 0);
  EXPECT_EQ(readFile(path), "precious");
}

// -------------------------------------------------------------------------------------------------------------------
// interruption

/// Sends a signal once the program has printed something.
Outcome interrupted(const std::vector<std::string> &arguments, int signal) {
  ProcessOptions options;
  bool sent = false;
  options.onOutput = [&](int pid, const Outcome &) {
    if (!std::exchange(sent, true)) kill(pid, signal);
  };
  return runMmc(arguments, options);
}

TEST_F(BadInput, Interrupted) {
  // The reference interpreter streams ids one by one, and would for hours.
  const std::vector<std::string> slow = {"run",
                                         inputFolder("text01-ranks8"),
                                         "--target",
                                         "reference",
                                         "--input-ids",
                                         "1,2,3",
                                         "--max-tokens",
                                         "1000000",
                                         "--ignore-eos",
                                         "--dump-logits",
                                         folder.path("out.safetensors")};
  expectError(interrupted(slow, SIGINT), 6, "interrupted", false);
  EXPECT_EQ(folder.names(), std::vector<std::string>());
  const std::vector<std::string> compile = {"compile", inputFolder("text01-full"), "-o", folder.path("out.plan")};
  expectError(interrupted(compile, SIGINT), 6, "interrupted", false);
  EXPECT_EQ(folder.names(), std::vector<std::string>());
  EXPECT_EQ(interrupted(compile, SIGKILL).signal, SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.plan")));
}

} // namespace
} // namespace mmc::test
