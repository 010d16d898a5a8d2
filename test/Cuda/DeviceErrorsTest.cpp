// What goes wrong with plans for a device, from the driver's absence to a kernel that strays (catalogue P9 to P11):
// each a typed error that says what was being done, and afterwards nothing is in the way of another load.
#include "runtime/cuda/session/LoadedKernels.h"
#include "test/Cuda/TinyDevice.h"

namespace mmc::test {

namespace {

/// A plan of the portable variant alone, whose first kernel is another one of kernels/TinyModel.cu.
PlanTables tablesWith(const std::string &first) {
  PlanTables t = deviceTables();
  t.variants.resize(1);
  t.deviceImages.resize(1);
  t.kernels[0].name = first;
  for (Kernel &kernel : t.kernels) {
    kernel.symbols = {kernel.name + "__portable"};
    kernel.functions.resize(1);
  }
  return t;
}

std::shared_ptr<cuda::DeviceContext> openEmulation() {
  auto driver = cuda::openDriverFor(kTargetEmulation);
  EXPECT_TRUE(driver.ok()) << driver.status().text();
  auto device = cuda::DeviceContext::open(*driver, 0);
  EXPECT_TRUE(device.ok()) << device.status().text();
  return *device;
}

TEST(DeviceErrors, NoDriver) {
  inEmulation({{"MMC_CUDA_EMU_DRIVER", "/nowhere/libmmc_cuda_emu.so"}}, [] {
    expectFailure(loadDevice(devicePlan()), StatusCode::incompatible, {"MMC-E0700", "/nowhere/libmmc_cuda_emu.so"});
  });
}

TEST(DeviceErrors, HostCodeIsRefusedWhereItIsNotWanted) {
  expectFailure(loadDevice(devicePlan(), {.noHostCode = true}), StatusCode::incompatible, {"MMC-E0302", "emulation"});
}

TEST(DeviceErrors, P9NoVariantForTheDevice) {
  expectFailure(loadDevice(devicePlan(), {.cudaVariant = "sm_80"}), StatusCode::incompatible,
                {"no variant 'sm_80', it has portable, sm_90a"});
  expectFailure(loadDevice(devicePlan(), {.cpuVariant = "avx512"}), StatusCode::incompatible,
                {"no cpu variant 'avx512', it is for target cuda-emu"});
  expectFailure(loadDevice(tinyPlan(), {.cudaVariant = "sm_90a"}), StatusCode::incompatible,
                {"no cuda variant 'sm_90a', it is for target cpu"});
  auto device = openEmulation();
  PlanTables t;
  t.target = kTargetCuda;
  auto choose = [&](std::vector<std::string> variants, const std::string &wanted = {}) {
    t.variants = std::move(variants);
    return cuda::chooseDeviceVariant(t, wanted, *device);
  };
  EXPECT_EQ(*choose({"sm_80", "sm_90", "sm_90a", "sm_120a"}), 2u); // the emulated device is sm_90
  EXPECT_EQ(*choose({"sm_80", "sm_90"}), 1u);
  EXPECT_EQ(*choose({"sm_90", "sm_90a"}, "sm_90"), 0u);
  expectFailure(choose({"sm_80", "sm_120a"}).status(), StatusCode::incompatible,
                {"MMC-E0303", "cubins for sm_80, sm_120a", "is sm_90"});
  expectFailure(choose({"sm_80", "sm_90a"}, "sm_80").status(), StatusCode::incompatible,
                {"'sm_80' do not run", "sm_90"});
}

TEST(DeviceErrors, P10ParametersThatAreNotThePlans) {
  expectFailure(loadDevice(devicePlan(tablesWith("narrow"))), StatusCode::integrity,
                {"MMC-E0312", "'narrow__portable' has 3 parameters, expected 4"});
  expectFailure(loadDevice(devicePlan(tablesWith("small"))), StatusCode::integrity,
                {"MMC-E0312", "'small__portable' has parameter 3 of 4 bytes", "expected 4 pointers"});
  PlanTables t = tablesWith("embed");
  t.kernels[0].domain = t.body.commands[0].launch.domain = {{ExtentKind::fixed, 8}};
  expectFailure(loadDevice(devicePlan(t)), StatusCode::integrity,
                {"MMC-E0312", "'embed__portable' has parameter 3", "expected 3 pointers"});
}

TEST(DeviceErrors, P11LaunchesThatTheFunctionDoesNotAllow) {
  PlanTables t = tablesWith("embed");
  t.kernels[0].functions[0].threads = 64;
  expectFailure(loadDevice(devicePlan(t)), StatusCode::integrity,
                {"MMC-E0312", "'embed__portable' runs with at most 32 threads", "launches it with 64"});
}

/// Pages of this size in each layer.
PlanTables tablesWithPages(uint64_t bytes) {
  PlanTables t = deviceTables();
  t.pools[1].unitBytes = bytes;
  for (Kernel &kernel : t.kernels)
    for (Parameter &parameter : kernel.interface)
      if (parameter.kinds[0] == ArgumentKind::pool && parameter.pageTokens) parameter.bytes = bytes;
  return t;
}

TEST(DeviceErrors, MoreMemoryThanTheDeviceHas) {
  constexpr uint64_t kPage = uint64_t(8) << 30;
  auto model = deviceModel(devicePlan(tablesWithPages(kPage)));
  for (uint64_t pages : {0, 64}) { // the least that is tried is one page
    const uint64_t bytes = kPage * 2 * std::max<uint64_t>(pages, 1);
    expectFailure(Session::create(model, {.maxPages = pages}).status(), StatusCode::capacity,
                  {"MMC-E0703", "allocating " + std::to_string(bytes) + " bytes of device memory for pool 'cache'"});
  }
  // What had been allocated is free again, so a smaller session has room.
  const std::vector<int32_t> tokens = tokensOf(1, 5);
  auto session = tinySession(deviceModel());
  EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, tokens));
}

