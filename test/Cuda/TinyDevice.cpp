// The tiny model for cuda-emu.
#include "test/Cuda/TinyDevice.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mmc::test {

std::vector<uint8_t> deviceModule() {
  std::ifstream in(MMC_TINY_MODULE, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(in), {});
}

PlanTables deviceTables() {
  enum : size_t { kAttend = 3, kHead = 4 };
  PlanTables t = tinyTables();
  t.target = kTargetEmulation;
  t.variants = {"portable", "sm_90a"};
  const uint64_t bytes = deviceModule().size();
  t.deviceImages = {{0, 0, bytes}, {1, roundUp(bytes, 64), bytes}};
  for (Kernel &kernel : t.kernels) {
    kernel.symbols = {kernel.name + "__portable", kernel.name + "__sm_90a"};
    kernel.scratchBytes.clear();
    kernel.functions = {{0, 32, 0, Rows::none, 0}, {1, 32, 0, Rows::none, 0}};
  }
  for (DeviceFunction &function : t.kernels[kAttend].functions) {
    function.threads = 96;
    function.sharedBytes = 3 * kWidth * 4 + (50 << 10);
  }
  for (DeviceFunction &function : t.kernels[kHead].functions) {
    function.dealtRows = Rows::outputs;
    function.dealtStep = 2;
  }
  Kernel &head = t.kernels[kHead];
  head.parameters.back() = "outputs";
  head.interface.back().kinds = {ArgumentKind::outputCount};
  head.domain = {{ExtentKind::fixed, 3}};
  head.domainRank = 1;
  Launch &launch = t.head.commands[0].launch;
  launch.arguments.back() = {ArgumentKind::outputCount, false, 0, 0};
  launch.domain = head.domain;
  return t;
}

PlanTables mappedTables() {
  PlanTables t = deviceTables();
  t.requiredFeatures = {kFeatureTensorMaps};
  t.variants.resize(1);
  t.deviceImages.resize(1);
  t.kernels[0].name = "mappedEmbed";
  t.kernels[2].name = "mappedAppend";
  for (Kernel &kernel : t.kernels) {
    kernel.symbols = {kernel.name + "__portable"};
    kernel.functions.resize(1);
  }
  constexpr uint64_t kRowBytes = kWidth * sizeof(float);
  constexpr uint32_t kRowAndBarrier = 128;
  t.kernels[0].functions[0].maps = {{1, DType::f32, 0, {kVocabulary, kWidth}, {kRowBytes}, {1, kWidth}, 0}};
  t.kernels[2].functions[0].maps = {{3, DType::f32, 0, {0, kWidth}, {kRowBytes}, {1, kWidth}, 0}};
  for (size_t kernel : {0, 2}) t.kernels[kernel].functions[0].sharedBytes = kRowAndBarrier;
  return t;
}

std::vector<uint8_t> devicePlan(const PlanTables &tables) {
  const std::vector<uint8_t> metadata = encodeTables(tables), constants = tinyConstants(), module = deviceModule();
  std::vector<uint8_t> images;
  for (const DeviceImage &image : tables.deviceImages) {
    images.resize(std::max<uint64_t>(images.size(), image.offset + module.size()));
    std::copy(module.begin(), module.end(), images.begin() + ptrdiff_t(image.offset));
  }
  const SegmentInput segments[] = {
      {SegmentKind::metadata, metadata}, {SegmentKind::constants, constants}, {SegmentKind::deviceImages, images}};
  return *buildPlanFile(segments);
}

Status loadDevice(const std::vector<uint8_t> &file, PlanOptions options) {
  Expected<PlanImage> image = PlanImage::copy(file);
  EXPECT_TRUE(image.ok()) << image.status().text();
  return image.ok() ? loadPlan(std::move(*image), options).status() : image.status();
}

std::shared_ptr<const Model> deviceModel(const std::vector<uint8_t> &file, PlanOptions options) {
  Expected<std::shared_ptr<const LoadedPlan>> plan = loadPlan(std::move(*PlanImage::copy(file)), options);
  EXPECT_TRUE(plan.ok()) << plan.status().text();
  if (!plan.ok()) return nullptr;
  Expected<std::shared_ptr<const Model>> model = makeModel(*plan, *randomRows(1), 2, {});
  EXPECT_TRUE(model.ok()) << model.status().text();
  return model.ok() ? *model : nullptr;
}

void inEmulation(const std::vector<std::pair<const char *, std::string>> &settings, const std::function<void()> &body,
                 const std::string &stderrHas) {
  const int errors = memfd_create("stderr", 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(errors, 2);
    for (auto &[name, value] : settings) setenv(name, value.c_str(), 1);
    body();
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::string text(size_t(lseek(errors, 0, SEEK_END)), 0);
  EXPECT_EQ(pread(errors, text.data(), text.size(), 0), ssize_t(text.size()));
  close(errors);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status << "\n" << text;
  if (stderrHas.empty())
    EXPECT_EQ(text, "");
  else
    EXPECT_NE(text.find(stderrHas), std::string::npos) << text;
}

} // namespace mmc::test
