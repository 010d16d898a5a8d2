// Proves the emulation's primitives against references that the host computes from the manual's definitions: float64
// for products and functions, bits for everything that moves or counts. And against what real devices have given, where
// the repository has it.
#include "lib/Silicon/Compare.h"
#include "lib/Silicon/Program.h"
#include "lib/Silicon/VectorFile.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

using namespace mmc::silicon;
namespace fs = std::filesystem;

namespace {

const WorkerOptions kEmulation = {MMC_EMULATED_DRIVER, MMC_SILICON_MODULES, 120};

std::vector<Case> emulatedCases() {
  std::vector<Case> cases = allCases();
  std::erase_if(cases, [](const Case &c) { return c.comparison == Comparison::recorded; });
  return cases;
}

AllResults runAll(const std::vector<Case> &cases) {
  auto all = runInWorkers(cases, kEmulation, {});
  EXPECT_TRUE(all.ok()) << all.status().text();
  return all.ok() ? *all : AllResults{{}, std::vector<CaseResult>(cases.size())};
}

class Silicon : public testing::TestWithParam<int> {
  void SetUp() override { setenv("MMC_EMU_SEED", std::to_string(GetParam()).c_str(), 1); }
};

TEST_P(Silicon, EveryPrimitiveAgreesWithItsReference) {
  const std::vector<Case> cases = emulatedCases();
  const AllResults all = runAll(cases);
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].name);
    ASSERT_TRUE(all.results[i].ran) << all.results[i].failure;
    const Verdict verdict = compareWithReference(cases[i], all.results[i].output);
    EXPECT_TRUE(verdict.good) << verdict.text;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Silicon, testing::Values(0, 1, 2));

TEST(SiliconVectors, TheEmulationReproducesWhatDevicesGave) {
  const fs::path folder = MMC_SOURCE_DIR "/test/Silicon/vectors";
  std::vector<fs::path> files;
  if (fs::is_directory(folder))
    for (const auto &entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".vectors") files.push_back(entry.path());
  if (files.empty()) GTEST_SKIP() << "no vectors of a device in " << folder << ": none has been recorded yet";
  const std::vector<Case> cases = emulatedCases();
  const AllResults all = runAll(cases);
  for (const fs::path &path : files) {
    const auto file = readVectors(path.string());
    ASSERT_TRUE(file.ok()) << file.status().text();
    ASSERT_EQ(file->device.name.find("emulated"), std::string::npos) << path << " is no device's";
    for (size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(path.filename().string() + ": " + cases[i].name);
      const Vector *vector = file->find(cases[i].name);
      ASSERT_NE(vector, nullptr);
      ASSERT_EQ(vector->inputs, digestOfInputs(cases[i])) << "the case has other inputs now";
      ASSERT_TRUE(all.results[i].ran) << all.results[i].failure;
      const Verdict verdict = compareWithRecorded(cases[i], all.results[i].output, vector->output);
      EXPECT_TRUE(verdict.good) << verdict.text;
    }
  }
}

/// What is recorded under one seed is reproduced under another; a vector that is another's is told from its own.
TEST(SiliconProgram, RecordsAndCompares) {
  const fs::path folder = fs::temp_directory_path() / ("silicon-" + std::to_string(getpid()));
  fs::create_directories(folder);
  ProgramOptions options;
  options.workers = kEmulation;
  options.record = (folder / "own.vectors").string();
  options.json = (folder / "report.json").string();
  setenv("MMC_EMU_SEED", "0", 1);
  const auto recorded = runProgram(options);
  ASSERT_TRUE(recorded.ok()) << recorded.status().text();
  EXPECT_EQ(recorded->cases, emulatedCases().size());
  EXPECT_EQ(recorded->failed + recorded->differFromReference + recorded->compared, 0u);
  EXPECT_GT(fs::file_size(options.json), 1000u);

  auto file = readVectors(options.record);
  ASSERT_TRUE(file.ok()) << file.status().text();
  file->vectors[3].output[5] ^= 0x100000;
  const std::string wrong = (folder / "wrong.vectors").string();
  ASSERT_TRUE(writeVectors(wrong, *file).ok());
  ProgramOptions again;
  again.workers = kEmulation;
  again.against = {options.record, wrong};
  setenv("MMC_EMU_SEED", "1", 1);
  const auto compared = runProgram(again);
  ASSERT_TRUE(compared.ok()) << compared.status().text();
  EXPECT_EQ(compared->compared, 2 * recorded->cases);
  EXPECT_EQ(compared->differFromRecorded, 1u);
  fs::remove_all(folder);
}