TEST(DeviceErrors, PagesAreAsManyAsTheDeviceHasRoomFor) {
  // The emulated device has 16 GiB; a page of both layers takes one.
  auto session = tinySession(deviceModel(devicePlan(tablesWithPages(uint64_t(512) << 20))));
  EXPECT_EQ(session->memory().freePages(), 14u);
  EXPECT_EQ(tinySession(deviceModel())->memory().freePages(), kMaxSeqs * kPagesPerSequence);
}

void strayInAStep(bool synchronous, Logits logits, const std::vector<std::string> &words) {
  auto model = deviceModel(devicePlan(tablesWith("stray")));
  auto session = tinySession(model, {.cudaSync = synchronous});
  Sequence *sequence = *session->createSequence(), *other = *session->createSequence();
  const std::vector<int32_t> tokens = tokensOf(1, 4);
  const StepEntry entry{sequence, tokens.data(), tokens.size(), logits};
  expectFailure(session->step({&entry, 1}), StatusCode::failed, words);
  // From now on everything fails at once, and says in which step it began.
  const std::vector<std::string> lost = {"MMC-E0705", "has ended", "step 1", "CUDA_ERROR_"};
  const StepEntry next{other, tokens.data(), tokens.size(), Logits::last};
  expectFailure(session->step({&next, 1}), StatusCode::failed, lost);
  expectFailure(session->createSequence().status(), StatusCode::failed, lost);
  expectFailure(session->snapshot(*other, [](auto) { return Status(); }), StatusCode::failed, lost);
  expectFailure(session->restore(1000, [](auto) { return Status(); }).status(), StatusCode::failed, lost);
  expectFailure(Session::create(model, {}).status(), StatusCode::failed, lost);
}

TEST(DeviceErrors, AKernelThatStraysEndsTheContext) {
  auto body = [](bool synchronous, Logits logits, std::vector<std::string> words) {
    return [=] {
      strayInAStep(synchronous, logits, words);
      // All of it has gone, and in the emulation a new context works.
      const std::vector<int32_t> tokens = tokensOf(1, 5);
      auto session = tinySession(deviceModel());
      EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, tokens));
    };
  };
  const std::string step = "step 1 of 1 sequences and 4 tokens", found = "in kernel stray__portable";
  inEmulation({}, body(false, Logits::none, {"MMC-E0704", step + ": cuStreamSynchronize failed: CUDA_ERROR_"}), found);
  inEmulation({}, body(false, Logits::last, {"MMC-E0704", step + ": cuStreamSynchronize failed: CUDA_ERROR_"}), found);
  // The first run of two: its logits are waited for before those of the second are copied.
  inEmulation({}, body(false, Logits::all, {"MMC-E0704", step + ", at the copy of its logits: cuEventSynchronize"}),
              found);
  inEmulation({}, body(true, Logits::last, {"MMC-E0704", "launch of kernel 'stray' of program 'body' in step 1"}),
              found);
}

TEST(DeviceErrors, TheCallersContextIsPutBack) {
  auto device = openEmulation();
  cuda::Context context = nullptr, mine = nullptr;
  const cuda::DriverApi &driver = device->driver();
  ASSERT_EQ(driver.devicePrimaryCtxRetain(&mine, 0), cuda::Result::success);
  const std::vector<int32_t> tokens = tokensOf(1, 5);
  for (cuda::Context former : {cuda::Context(nullptr), mine}) {
    ASSERT_EQ(driver.ctxSetCurrent(former), cuda::Result::success);
    auto session = tinySession(deviceModel());
    EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, tokens));
    session.reset();
    ASSERT_EQ(driver.ctxGetCurrent(&context), cuda::Result::success);
    EXPECT_EQ(context, former);
  }
  ASSERT_EQ(driver.ctxSetCurrent(nullptr), cuda::Result::success);
  EXPECT_EQ(driver.devicePrimaryCtxRelease(0), cuda::Result::success);
}

} // namespace

} // namespace mmc::test
