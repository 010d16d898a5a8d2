// Every kernel of test/Cuda/kernels, lib/Silicon/kernels and benchmarks/device-kernels compiles with NVRTC too, for the
// architectures that its first line names
// (`// archs: sm_80 sm_90a`; `// archs: none` where it uses what only the emulation has), without a stack frame, a
// spill, or a remark of ptxas that something was serialised or injected. The host's reading of the same files is their
// compilation into the other tests.
#include "test/Cuda/Nvrtc.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <regex>

using mmc::test::Nvrtc;

namespace {

const std::filesystem::path kFolders[] = {MMC_SOURCE_DIR "/test/Cuda/kernels", MMC_SOURCE_DIR "/lib/Silicon/kernels",
                                          MMC_SOURCE_DIR "/benchmarks/device-kernels/kernels"};

const Nvrtc *nvrtc() {
  static const std::optional<Nvrtc> opened = Nvrtc::open();
  return opened ? &*opened : nullptr;
}

const std::map<std::string, std::string> &headers() {
  static const std::map<std::string, std::string> all = mmc::test::deviceHeaders();
  return all;
}

std::vector<std::string> architecturesOf(const std::string &source) {
  const std::string first = source.substr(0, source.find('\n'));
  std::vector<std::string> names;
  static const std::regex name(R"(sm_\d+a?)");
  if (first.rfind("// archs:", 0) == 0)
    for (std::sregex_iterator it(first.begin(), first.end(), name), end; it != end; ++it) names.push_back(it->str());
  return names;
}

/// What is wrong with a log of a compilation that must be clean; empty if nothing.
std::string complaints(const std::string &log) {
  static const std::regex bad(R"(\(C75\d\d\)|[1-9]\d* bytes (stack frame|spill (stores|loads))|warning #)");
  std::istringstream lines(log);
  std::string all;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_search(line, bad)) all += line + "\n";
  return all;
}

std::vector<std::string> kernelFiles() {
  std::vector<std::string> paths;
  for (const std::filesystem::path &folder : kFolders)
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".cu") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

class TwoReaders : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (!nvrtc()) GTEST_SKIP() << "no NVRTC in a toolkit or a wheel: kernels are read by the host's compiler only";
  }
};

