// Compiling for CUDA as a user does: the spelling of targets, sources instead of a plan, going on from a lower level's
// text, and that the same input gives the same bytes.
#include "test/Tools/Process.h"

#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace mmc::test {
namespace {

using List = std::vector<std::string>;

Outcome compile(const std::string &input, const std::string &output, const List &more, const TemporaryFolder &folder) {
  List all = {"compile", input, "-o", output, "--cache-dir", folder.path("cache")};
  all.insert(all.end(), more.begin(), more.end());
  return runMmc(all);
}

std::string model() { return inputFolder("text01-prenorm"); }

TEST(CudaCompile, TargetsThatNoPlanCanHaveAreRefused) {
  const TemporaryFolder folder;
  const std::string output = folder.path("refused.plan");
  auto refused = [&](const List &flags, int code, const std::string &part) {
    SCOPED_TRACE(flags.back());
    expectError(compile(model(), output, flags, folder), code, part);
  };
  refused({"--target", "rocm:gfx942"}, 3, "found 'rocm:gfx942', expected cpu, cuda:ARCHITECTURE or cuda-emu:FAMILY");
  refused({"--target", "cuda:sm_91"}, 3, "found 'cuda:sm_91', expected cuda: with one of sm_80");
  refused({"--target", "cuda-emu:sm_80"}, 3, "expected cuda-emu: with one of portable, sm_90a");
  refused({"--target", "cpu,cuda:sm_90a"}, 2, "one plan cannot hold 'cpu' and 'cuda:sm_90a'");
  refused({"--target", "cuda:sm_90a,cuda-emu:sm_90a"}, 2, "one plan cannot hold");
  refused({"--target", "cuda:sm_90a,cuda:sm_90a"}, 2, "'cuda:sm_90a' is named twice");
  refused({"--target", "cpu:avx512"}, 2, "expected cpu without a variant");
  refused({"--target", "cuda:sm_90a", "--dtype", "float32"}, 2,
          "--dtype float32: kernels for cuda:sm_90a compute in bfloat16");
  refused({"--target", "cuda:sm_90a", "--cpu-variants", "avx512"}, 2, "--cpu-variants: the target is cuda:sm_90a");
  refused({"--target", "cuda:sm_90a", "--emit=llvm"}, 2, "--emit=llvm needs another target than cuda:sm_90a");
  refused({"--emit=cuda"}, 2, "--emit=cuda needs another target than cpu");
  EXPECT_EQ(folder.names(), List());
}

TEST(CudaCompile, EmitWritesOneSourcePerKernelAndArchitecture) {
  const TemporaryFolder folder;
  const std::string output = folder.path("kernels");
  const Outcome outcome = compile(model(), output, {"--target", "cuda:sm_90a,cuda:sm_80", "--emit=cuda"}, folder);
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  size_t newer = 0, older = 0;
  for (const auto &entry : std::filesystem::directory_iterator(output)) {
    const std::string name = entry.path().filename(), text = readFile(entry.path());
    ASSERT_TRUE(name.ends_with(".cu")) << name;
    const std::string symbol = name.substr(0, name.size() - 3);
    EXPECT_NE(text.find("void " + symbol + "("), std::string::npos) << name;
    newer += symbol.ends_with("__sm_90a");
    older += symbol.ends_with("__sm_80");
  }
  EXPECT_GT(newer, 15u);
  EXPECT_EQ(newer, older);
  EXPECT_EQ(folder.names(), List{"kernels"});
}

TEST(CudaCompile, KernelsForHopperMultiplyByWarpgroupsUnlessToldNotTo) {
  const TemporaryFolder folder;
  auto kernelsByWarpgroups = [&](const List &more) {
    List flags = {"--target", "cuda:sm_90a,cuda:sm_80", "--emit=cuda"};
    flags.insert(flags.end(), more.begin(), more.end());
    EXPECT_EQ(compile(model(), folder.path("kernels"), flags, folder).exitCode, 0);
    List names;
    for (const auto &entry : std::filesystem::directory_iterator(folder.path("kernels")))
      if (readFile(entry.path()).find("multiplyAsync(") != std::string::npos) names.push_back(entry.path().filename());
    std::filesystem::remove_all(folder.path("kernels"));
    return names;
  };
  const List all = kernelsByWarpgroups({}), notLinear = kernelsByWarpgroups({"--portable-kernels", "linear_*"});
  size_t linear = 0;
  for (const std::string &name : all) {
    EXPECT_TRUE(name.ends_with("__sm_90a.cu")) << name;
    linear += name.starts_with("linear_");
  }
  EXPECT_GE(linear, 4u);
  EXPECT_EQ(notLinear.size(), all.size() - linear);
  EXPECT_EQ(kernelsByWarpgroups({"--portable-kernels", "*"}), List());
  auto refused = [&](const List &flags, const std::string &part) {
    expectError(compile(model(), folder.path("x.plan"), flags, folder), 2, part);
  };
  refused({"--portable-kernels", "*"}, "--portable-kernels: the target is cpu");
  refused({"--target", "cuda:sm_80", "--portable-kernels", "linear_[a"}, "found 'linear_[a', expected a kernel's name");
  refused({"--target", "cuda:sm_90a", "--portable-kernels", "linaer_*"},
          "found 'linaer_*', expected the name of a kernel");
}

TEST(CudaCompile, TextOfALowerLevelGoesOnForTheEmulationToo) {
  const TemporaryFolder folder;
  const List target = {"--target", "cuda-emu:portable"};
  const Outcome whole = compile(model(), folder.path("whole.plan"), target, folder);
  ASSERT_EQ(whole.exitCode, 0) << whole.err;
  List stopped = {"--target", "cuda:sm_90a", "--stop-after=tile"};
  ASSERT_EQ(compile(model(), folder.path("t.mlir"), stopped, folder).exitCode, 0);
  const Outcome rest = compile(folder.path("t.mlir"), folder.path("rest.plan"), target, folder);
  ASSERT_EQ(rest.exitCode, 0) << rest.err;
  expectError(compile(folder.path("t.mlir"), folder.path("x.plan"), {"--target", "cpu"}, folder), 2,
              "--target cpu: the tile program was lowered with cuda");
  // Without --target it is the text that says what it is for.
  EXPECT_EQ(compile(folder.path("t.mlir"), folder.path("kernels"), {"--emit=cuda"}, folder).exitCode, 0);
  expectError(compile(folder.path("t.mlir"), folder.path("x"), {"--emit=llvm"}, folder), 2,
              "--emit=llvm needs another target than cuda:sm_90a");
  expectError(compile(folder.path("t.mlir"), folder.path("x.plan"), {"--cpu-variants", "avx512"}, folder), 2,
              "--cpu-variants: the target is cuda:sm_90a");
  stopped = {"--target", "cuda-emu:portable", "--stop-after=plan"};
  ASSERT_EQ(compile(model(), folder.path("p.mlir"), stopped, folder).exitCode, 0);
  expectError(compile(folder.path("p.mlir"), folder.path("x.plan"), {"--target", "cuda:sm_90a"}, folder), 2,
              "--target cuda:sm_90a: the plan was lowered with cuda-emu");
  EXPECT_EQ(compile(folder.path("p.mlir"), folder.path("last.plan"), target, folder).exitCode, 0);
}

/// Launches of each program of a plan's text in a decode step: all but those over sequences that prefill.
std::map<std::string, size_t> decodeLaunches(const std::string &plan) {
  std::map<std::string, size_t> counts;
  std::string program;
  std::istringstream lines(plan);
  for (std::string line; std::getline(lines, line);) {
    if (const size_t at = line.find("plan.program @"); at != std::string::npos)
      program = line.substr(at + 14, line.find(' ', at + 14) - at - 14);
    if (line.find("plan.launch @") != std::string::npos &&
        line.find("#plan.extent<work, @prefill") == std::string::npos)
      ++counts[program];
  }
  return counts;
}

// A launch that waits for the one before costs microseconds, 80 layers of them a good part of a decode step.
TEST(CudaCompile, ALayerDecodesInAtMostTenLaunches) {
  const TemporaryFolder folder;
  const std::string text = folder.path("plan.mlir");
  const List flags = {"--target", "cuda:sm_90a", "--stop-after=plan"};
  ASSERT_EQ(compile(inputFolder("text01-full"), text, flags, folder).exitCode, 0);
  std::map<std::string, size_t> counts = decodeLaunches(readFile(text));
  for (const char *layer : {"lightning", "softmax"}) {
    EXPECT_GE(counts[layer], 5u) << layer << ": the text was not understood";
    EXPECT_LE(counts[layer], 10u) << layer;
  }
  // What brings them down can be left out.
  List unfused = flags;
  for (const char *pass : {"RotateNorms", "JoinProducts", "FuseNormEpilogue", "FuseRouter"})
    unfused.insert(unfused.end(), {"--disable-pass", pass});
  ASSERT_EQ(compile(inputFolder("text01-full"), text, unfused, folder).exitCode, 0);
  counts = decodeLaunches(readFile(text));
  EXPECT_EQ(counts["lightning"], 12u);
  EXPECT_EQ(counts["softmax"], 14u);
}

// --rank-shapes compiles what one of the ranks runs; such a plan runs too, on weights that nobody trained.
TEST(CudaCompile, RankShapesAreThoseOfOneRank) {
  const TemporaryFolder folder;
  const std::string text = folder.path("plan.mlir");
  const List flags = {"--target", "cuda:sm_90a", "--stop-after=plan", "--rank-shapes", "8"};
  ASSERT_EQ(compile(inputFolder("text01-full"), text, flags, folder).exitCode, 0);
  const std::string plan = readFile(text);
  for (const char *kernel : {"@linear_silu_sigmoid_4096x6144_bf16", "@lightning_decode_8x128x128_bf16",
                             "@attention_decode_p64_8x1x128_bf16", "@experts_swiglu_1152x6144_bf16",
                             "@experts_6144x1152_bf16", "@linear_25008x6144_bf16", "@rms_norm_route_32x6144_top2_bf16"})
    EXPECT_NE(plan.find(std::string("plan.launch @cuda::") + kernel), std::string::npos) << kernel;
  const std::string ranks = inputFolder("text01-ranks8");
  const List slice = {"--target", "cpu", "--rank-shapes", "8", "--max-model-len", "64"};
  ASSERT_EQ(compile(ranks, folder.path("slice.plan"), slice, folder).exitCode, 0);
  const Outcome run = runMmc({"run", folder.path("slice.plan"), "--weights", "random", "--input-ids", "1,2,3",
                              "--max-tokens", "2", "--ignore-eos", "--json"});
  EXPECT_EQ(run.exitCode, 0) << run.err;
  expectError(compile(ranks, text, {"--rank-shapes", "3"}, folder), 2, "16 attention heads, expected a multiple of 3");
  ASSERT_EQ(compile(ranks, folder.path("m.mlir"), {"--stop-after=model"}, folder).exitCode, 0);
  expectError(compile(folder.path("m.mlir"), text, {"--rank-shapes", "8"}, folder), 2, "has its shapes written out");
}

TEST(CudaCompile, TheSameInputGivesTheSameBytesWithAndWithoutTheCache) {
  const TemporaryFolder folder, other;
  const List target = {"--target", "cuda-emu:portable,cuda-emu:sm_90a"};
  ASSERT_EQ(compile(model(), folder.path("a.plan"), target, folder).exitCode, 0);
  const Outcome cached = compile(model(), folder.path("b.plan"), target, folder);
  ASSERT_EQ(cached.exitCode, 0);
  ASSERT_EQ(compile(model(), folder.path("c.plan"), target, other).exitCode, 0);
  const std::string a = readFile(folder.path("a.plan"));
  EXPECT_TRUE(a == readFile(folder.path("b.plan")));
  EXPECT_TRUE(a == readFile(folder.path("c.plan")));
  EXPECT_EQ(runMmc({"verify", folder.path("a.plan")}).exitCode, 0);

  // Each kernel is listed once per variant, with the family that it is of.
  const nlohmann::json kernels = runMmc({"inspect", folder.path("a.plan"), "--json"}).json()["kernels"];
  size_t portable = 0, newer = 0, byWarpgroups = 0;
  for (const nlohmann::json &kernel : kernels) {
    portable += kernel["target"] == "cuda-emu:portable" && kernel["family"] == "portable";
    newer += kernel["target"] == "cuda-emu:sm_90a" && !kernel["family"].get<std::string>().empty();
    byWarpgroups += kernel["target"] == "cuda-emu:sm_90a" && kernel["family"] == "wgmma";
  }
  EXPECT_GT(portable, 15u);
  EXPECT_EQ(portable, newer);
  EXPECT_GE(byWarpgroups, 5u);
  EXPECT_EQ(portable + newer, kernels.size());
  EXPECT_NE(cached.err.find(std::to_string(portable) + " from the cache"), std::string::npos) << cached.err;
  EXPECT_NE(runMmc({"inspect", folder.path("a.plan")}).out.find("(portable portable, sm_90a "), std::string::npos);
}

} // namespace
} // namespace mmc::test
