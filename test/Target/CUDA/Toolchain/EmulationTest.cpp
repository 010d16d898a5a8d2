// Shared objects for the emulated device: they load through the emulated driver and run, reports cite the emitted
// lines, and their bytes depend on nothing but source and compiler.
#include "test/Target/CUDA/Toolchain/ToolchainRun.h"

#include "test/Cuda/DriverRun.h"

#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace mmc::cuda;
using namespace mmc::cuda::test;
using mmc::emu::test::driver;
using mmc::emu::test::expectFinding;
using mmc::emu::test::expectSilent;

namespace {

/// With an empty cache.
Expected<std::vector<DeviceImage>> compile(const std::vector<KernelSource> &sources, unsigned threads = 1) {
  Folder folder;
  Call call(folder.path, threads);
  return compileForEmulation(sources, call.options);
}

/// Runs a kernel of scaleKernel's shape on `given` numbers, of which it is told that there are `count`.
std::vector<float> run(const DeviceImage &image, uint32_t given, uint32_t count, bool expectFailure = false) {
  const DriverApi &api = driver();
  Context context = nullptr;
  Module module = nullptr;
  Function function = nullptr;
  Stream stream = nullptr;
  EXPECT_EQ(api.devicePrimaryCtxRetain(&context, 0), Result::success);
  EXPECT_EQ(api.ctxSetCurrent(context), Result::success);
  EXPECT_EQ(api.moduleLoadDataEx(&module, image.bytes.data(), 0, nullptr, nullptr), Result::success);
  EXPECT_EQ(api.moduleGetFunction(&function, module, image.kernels.at(0).c_str()), Result::success);
  EXPECT_EQ(api.streamCreateWithPriority(&stream, streamNonBlocking, 0), Result::success);
  std::vector<float> x(given);
  for (uint32_t i = 0; i < given; ++i) x[i] = float(i) + 0.5f;
  std::vector<float> y(given, -1.0f);
  const size_t bytes = given * sizeof(float);
  DevicePointer from = 0, to = 0, number = 0;
  for (DevicePointer *each : {&from, &to}) EXPECT_EQ(api.memAlloc(each, bytes), Result::success);
  EXPECT_EQ(api.memAlloc(&number, sizeof count), Result::success);
  EXPECT_EQ(api.memcpyHtoDAsync(from, x.data(), bytes, stream), Result::success);
  EXPECT_EQ(api.memcpyHtoDAsync(number, &count, sizeof count, stream), Result::success);
  void *parameters[] = {&from, &to, &number};
  const LaunchConfig config = {(count + 63) / 64, 1, 1, 64, 1, 1, 0, stream, nullptr, 0};
  EXPECT_EQ(api.launchKernelEx(&config, function, parameters, nullptr), Result::success);
  const Result ended = api.streamSynchronize(stream);
  EXPECT_EQ(ended != Result::success, expectFailure);
  if (!expectFailure) {
    EXPECT_EQ(api.memcpyDtoHAsync(y.data(), to, bytes, stream), Result::success);
    EXPECT_EQ(api.streamSynchronize(stream), Result::success);
  }
  return y;
}

TEST(EmulationImages, LoadAndRun) {
  const auto images = compile(scaleKernels(2), 2);
  ASSERT_TRUE(images.ok()) << images.status().text();
  ASSERT_EQ(images->size(), 2u);
  expectSilent({}, [&] {
    for (int factor : {1, 2}) {
      const std::vector<float> y = run((*images)[size_t(factor) - 1], 100, 100);
      for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], float(factor) * (float(i) + 0.5f)) << i;
    }
  });
}

TEST(EmulationImages, ReportsCiteTheEmittedLine) {
  const auto images = compile({scaleKernel("scale", 3)});
  ASSERT_TRUE(images.ok()) << images.status().text();
  expectFinding({}, "scale.cu:5 in scale", [&] { run((*images)[0], 64, 80, true); });
}

TEST(EmulationImages, AreTheSameBytesEverywhere) {
  const std::vector<KernelSource> sources = scaleKernels(3);
  const auto first = bytesOf(compile(sources));
  EXPECT_EQ(bytesOf(compile(sources, 2)), first);
  Folder elsewhere;
  const std::string here = std::filesystem::current_path();
  ASSERT_EQ(chdir(elsewhere.path.c_str()), 0);
  std::vector<std::string> there;
  {
    // What a user's environment tells compilers does not reach this one.
    writeFile(elsewhere / "block/kernel.cuh", "#error the wrong header\n");
    const Setting temporary("TMPDIR", elsewhere.path), headers("CPLUS_INCLUDE_PATH", elsewhere.path),
        options("CCC_OVERRIDE_OPTIONS", "+-DMMC_KERNEL");
    there = bytesOf(compile(sources));
  }
  ASSERT_EQ(chdir(here.c_str()), 0);
  EXPECT_EQ(there, first);
  for (const std::string &image : first)
    for (const std::string &folder : {std::string("/tmp/"), std::string(MMC_SOURCE_DIR), here, std::string("/usr/")})
      EXPECT_EQ(image.find(folder), std::string::npos) << folder;
  for (const auto &entry : std::filesystem::directory_iterator(elsewhere.path))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("mmc-kernels"))) << "was left behind";
}