TEST_P(TwoReaders, NvrtcCompilesTheKernelCleanly) {
  const std::string source = mmc::test::readText(GetParam());
  const std::string name = std::filesystem::path(GetParam()).filename().string();
  const std::vector<std::string> architectures = architecturesOf(source);
  if (source.rfind("// archs: none", 0) == 0) GTEST_SKIP() << name << " is for the emulation only";
  ASSERT_FALSE(architectures.empty()) << GetParam() << " does not begin with a line such as `// archs: sm_90a`";
  for (const std::string &arch : architectures) {
    const Nvrtc::Result result = nvrtc()->compile(source, name, arch, headers());
    EXPECT_TRUE(result.success) << arch << "\n" << result.log;
    EXPECT_EQ(complaints(result.log), "") << arch;
    // Proof that ptxas spoke: without its figures nothing was judged.
    EXPECT_NE(result.log.find("bytes stack frame"), std::string::npos) << arch << "\n" << result.log;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, TwoReaders, testing::ValuesIn(kernelFiles()), [](const auto &info) {
  return std::regex_replace(std::filesystem::path(info.param).filename().string(), std::regex("[^A-Za-z0-9]"), "_");
});

class TwoReadersRefusals : public TwoReaders {};

/// A kernel that uses what the architecture lacks fails with a sentence, not with an assembler's complaint.
TEST_F(TwoReadersRefusals, AnInstructionOfAnotherArchitectureIsNamed) {
  const struct {
    const char *include, *statement, *arch, *expected;
  } cases[] = {
      {"ptx/mbarrier.cuh", "MMC_SHARED(Mbarrier, b); mbarrierArriveExpect(b, 16);", "sm_80",
       "mbarrier.arrive.expect_tx needs sm_90"},
      {"ptx/wgmma.cuh", "wgmmaCommit();", "sm_120a", "wgmma needs sm_90a"},
      {"ptx/wgmma.cuh", "wgmmaCommit();", "sm_90", "wgmma needs sm_90a"},
      {"ptx/wgmma.cuh", "float d[20]; wgmma<bf16>(d, u64(0), u64(0), true);", "sm_90a", "wgmma is printed for N ="},
      {"ptx/wgmma.cuh", "float d[4]; wgmma<e4m3, e4m3, WgmmaForm{false, true}>(d, u64(0), u64(0), true);", "sm_90a",
       "only 16-bit operands can be MN-major"},
      {"ptx/registers.cuh", "lowerRegisters<40>();", "sm_90", "setmaxnreg needs sm_90a"},
      {"ptx/registers.cuh", "lowerRegisters<44>();", "sm_90a", "register counts are multiples of 8"},
      {"ptx/grid.cuh", "gridDependencyWait();", "sm_80", "griddepcontrol needs sm_90"},
      {"ptx/cluster.cuh", "clusterRank();", "sm_80", "clusters need sm_90"},
      {"ptx/barrier.cuh", "clusterSync();", "sm_80", "cluster barriers need sm_90"},
      {"ptx/fence.cuh", "fenceProxyAsync();", "sm_80", "fence.proxy.async needs sm_90"},
      {"ptx/bulk_copy.cuh", "MMC_SHARED(Mbarrier, b); tensorLoad(&b, TensorMap{}, b, 1, 2);", "sm_80",
       "bulk copies need sm_90"},
      {"ptx/matrix.cuh", "u32 r[4] = {}; storeMatrix(nullptr, r);", "sm_80", "stmatrix needs sm_90"},
      {"ptx/mma.cuh", "float d[4]; u32 a[4], b[2]; mma16x8x32<e4m3, e4m3>(d, a, b);", "sm_80",
       "8-bit floats need sm_89"},
  };
  for (const auto &one : cases) {
    const std::string source =
        std::string("#include \"") + one.include + "\"\nMMC_KERNEL(32, 1) void k() { " + one.statement + " }\n";
    const Nvrtc::Result result = nvrtc()->compile(source, "refused.cu", one.arch, headers());
    EXPECT_FALSE(result.success) << source << one.arch;
    EXPECT_NE(result.log.find(one.expected), std::string::npos) << source << one.arch << "\n" << result.log;
  }
}

/// The judge sees what it judges: kernels that ptxas remarks on.
TEST_F(TwoReadersRefusals, TheJudgeSeesBadKernels) {
  // A fragment touched between issue and wait: an injected wait.
  const std::string early = R"(
#include "ptx/wgmma.cuh"
struct S { alignas(1024) u8 bytes[32768]; };
MMC_KERNEL(128, 1) void early(float *out) {
  MMC_SHARED(S, s);
  float d[32] = {};
  wgmmaFence(d);
  wgmma<bf16>(d, matrixDescriptor(s.bytes, 16, 1024, Swizzle::bytes128), matrixDescriptor(s.bytes, 16, 1024, Swizzle::bytes128), true);
  wgmmaCommit();
  out[threadIndex()] = d[3];
  wgmmaWait<0>(d);
  out[threadIndex() + 128] = d[5];
})";
  const Nvrtc::Result touched = nvrtc()->compile(early, "early.cu", "sm_90a", headers());
  EXPECT_TRUE(touched.success) << touched.log;
  EXPECT_NE(complaints(touched.log).find("C7517"), std::string::npos) << touched.log;

  // A fragment indexed at run time: a stack frame.
  const std::string indexed = R"(
#include "ptx/launch.cuh"
MMC_KERNEL(32, 1) void indexed(float *out, u32 n) {
  float d[64];
  for (u32 i = 0; i < 64; ++i) d[i] = out[i];
  for (u32 i = 0; i < n; ++i) d[(i * n) % 64] += d[(i + n) % 64];
  for (u32 i = 0; i < 64; ++i) out[i] = d[i];
})";
  const Nvrtc::Result stack = nvrtc()->compile(indexed, "indexed.cu", "sm_90a", headers());
  EXPECT_TRUE(stack.success) << stack.log;
  EXPECT_NE(complaints(stack.log).find("stack frame"), std::string::npos) << stack.log;
}

} // namespace
