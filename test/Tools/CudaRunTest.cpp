// Plans for CUDA as a user runs them: on the emulated device, with the flags that concern it, and where something is
// missing or fails.
#include "test/Tools/Process.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

class CudaRun : public testing::Test {
protected:
  static void SetUpTestSuite() {
    folder = new TemporaryFolder();
    const Outcome compiled = compile(plan(), "cuda-emu:portable");
    ASSERT_EQ(compiled.exitCode, 0) << compiled.err;
  }
  static void TearDownTestSuite() { delete folder; }
  static std::string model() { return inputFolder("text01-prenorm"); }
  static std::string plan() { return folder->path("m.plan"); }

  using List = std::vector<std::string>;
  static Outcome compile(const std::string &to, const std::string &target) {
    return runMmc({"compile", model(), "-o", to, "--target", target, "--max-model-len", "64", "--max-num-seqs", "4",
                   "--cache-dir", folder->path("cache")});
  }
  static Outcome run(const List &more = {}, const List &environment = {}, const std::string &from = plan()) {
    List all = {"run",       from,           "--weights", model(),        "--input-ids",
                "1,2,3,4,5", "--max-tokens", "3",         "--ignore-eos", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    ProcessOptions options;
    options.environment = environment;
    return runMmc(all, options);
  }

  static TemporaryFolder *folder;
};

TemporaryFolder *CudaRun::folder = nullptr;

TEST_F(CudaRun, FlagsOfTheRuntimeChangeNoAnswer) {
  const Outcome plain = run();
  ASSERT_EQ(plain.exitCode, 0) << plain.err;
  const nlohmann::json json = plain.json();
  EXPECT_EQ(json["tokens"].size(), 3u);
  EXPECT_EQ(json["plan"]["targets"], nlohmann::json::array({"cuda-emu:portable"}));
  for (const List &flags : {List{"--cuda-sync"}, List{"--cuda-graphs=off"}, List{"--cuda-graphs=on"},
                            List{"--cuda-variant", "portable"}, List{"--trace", folder->path("trace.json")}}) {
    const Outcome other = run(flags);
    EXPECT_EQ(other.exitCode, 0) << flags[0] << other.err;
    EXPECT_EQ(other.json()["tokens"], json["tokens"]) << flags[0];
  }
  EXPECT_NE(readFile(folder->path("trace.json")).find(R"("name":"cuda-emu")"), std::string::npos);
  const Outcome seeded = run({}, {"MMC_EMU_SEED=5", "MMC_EMU_SMS=2"});
  EXPECT_EQ(seeded.json()["tokens"], json["tokens"]) << seeded.err;
}

TEST_F(CudaRun, WhatIsMissingIsNamedInOneLine) {
  expectError(run({"--cuda-variant", "sm_80"}), 3, "no variant 'sm_80', it has portable");
  expectError(run({"--cpu-variant", "avx512"}), 2, "--cpu-variant");
  expectError(run({"--no-host-code"}), 3, "MMC-E0302");
  expectError(run({}, {"MMC_CUDA_EMU_DRIVER=/nowhere/driver.so"}), 3, "MMC-E0700: this machine has no CUDA driver");
}

TEST_F(CudaRun, VerifyAndInspectOpenNoDriver) {
  ProcessOptions options;
  options.environment = {"MMC_CUDA_EMU_DRIVER=/nowhere/driver.so"};
  EXPECT_EQ(runMmc({"verify", plan()}, options).exitCode, 0);
  const Outcome inspected = runMmc({"inspect", plan(), "--json"}, options);
  EXPECT_EQ(inspected.exitCode, 0) << inspected.err;
  EXPECT_EQ(inspected.json()["targets"], nlohmann::json::array({"cuda-emu:portable"}));
}

TEST_F(CudaRun, AnyCallOfTheDriverMayFail) {
  for (int call : {2, 9, 40, 300, 700, 1000}) {
    const Outcome outcome = run({}, {"MMC_EMU_FAULT=" + std::to_string(call)});
    EXPECT_EQ(outcome.signal, 0);
    if (outcome.exitCode == 0) continue; // a release: nobody to tell
    expectError(outcome, outcome.exitCode, "MMC-E070", false);
    EXPECT_TRUE(outcome.exitCode == 1 || outcome.exitCode == 5) << outcome.exitCode;
  }
}

TEST_F(CudaRun, CubinsNeedADriver) {
  const std::string path = folder->path("cubins.plan");
  const Outcome compiled = compile(path, "cuda:sm_80,cuda:sm_90a");
  if (compiled.exitCode) GTEST_SKIP() << compiled.err;
  EXPECT_EQ(runMmc({"verify", path}).exitCode, 0);
  if (dlopen("libcuda.so.1", RTLD_LAZY)) GTEST_SKIP() << "this machine has a CUDA driver";
  expectError(run({}, {}, path), 3, "MMC-E0700: this machine has no CUDA driver: cannot open libcuda.so.1");
}

} // namespace
} // namespace mmc::test