TEST(EmulationImages, AnErrorIsToldWithItsLine) {
  KernelSource source = scaleKernel("scale", 3);
  source.text.replace(source.text.find("* x[i]"), 6, "* z[i]");
  const Status status = compile({source}).status();
  EXPECT_EQ(status.identifier(), "MMC-E0924");
  EXPECT_EQ(status.message(),
            "kernel scale does not compile for the emulation: scale.cu:5: use of undeclared identifier 'z'\n"
            "5 |   if (i < *count) y[i] = 3.0f * z[i];");
}

TEST(EmulationImages, AnErrorInAHeaderIsToldWithBothLines) {
  const Status status =
      compile(
          {{"wide", "#include \"ptx/registers.cuh\"\nMMC_KERNEL(32, 1) void wide() {\n  lowerRegisters<44>();\n}\n"}})
          .status();
  EXPECT_THAT(status.message(), HasSubstr("device/ptx/registers.cuh:"));
  EXPECT_THAT(status.message(), HasSubstr("register counts are multiples of 8"));
  EXPECT_THAT(status.message(), HasSubstr("\nfrom wide.cu:3\n3 |   lowerRegisters<44>();"));
}

/// A program in clang's place that writes down that it compiled a kernel.
std::string countingClang(const Folder &folder) {
  const std::string path = folder / "clang";
  writeFile(path, "#!/bin/sh\ncase \"$*\" in *.cu*) echo x >> '" + (folder / "count") +
                      "';; esac\nexec '" MMC_KERNEL_CLANG "' \"$@\"\n");
  chmod(path.c_str(), 0755);
  return path;
}

TEST(EmulationImages, TheCacheKnowsEveryInput) {
  Folder folder;
  const Setting counting("MMC_EMU_CLANG", countingClang(folder));
  auto compiled = [&, before = size_t(0)]() mutable {
    const size_t now = readFile(folder / "count").size() / 2;
    return now - std::exchange(before, now);
  };
  std::vector<KernelSource> sources = scaleKernels(2);
  Call first(folder / "cache", 2);
  const auto fresh = bytesOf(compileForEmulation(sources, first.options));
  EXPECT_EQ(compiled(), 2u);
  Call second(folder / "cache");
  EXPECT_EQ(bytesOf(compileForEmulation(sources, second.options)), fresh);
  EXPECT_EQ(compiled(), 0u);
  EXPECT_EQ(second.progress, (std::vector<std::array<size_t, 3>>{{2, 2, 2}}));
  sources[1].text += "\n";
  Call third(folder / "cache");
  EXPECT_TRUE(compileForEmulation(sources, third.options).ok());
  EXPECT_EQ(compiled(), 1u);
  // The same program under another path finds what this one made.
  const Setting direct("MMC_EMU_CLANG", MMC_KERNEL_CLANG);
  Call fourth(folder / "cache");
  EXPECT_TRUE(compileForEmulation(sources, fourth.options).ok());
  EXPECT_EQ(fourth.progress, (std::vector<std::array<size_t, 3>>{{2, 2, 2}}));
}

/// GNU's linker in place of LLVM's: where clang has no other.
TEST(EmulationImages, AnotherLinkerWillDo) {
  if (!std::filesystem::exists("/usr/bin/ld.bfd")) GTEST_SKIP() << "no /usr/bin/ld.bfd here";
  Folder folder;
  const std::string path = folder / "clang";
  writeFile(path, "#!/bin/sh\ncase \"$*\" in -print-prog-name*) echo /usr/bin/ld.bfd;; *) exec '" MMC_KERNEL_CLANG
                  "' \"$@\";; esac\n");
  chmod(path.c_str(), 0755);
  Expected<std::vector<DeviceImage>> usual = compile({scaleKernel("scale", 3)});
  const Setting other("MMC_EMU_CLANG", path);
  Expected<std::vector<DeviceImage>> images = compile({scaleKernel("scale", 3)});
  ASSERT_TRUE(images.ok()) << images.status().text();
  EXPECT_NE(images->at(0).bytes, bytesOf(usual).at(0)) << "is of the same linker";
  expectSilent({}, [&] { EXPECT_EQ(run(images->at(0), 2, 2), (std::vector<float>{1.5f, 4.5f})); });
}

TEST(EmulationImages, WithoutClang) {
  const Setting nowhere("MMC_EMU_CLANG", "/nowhere/clang++");
  const Status status = compile(scaleKernels(1)).status();
  EXPECT_EQ(status.identifier(), "MMC-E0922");
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.message(), "MMC_EMU_CLANG = /nowhere/clang++ cannot be executed");
  EXPECT_THAT(status.hint(), HasSubstr("apt-get install clang-22"));
}

TEST(EmulationImages, AnotherOrAnOldCompilerIsRefused) {
  Folder folder;
  const std::string path = folder / "clang";
  for (const char *version : {"g++ (Debian) 12.2.0", "Debian clang version 19.1.7 (3)"}) {
    writeFile(path, std::string("#!/bin/sh\necho '") + version + "'\n");
    chmod(path.c_str(), 0755);
    const Setting other("MMC_EMU_CLANG", path);
    const Status status = compile(scaleKernels(1)).status();
    EXPECT_EQ(status.code(), StatusCode::incompatible);
    EXPECT_EQ(status.message(), path + " says it is '" + version + "', expected clang 20 or newer");
  }
}

TEST(EmulationImages, WithoutAFolderForTemporaryFiles) {
  const Setting temporary("TMPDIR", "/nowhere");
  const Status status = compile(scaleKernels(1)).status();
  EXPECT_EQ(status.identifier(), "MMC-E0925");
  EXPECT_THAT(status.message(), HasSubstr("cannot make the temporary folder /nowhere/mmc-kernels-"));
}

} // namespace
