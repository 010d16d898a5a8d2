// A flag does what it says, or the program says that it does not: with a plan, with the interpreter, and before work
// that would be in vain.
#include "test/Tools/Process.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

class Flags : public testing::Test {
protected:
  static void SetUpTestSuite() {
    folder = new TemporaryFolder();
    const Outcome compiled = runMmc({"compile", model(), "-o", plan(), "--max-model-len", "64", "--max-num-seqs", "4",
                                     "--cpu-variants", "x86-64-v3"});
    ASSERT_EQ(compiled.exitCode, 0) << compiled.err;
  }
  static void TearDownTestSuite() { delete folder; }
  static std::string model() { return inputFolder("text01-prenorm"); }
  static std::string plan() { return folder->path("m.plan"); }

  using List = std::vector<std::string>;
  static Outcome runPlan(List more, const ProcessOptions &options = {}) {
    List all = {"run", plan(), "--weights", model(), "--input-ids", "1,2", "--max-tokens", "1", "--ignore-eos"};
    all.insert(all.end(), more.begin(), more.end());
    return runMmc(all, options);
  }
  static Outcome runModel(List more, const std::string &from = model()) {
    List all = {"run", from, "--input-ids", "1,2", "--max-tokens", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return runMmc(all);
  }
  /// Refused before the ladder.
  static void expectRefusedEarly(const Outcome &outcome, int exitCode, const std::string &part) {
    expectError(outcome, exitCode, part);
    EXPECT_EQ(outcome.err.find("kernels\n"), std::string::npos) << "the work was done first:\n" << outcome.err;
  }

  static TemporaryFolder *folder;
};

TemporaryFolder *Flags::folder = nullptr;

TEST_F(Flags, APlanWasCompiledAlready) {
  for (const List &flag :
       {List{"--target", "cuda:sm_90a"}, List{"--dtype", "bfloat16"}, List{"--dtype", "float64"},
        List{"--quantization", "int8"}, List{"--devices", "8"}, List{"--tensor-parallel-size", "8"}, List{"--ep", "2"},
        List{"--etp", "2"}, List{"--sp", "2"}, List{"--rank-shapes", "8"}, List{"--max-model-len", "16"},
        List{"--max-num-seqs", "5"}, List{"--max-num-batched-tokens", "1"}, List{"--recurrence-block", "32"},
        List{"--cpu-variants", "foo"}, List{"--cpu-variants", "avx512,x86-64-v3"},
        List{"--disable-pass", "FusePrologue"}, List{"--print-ir-after", "TileRows"}}) {
    SCOPED_TRACE(flag[0] + " " + flag[1]);
    const Outcome outcome = runPlan(flag);
    expectError(outcome, 2, flag[0] + ": found " + flag[1] + ", the plan was compiled already");
    EXPECT_EQ(outcome.out, "");
    List bench = {"bench", plan(), "--weights", "random", "-p", "1", "-n", "0"};
    bench.insert(bench.end(), flag.begin(), flag.end());
    expectError(runMmc(bench), 2, flag[0]);
  }
  expectError(runPlan({"--tp", "8"}), 2, "--tensor-parallel-size");
  ProcessOptions options;
  options.environment = {"MMC_DTYPE=bfloat16"};
  expectError(runPlan({}, options), 2, "unset MMC_DTYPE");
}

TEST_F(Flags, WhatThePlanSaysIsAccepted) {
  const Outcome outcome = runPlan({"--target",
                                   "cpu",
                                   "--dtype",
                                   "float32",
                                   "--quantization",
                                   "none",
                                   "--devices",
                                   "1",
                                   "--tp",
                                   "1",
                                   "--ep",
                                   "1",
                                   "--etp",
                                   "1",
                                   "--sp",
                                   "1",
                                   "--rank-shapes",
                                   "1",
                                   "--max-model-len",
                                   "64",
                                   "--max-num-seqs",
                                   "4",
                                   "--max-num-batched-tokens",
                                   "4096",
                                   "--recurrence-block",
                                   "64",
                                   "--cpu-variants",
                                   "x86-64-v3",
                                   "--cache-dir",
                                   folder->path("cache")});
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
}

TEST_F(Flags, TheInterpreterCompilesNothing) {
  for (const List &flag : {List{"--quantization", "int8"}, List{"--devices", "8"}, List{"--max-num-seqs", "2"},
                           List{"--recurrence-block", "32"}, List{"--cpu-variants", "avx512"},
                           List{"--disable-pass", "FusePrologue"}, List{"--cpu-variant", "avx512"}}) {
    SCOPED_TRACE(flag[0]);
    expectError(runModel({"--target", "reference", flag[0], flag[1]}), 2, flag[0]);
  }
  EXPECT_EQ(
      runModel({"--target", "reference", "--dtype", "float32", "--max-model-len", "8", "--devices", "1"}).exitCode, 0);
  expectError(runModel({"--target", "reference", "--trace", folder->path("t")}), 2, "--trace");
  expectError(runMmc({"bench", model(), "--target", "reference"}), 2, "reference");
}

TEST_F(Flags, CudaFlagsNeedACudaTarget) {
  for (const List &flag :
       {List{"--cuda-graphs=on"}, List{"--cuda-graphs=off"}, List{"--cuda-sync"}, List{"--cuda-variant=sm_90a"}}) {
    const std::string name = flag[0].substr(0, flag[0].find('='));
    expectError(runPlan(flag), 2, name);
    expectRefusedEarly(runModel(flag), 2, name);
    expectError(runModel({"--target", "reference", flag[0]}), 2, name);
  }
}

TEST_F(Flags, PrintIrAfter) {
  const auto compile = [&](const List &more) {
    List all = {"compile", model(), "-o", folder->path("x.mlir"), "--stop-after", "tile"};
    all.insert(all.end(), more.begin(), more.end());
    return runMmc(all);
  };
  expectRefusedEarly(compile({"--print-ir-after=Nope"}), 2, "Nope");
  EXPECT_NE(compile({"--print-ir-after=Nope"}).err.find("SplitLightningAttention"), std::string::npos);
  expectRefusedEarly(compile({"--print-ir-after=Canonicalizer"}), 2, "Canonicalizer");
  expectRefusedEarly(compile({"--print-ir-after=FusePrologue", "--disable-pass=FusePrologue"}), 2, "FusePrologue");
  expectRefusedEarly(compile({"--disable-pass=Nope"}), 2, "Nope");
  expectRefusedEarly(
      runMmc({"compile", model(), "-o", folder->path("x.mlir"), "--stop-after=model", "--print-ir-after=TileRows"}), 2,
      "--stop-after");
  const auto dumps = [](const std::string &text) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find("IR Dump After", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  // Every name that is accepted prints.
  const std::string hint = compile({"--print-ir-after=Nope"}).err;
  std::string names = hint.substr(hint.find("names are ") + 10);
  std::string list;
  size_t count = 0;
  for (size_t at = 0, end; at < names.size(); at = end + 2, ++count) {
    end = std::min(names.find_first_of(",\n", at), names.size());
    const std::string name = names.substr(at, end - at);
    if (name == "all") continue;
    list += (list.empty() ? "" : ",") + name;
  }
  EXPECT_GE(count, 10u);
  EXPECT_EQ(dumps(compile({"--print-ir-after=" + list}).err), count - 1);
  EXPECT_EQ(dumps(compile({"--print-ir-after=all"}).err), count - 1);
}

TEST_F(Flags, FoundBeforeTheWork) {
  const auto compile = [&](const List &more) {
    List all = {"compile", model(), "-o", folder->path("x.plan")};
    all.insert(all.end(), more.begin(), more.end());
    return runMmc(all);
  };
  expectRefusedEarly(compile({"--cpu-variants", "avx512,foo"}), 2, "foo");
  expectRefusedEarly(compile({"--emit", "llvm", "--stop-after", "tile"}), 2, "--emit");
  expectRefusedEarly(compile({"--stop-after", "tile", "--json"}), 2, "--json");
  const std::string bare = folder->path("bare");
  std::filesystem::create_directories(bare);
  std::filesystem::copy(model() + "/config.json", bare + "/config.json");
  const Outcome noWeights = runModel({}, bare);
  expectRefusedEarly(noWeights, 1, "model.safetensors");
  EXPECT_NE(noWeights.err.find("--weights random"), std::string::npos) << noWeights.err;
  expectRefusedEarly(runModel({"--weights", folder->path("absent")}), 1, "absent");
  expectRefusedEarly(runModel({"--cpu-variant", "pentium"}), 3, "pentium");
  expectRefusedEarly(runModel({"--cpu-variants", "avx512", "--cpu-variant", "x86-64-v3"}), 3, "x86-64-v3");
  expectRefusedEarly(runModel({"--no-host-code"}), 3, "host code");
}

TEST_F(Flags, Limits) {
  const std::string output = folder->path("limits.plan");
  const auto compile = [&](const List &more) {
    List all = {"compile", model(), "-o", output, "--max-model-len", "64", "--cpu-variants", "x86-64-v3"};
    all.insert(all.end(), more.begin(), more.end());
    return runMmc(all);
  };
  expectRefusedEarly(compile({"--max-num-seqs", "4097"}), 2, "4096");
  expectRefusedEarly(compile({"--max-num-batched-tokens", "65537"}), 2, "65536");
  expectRefusedEarly(compile({"--max-num-seqs", "8", "--max-num-batched-tokens", "4"}), 2, "--max-num-seqs");
  const Outcome small = compile({"--max-num-batched-tokens", "4"});
  EXPECT_EQ(small.exitCode, 0) << small.err;
  EXPECT_EQ(runMmc({"run", output, "--weights", model(), "--input-ids", "1,2,3,4,5,6", "--max-tokens", "1"}).exitCode,
            0);
}

TEST_F(Flags, Numbers) {
  for (const char *seed : {"18446744073709551616", "-1", "7x", "0x7", ""})
    expectError(runPlan({"--seed", seed}), 2, "--seed");
  EXPECT_EQ(runPlan({"--seed", "18446744073709551615", "--temperature", "1"}).exitCode, 0);
}

TEST_F(Flags, ChatNeedsText) { expectError(runPlan({"--chat"}), 2, "--chat"); }

TEST_F(Flags, Help) {
  const Outcome run = runMmc({"help", "run"});
  EXPECT_EQ(run.exitCode, 0);
  EXPECT_EQ(run.out, runMmc({"run", "--help"}).out);
  EXPECT_EQ(runMmc({"help"}).out, runMmc({"--help"}).out);
  expectError(runMmc({"help", "fly"}), 2, "'fly'");
  expectError(runMmc({"fly", "run"}), 2, "'fly'");
}

TEST_F(Flags, ThePromptFillsTheSequence) {
  std::string ids = "1";
  for (int i = 1; i < 64; ++i) ids += ",1";
  const Outcome full = runMmc({"run", plan(), "--weights", model(), "--input-ids", ids, "--json"});
  EXPECT_EQ(full.exitCode, 0) << full.err;
  EXPECT_EQ(full.json()["finish_reason"], "length");
  EXPECT_TRUE(full.json()["tokens"].empty());
  EXPECT_NE(full.err.find("as long as the longest sequence, 64 tokens"), std::string::npos) << full.err;
  EXPECT_EQ(runPlan({}).err.find("longest sequence"), std::string::npos) << "it asked for one token and got it";
}

// A diagnostic is a line, without a dump of the operation.
TEST_F(Flags, DiagnosticsAreShort) {
  ASSERT_EQ(runMmc({"import", model(), "-o", folder->path("m.mlir")}).exitCode, 0);
  std::string text = readFile(folder->path("m.mlir"));
  const size_t at = text.find("model.rope");
  ASSERT_NE(at, std::string::npos);
  const size_t theta = text.find("theta", at);
  ASSERT_NE(theta, std::string::npos);
  const size_t number = text.find_first_of("0123456789", theta);
  text.insert(number, "-");
  writeFile(folder->path("bad.mlir"), text);
  for (const char *command : {"compile", "inspect"}) {
    List all = {command, folder->path("bad.mlir")};
    if (all[0] == "compile") all.insert(all.end(), {"-o", folder->path("x.plan")});
    const Outcome outcome = runMmc(all);
    expectError(outcome, 1, "theta");
    EXPECT_EQ(outcome.err.find("see current operation"), std::string::npos) << outcome.err;
  }
}

} // namespace
} // namespace mmc::test
