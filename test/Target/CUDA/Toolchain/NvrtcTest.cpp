// Cubins by NVRTC itself, where a toolkit or a wheel has it; skipped aloud where none has.
#include "lib/Target/CUDA/Toolchain/Nvrtc.h"

#include "test/Target/CUDA/Toolchain/ToolchainRun.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <unistd.h>

using namespace mmc::cuda;
using namespace mmc::cuda::test;

namespace {

class NvrtcCubins : public testing::Test {
protected:
  void SetUp() override {
    Expected<Nvrtc> nvrtc = Nvrtc::open();
    if (!nvrtc.ok()) GTEST_SKIP() << "no NVRTC here: " << nvrtc.status().text();
  }

  /// With an empty cache.
  static Expected<std::vector<DeviceImage>> compile(const std::vector<KernelSource> &sources,
                                                    const std::string &architecture = "sm_90a", unsigned threads = 1) {
    Folder folder;
    Call call(folder.path, threads);
    return compileCubins(sources, architecture, call.options);
  }
};

TEST_F(NvrtcCubins, AreForTheirArchitecture) {
  for (const auto &[architecture, number] :
       std::map<std::string, int>{{"sm_80", 80}, {"sm_90a", 90}, {"sm_120a", 120}}) {
    const auto images = compile({scaleKernel("scale", 3)}, architecture);
    ASSERT_TRUE(images.ok()) << images.status().text();
    const std::string &cubin = images->at(0).bytes;
    Elf64_Ehdr header;
    ASSERT_GT(cubin.size(), sizeof header);
    std::memcpy(&header, cubin.data(), sizeof header);
    EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
    EXPECT_EQ(header.e_machine, 190); // EM_CUDA
    // The architecture's number is the second byte of the flags since CUDA 13, and the first before.
    EXPECT_TRUE((header.e_flags >> 8 & 0xff) == unsigned(number) || (header.e_flags & 0xff) == unsigned(number))
        << architecture << " " << std::hex << header.e_flags;
    EXPECT_NE(cubin.find(".text.scale"), std::string::npos);
    EXPECT_THAT(images->at(0).log, HasSubstr("Compiling entry function 'scale' for '" + architecture + "'"));
    EXPECT_THAT(images->at(0).log, HasSubstr("0 bytes spill stores"));
    EXPECT_THAT(images->at(0).log, HasSubstr("registers"));
    EXPECT_THAT(images->at(0).log, Not(HasSubstr("Compile time")));
  }
}

TEST_F(NvrtcCubins, AreTheSameBytesWhateverTheFolderAndTheThreads) {
  const std::vector<KernelSource> sources = scaleKernels(4);
  const auto first = bytesOf(compile(sources));
  EXPECT_EQ(bytesOf(compile(sources, "sm_90a", 2)), first);
  Folder elsewhere;
  const std::string here = std::filesystem::current_path();
  ASSERT_EQ(chdir(elsewhere.path.c_str()), 0);
  const auto there = bytesOf(compile(sources));
  ASSERT_EQ(chdir(here.c_str()), 0);
  EXPECT_EQ(there, first);
  for (const std::string &cubin : first) EXPECT_EQ(cubin.find(here), std::string::npos);
}

TEST_F(NvrtcCubins, AnErrorIsToldWithItsLine) {
  KernelSource source = scaleKernel("scale", 3);
  const size_t at = source.text.find("* x[i]");
  source.text.replace(at, 6, "* z[i]");
  const Status status = compile({source}).status();
  EXPECT_EQ(status.identifier(), "MMC-E0924");
  EXPECT_EQ(status.message(), "kernel scale does not compile for sm_90a: scale.cu:5: identifier \"z\" is undefined\n"
                              "5 |   if (i < *count) y[i] = 3.0f * z[i];");
}

TEST_F(NvrtcCubins, AnErrorInAHeaderIsToldWithBothLines) {
  const Status status =
      compile(
          {{"wide", "#include \"ptx/registers.cuh\"\nMMC_KERNEL(32, 1) void wide() {\n  lowerRegisters<44>();\n}\n"}})
          .status();
  EXPECT_THAT(status.message(), HasSubstr("ptx/registers.cuh:"));
  EXPECT_THAT(status.message(), HasSubstr("register counts are multiples of 8"));
  EXPECT_THAT(status.message(), HasSubstr("\nfrom wide.cu:3\n3 |   lowerRegisters<44>();"));
}

TEST_F(NvrtcCubins, TheIdentityIsThatOfTheLibrary) {
  Expected<Nvrtc> nvrtc = Nvrtc::open();
  Expected<std::string> identity = nvrtc->identity();
  ASSERT_TRUE(identity.ok()) << identity.status().text();
  EXPECT_THAT(*identity, HasSubstr("nvrtc " + nvrtc->versionText() + " "));
  const std::string digits = identity->substr(identity->rfind(' ') + 1);
  EXPECT_GE(digits.size(), 16u);
  EXPECT_EQ(digits.find_first_not_of("0123456789abcdef"), std::string::npos);
  // A library of its own has an identity of its own, also without a build id.
  const Setting fake("MMC_NVRTC", MMC_FAKE_NVRTC);
  Expected<Nvrtc> other = Nvrtc::open();
  ASSERT_TRUE(other.ok()) << other.status().text();
  EXPECT_NE(*other->identity(), *identity);
}

TEST(NvrtcCandidates, NearerPlacesComeFirst) {
  Folder folder;
  writeFile(folder / "venv/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "");
  writeFile(folder / "venv/lib/python3.11/site-packages/nvidia/cu13/lib/libnvrtc.so.13", "");
  const Setting none("MMC_NVRTC", std::nullopt), home("CUDA_HOME", folder / "toolkit"),
      environment("VIRTUAL_ENV", folder / "venv");
  const std::vector<std::string> paths = nvrtcCandidates();
  const auto placeOf = [&](const std::string &path) {
    const auto at = std::find(paths.begin(), paths.end(), path);
    EXPECT_NE(at, paths.end()) << path;
    return at - paths.begin();
  };
  const std::vector<ptrdiff_t> places = {
      placeOf("libnvrtc.so.13"),
      placeOf("libnvrtc.so.12"),
      placeOf(folder / "toolkit/lib64/libnvrtc.so.13"),
      placeOf("/usr/local/cuda/lib64/libnvrtc.so.13"),
      placeOf(folder / "venv/lib/python3.11/site-packages/nvidia/cu13/lib/libnvrtc.so.13"),
      placeOf(folder / "venv/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"),
  };
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
  const Setting named("MMC_NVRTC", "/mine/libnvrtc.so");
  EXPECT_EQ(nvrtcCandidates(), std::vector<std::string>{"/mine/libnvrtc.so"});
}

} // namespace