/// A case that cannot run costs itself only: another worker goes on with the next.
TEST(SiliconWorkers, AFailureCostsItsCaseOnly) {
  std::vector<Case> cases = allCases();
  cases.resize(4);
  cases[1].kernel = "noSuchKernel";
  cases[2].sharedBytes = 1 << 20;
  const AllResults all = runAll(cases);
  EXPECT_TRUE(all.results[0].ran);
  EXPECT_FALSE(all.results[1].ran);
  EXPECT_THAT(all.results[1].failure, testing::HasSubstr("cuModuleGetFunction"));
  EXPECT_FALSE(all.results[2].ran);
  EXPECT_TRUE(all.results[3].ran);
  EXPECT_TRUE(compareWithReference(cases[3], all.results[3].output).good);
}

/// What is written behind the output's end is seen.
TEST(SiliconWorkers, AWritePastTheOutputIsSeen) {
  std::vector<Case> cases = allCases();
  cases.resize(1);
  cases[0].initial.resize(cases[0].initial.size() - 8);
  const AllResults all = runAll(cases);
  EXPECT_FALSE(all.results[0].ran);
  EXPECT_THAT(all.results[0].failure, testing::HasSubstr("wrote past its output's"));
}

/// A worker that says nothing is given up: opening a pipe that nobody writes to never ends.
TEST(SiliconWorkers, AWorkerThatHangsIsGivenUp) {
  const std::string pipe = (fs::temp_directory_path() / ("driver-" + std::to_string(getpid()))).string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto all = runInWorkers(allCases(), {pipe, MMC_SILICON_MODULES, 1}, {});
  fs::remove(pipe);
  ASSERT_FALSE(all.ok());
  EXPECT_THAT(all.status().message(), testing::HasSubstr("did not end in time"));
}

TEST(SiliconWorkers, ADriverThatIsNotThereIsOneError) {
  const auto all = runInWorkers(allCases(), {"/nowhere/libcuda.so.1", MMC_SILICON_MODULES, 5}, {});
  ASSERT_FALSE(all.ok());
  EXPECT_THAT(all.status().message(), testing::HasSubstr("/nowhere/libcuda.so.1"));
}

/// Every function of ptx/ is called by a kernel of a case, or stands here with the reason.
TEST(SiliconCases, CoverTheDeviceLibrary) {
  const std::set<std::string> left = {
      "lowerRegisters",
      "raiseRegisters", // give no value
      "gridDependencyWait",
      "gridLaunchDependents", // order launches
      "fenceTensorMapRelease",
      "fenceTensorMapAcquire", // order writes of maps
      "fenceProxyAsyncShared",
      "fenceProxyAsyncGlobal", // narrower than fenceProxyAsync
      "fenceAcquireRelease",
      "clusterArriveRelaxed",       // order only
      "mbarrierArriveExpectRemote", // an arrival and an expectation, both covered
      "warpIndex",
      "warpgroupIndex",
      "blockIndexY",
      "blockIndexZ",
      "blockCount",
      "blockCountY",
      "blockCountZ",
      "sharedAddress",
      "opaque",
      "lowBf16",
      "highBf16",
      "copyAsyncWaitAll",
      "threadCount",
      "loadOrdered",
      "storeOrdered",
      "wgmmaWritten", // no instruction
      "loadPlain",
      "storePlain", // what the compiler makes of *p
  };
  const auto read = [](const fs::path &path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  std::string kernels;
  for (const auto &entry : fs::directory_iterator(MMC_SOURCE_DIR "/lib/Silicon/kernels")) kernels += read(entry.path());
  size_t functions = 0;
  for (const auto &entry : fs::directory_iterator(MMC_SOURCE_DIR "/runtime/cuda/device/ptx")) {
    std::string text = read(entry.path());
    // What is inside of a detail namespace is reached through the functions outside.
    for (size_t at; (at = text.find("Detail {\n")) != std::string::npos;)
      text.erase(at, text.find("\n} // namespace", at) - at);
    const std::regex declaration(R"(MMC_DEVICE\s+[\w<> ]+?[ *&]+(\w+)\()");
    for (std::sregex_iterator it(text.begin(), text.end(), declaration), end; it != end; ++it) {
      const std::string name = (*it)[1];
      ++functions;
      const bool called = std::regex_search(kernels, std::regex("\\b" + name + "\\b"));
      EXPECT_NE(called, left.count(name) == 1) << name << " of " << entry.path().filename();
    }
  }
  EXPECT_GE(functions, 120u);
}

} // namespace
