// Compiling cubins with a library in NVRTC's place, which counts: order, threads, cache, failures and their words.
#include "lib/Target/CUDA/Toolchain/Headers.h"
#include "test/Target/CUDA/Toolchain/ToolchainRun.h"

#include <dlfcn.h>

using namespace mmc::cuda;
using namespace mmc::cuda::test;

namespace {

class Cubins : public testing::Test {
protected:
  /// How often the fake has compiled since the last question.
  int compiled() {
    void *library = dlopen(MMC_FAKE_NVRTC, RTLD_NOW | RTLD_LOCAL);
    const int now = reinterpret_cast<int (*)()>(dlsym(library, "fakeNvrtcCompilations"))();
    return now - std::exchange(before, now);
  }
  void SetUp() override { compiled(); }

  static Status failureOf(const std::vector<KernelSource> &sources, const std::string &architecture = "sm_90a",
                          unsigned threads = 1) {
    Folder folder;
    Call call(folder.path, threads);
    return compileCubins(sources, architecture, call.options).status();
  }

  Folder folder;
  Setting nvrtc{"MMC_NVRTC", MMC_FAKE_NVRTC};
  int before = 0;
};

TEST_F(Cubins, ComeInOrderWithTheirLogs) {
  Call call(folder.path, 3);
  std::vector<KernelSource> sources = scaleKernels(9);
  sources[0].text += "// slow\n";
  const auto images = compileCubins(sources, "sm_90a", call.options);
  ASSERT_TRUE(images.ok()) << images.status().text();
  ASSERT_EQ(images->size(), 9u);
  for (size_t i = 0; i < 9; ++i) {
    const DeviceImage &image = (*images)[i];
    EXPECT_EQ(image.kernels, std::vector<std::string>{sources[i].name});
    EXPECT_EQ(image.bytes, "cubin with " + std::to_string(deviceHeaders().size()) +
                               " headers: -arch=sm_90a -std=c++20 -default-device --ptxas-options=-v\n" +
                               sources[i].name + ".cu\n" + sources[i].text + std::string("\0end", 4));
    EXPECT_EQ(image.log, "ptxas info    : Used 16 registers\nptxas info    : 0 bytes gmem\n");
  }
  EXPECT_EQ(compiled(), 9);
  ASSERT_EQ(call.progress.size(), 10u);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(call.progress[i], (std::array<size_t, 3>{i, 9, 0}));
  EXPECT_EQ(call.remarks, std::vector<std::string>{});
}

TEST_F(Cubins, TheCacheKnowsEveryInput) {
  const std::vector<KernelSource> sources = scaleKernels(4);
  Call first(folder.path, 2);
  const auto fresh = bytesOf(compileCubins(sources, "sm_90a", first.options));
  EXPECT_EQ(compiled(), 4);
  Call second(folder.path, 1);
  const auto images = compileCubins(sources, "sm_90a", second.options);
  EXPECT_EQ(bytesOf(images), fresh);
  EXPECT_EQ((*images)[3].log, "ptxas info    : Used 16 registers\nptxas info    : 0 bytes gmem\n");
  EXPECT_EQ((*images)[3].kernels, std::vector<std::string>{"scale4"});
  EXPECT_EQ(compiled(), 0);
  EXPECT_EQ(second.progress, (std::vector<std::array<size_t, 3>>{{4, 4, 4}}));

  const auto again = [&](const std::vector<KernelSource> &changed, const std::string &architecture = "sm_90a") {
    Call call(folder.path);
    EXPECT_TRUE(compileCubins(changed, architecture, call.options).ok());
    return compiled();
  };
  EXPECT_EQ(again(sources, "sm_80"), 4);
  EXPECT_EQ(again(sources, "sm_80"), 0);
  std::vector<KernelSource> changed = sources;
  changed[1].text += "\n";
  EXPECT_EQ(again(changed), 1);
  changed[2].name = "scaled"; // the name of its file is in a cubin
  EXPECT_EQ(again(changed), 1);
  // What moves from the name to the text is another kernel.
  EXPECT_EQ(again({{"ab", "c"}}), 1);
  EXPECT_EQ(again({{"a", "bc"}}), 1);
  const Setting minor("MMC_FAKE_NVRTC_MINOR", "1");
  EXPECT_EQ(again(sources), 4);
}

TEST_F(Cubins, ADamagedEntryIsMadeAgain) {
  const std::vector<KernelSource> sources = scaleKernels(3);
  Call first(folder.path);
  const auto fresh = bytesOf(compileCubins(sources, "sm_90a", first.options));
  compiled();
  const std::string path = filesBelow(folder.path).at(1);
  std::string content = readFile(path);
  content.back() = char(content.back() ^ 1);
  writeFile(path, content);
  Call second(folder.path);
  EXPECT_EQ(bytesOf(compileCubins(sources, "sm_90a", second.options)), fresh);
  EXPECT_EQ(compiled(), 1);
  EXPECT_EQ(second.progress, (std::vector<std::array<size_t, 3>>{{2, 3, 2}, {3, 3, 2}}));
  Call third(folder.path);
  EXPECT_EQ(bytesOf(compileCubins(sources, "sm_90a", third.options)), fresh);
  EXPECT_EQ(compiled(), 0);
}

TEST_F(Cubins, WithoutACacheTheyAreCompiledAndThatIsSaidOnce) {
  const std::vector<KernelSource> sources = scaleKernels(3);
  writeFile(folder / "file", "");
  Call blocked(folder / "file", 2);
  EXPECT_TRUE(compileCubins(sources, "sm_90a", blocked.options).ok());
  EXPECT_EQ(compiled(), 3);
  ASSERT_EQ(blocked.remarks.size(), 1u);
  EXPECT_THAT(blocked.remarks[0], HasSubstr("kernels are compiled without a cache: MMC-E0102: cannot make the folder"));

  const Setting own("MMC_CACHE_DIR", std::nullopt), xdg("XDG_CACHE_HOME", std::nullopt), home("HOME", std::nullopt);
  Call homeless("");
  EXPECT_TRUE(compileCubins(sources, "sm_90a", homeless.options).ok());
  EXPECT_EQ(compiled(), 3);
  EXPECT_EQ(homeless.remarks,
            std::vector<std::string>{
                "kernels are compiled without a cache: neither MMC_CACHE_DIR nor HOME names a folder for it"});
}

TEST_F(Cubins, TheDefaultFolderIsTaken) {
  const Setting own("MMC_CACHE_DIR", folder / "cache");
  Call call("");
  EXPECT_TRUE(compileCubins(scaleKernels(2), "sm_90a", call.options).ok());
  EXPECT_EQ(filesBelow(folder / "cache").size(), 2u);
}

TEST_F(Cubins, AnErrorIsToldWithItsLine) {
  const Status status = failureOf({{"linear", "#include \"block/kernel.cuh\"\n#error no such tile\n"}});
  EXPECT_EQ(status.identifier(), "MMC-E0924");
  EXPECT_EQ(status.code(), StatusCode::failed);
  EXPECT_EQ(status.message(), "kernel linear does not compile for sm_90a: linear.cu:2: no such tile\n"
                              "2 | #error no such tile");
}

TEST_F(Cubins, AnErrorInAHeaderIsToldWithBothLines) {
  const Header *header = nullptr;
  for (const Header &each : deviceHeaders())
    if (each.name == "block/kernel.cuh") header = &each;
  ASSERT_TRUE(header);
  const std::string second(header->text.substr(header->text.find('\n') + 1));
  const Status status = failureOf({{"linear", "\n\n// in block/kernel.cuh:2 bad operand\n"}});
  EXPECT_EQ(status.message(), "kernel linear does not compile for sm_90a: block/kernel.cuh:2: bad operand\n2 | " +
                                  second.substr(0, second.find('\n')) +
                                  "\nfrom linear.cu:3\n3 | // in block/kernel.cuh:2 bad operand");
}

TEST_F(Cubins, TheFirstFailureInOrderIsReported) {
  std::vector<KernelSource> sources = scaleKernels(8);
  sources[2].text += "// slow\n#error the first\n";
  for (size_t i = 3; i < 8; ++i) sources[i].text += "#error a later one\n";
  for (unsigned threads : {1, 2, 4, 8}) {
    const Status status = failureOf(sources, "sm_90a", threads);
    EXPECT_THAT(status.message(), HasSubstr("kernel scale3 ")) << threads;
    EXPECT_THAT(status.message(), HasSubstr(": the first\n")) << threads;
  }
  // What came before the failure is kept.
  Call call(folder.path);
  EXPECT_FALSE(compileCubins(sources, "sm_90a", call.options).ok());
  EXPECT_EQ(filesBelow(folder.path).size(), 2u);
}

TEST_F(Cubins, FailuresOfNvrtcItself) {
  const Status memory = failureOf({{"a", "// memory\n"}});
  EXPECT_EQ(memory.code(), StatusCode::capacity);
  const Status builtins = failureOf({{"a", "// builtins\n"}});
  EXPECT_EQ(builtins.identifier(), "MMC-E0925");
  EXPECT_THAT(builtins.message(), HasSubstr("nvrtcCompileProgram of " MMC_FAKE_NVRTC " failed"));
  EXPECT_THAT(builtins.cause(), HasSubstr("failed to open the builtins"));
  EXPECT_EQ(builtins.hint(), "install NVRTC again");
}

TEST_F(Cubins, NamesAreIdentifiers) {
  for (const char *name : {"", "a/b", "../up", "1a", "a b", "a\xc3\xa4"}) {
    const Status status = failureOf({{name, ""}});
    EXPECT_THAT(status.message(), HasSubstr("expected an identifier")) << name;
  }
  EXPECT_TRUE(failureOf({{"_A9", ""}}).ok());
  EXPECT_EQ(compiled(), 1);
}

TEST_F(Cubins, AnArchitectureThatIsNotKnown) {
  for (const char *architecture : {"sm_70", "sm_80a", "sm_90b", "90", "", "sm_90a "}) {
    const Status status = failureOf(scaleKernels(1), architecture);
    EXPECT_EQ(status.code(), StatusCode::incompatible) << architecture;
    EXPECT_EQ(status.text(), "MMC-E0921: NVRTC 13.0 makes no code for '" + std::string(architecture) +
                                 "', expected one of sm_80, sm_90, sm_120, from sm_90 on also with an a");
  }
  for (const char *architecture : {"sm_80", "sm_90", "sm_90a", "sm_120a"})
    EXPECT_TRUE(failureOf(scaleKernels(1), architecture).ok()) << architecture;
}

TEST_F(Cubins, NoSourcesAreNoImages) {
  Call call(folder.path);
  const auto images = compileCubins({}, "sm_90a", call.options);
  ASSERT_TRUE(images.ok());
  EXPECT_TRUE(images->empty());
}

TEST_F(Cubins, WithoutNvrtc) {
  const Setting nowhere("MMC_NVRTC", "/nowhere/libnvrtc.so");
  const Status status = failureOf(scaleKernels(1));
  EXPECT_EQ(status.identifier(), "MMC-E0920");
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.message(), "cannot open NVRTC at MMC_NVRTC = /nowhere/libnvrtc.so");
  EXPECT_THAT(status.cause(), HasSubstr("/nowhere/libnvrtc.so"));
  EXPECT_THAT(status.hint(), HasSubstr("pip install nvidia-cuda-nvrtc"));
}

TEST_F(Cubins, AnotherOrAnOldLibraryIsRefused) {
  {
    const Setting other("MMC_NVRTC", "libm.so.6");
    const Status status = failureOf(scaleKernels(1));
    EXPECT_EQ(status.text(), "MMC-E0920: libm.so.6 lacks nvrtcGetErrorString, expected NVRTC of CUDA 12.0 or newer");
  }
  const Setting major("MMC_FAKE_NVRTC_MAJOR", "11");
  const Status status = failureOf(scaleKernels(1));
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.message(), MMC_FAKE_NVRTC " is NVRTC of CUDA 11.0, expected 12.0 or newer");
}

} // namespace
