// A step on a device allocates nothing after the first steps. What the emulated driver allocates is its own affair: the
// driver's table is wrapped, and allocations inside of its calls are not counted.
#include "runtime/cuda/session/LoadedKernels.h"
#include "test/Cuda/TinyDevice.h"
#include "test/Runtime/CountAllocations.h"

namespace mmc::test {

namespace {

using cuda::DriverApi;

DriverApi real;
uint64_t driverCalls = 0;

template <auto field> struct Wrapped;
template <typename Result, typename... Arguments, Result (*DriverApi::*field)(Arguments...)> struct Wrapped<field> {
  static Result call(Arguments... arguments) {
    ++notOurs;
    ++driverCalls;
    const Result result = (real.*field)(arguments...);
    --notOurs;
    return result;
  }
};

std::shared_ptr<const DriverApi> wrappedDriver() {
  auto opened = cuda::openDriverFor(kTargetEmulation);
  EXPECT_TRUE(opened.ok()) << opened.status().text();
  real = **opened;
  auto wrapped = std::make_shared<DriverApi>(real);
#define MMC_WRAP(field, symbol, ...) wrapped->field = &Wrapped<&DriverApi::field>::call;
  MMC_CUDA_DRIVER_ENTRIES(MMC_WRAP)
#undef MMC_WRAP
  return wrapped;
}

/// The tiny model's plan, loaded through the wrapped driver.
std::shared_ptr<const LoadedPlan> loadWrapped() {
  auto loaded = std::make_shared<LoadedPlan>();
  loaded->image = std::move(*PlanImage::copy(devicePlan()));
  loaded->tables = std::move(*verifyPlan(loaded->image));
  auto device = cuda::DeviceContext::open(wrappedDriver(), 0);
  EXPECT_TRUE(device.ok()) << device.status().text();
  auto kernels = cuda::LoadedKernels::load(*device, loaded->tables, loaded->variant,
                                           loaded->image.bytes(SegmentKind::deviceImages));
  EXPECT_TRUE(kernels.ok()) << kernels.status().text();
  loaded->deviceKernels = *kernels;
  return loaded;
}

TEST(DeviceAllocation, StepsAllocateNothing) {
#ifndef MMC_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "a sanitizer's allocator is in use";
#endif
  auto session = tinySession(*makeModel(loadWrapped(), *randomRows(1), 1, {}));
  const std::vector<int32_t> a = tokensOf(1, kMaxModelLen), b = tokensOf(2, kMaxModelLen);
  Sequence *first = *session->createSequence(), *second = *session->createSequence();
  auto step = [&](size_t of, size_t other) {
    const StepEntry entries[] = {{first, a.data() + first->position, of, Logits::all},
                                 {second, b.data() + second->position, other, Logits::last}};
    return session->step(entries).ok();
  };
  ASSERT_TRUE(step(3, 1));
  allocations = driverCalls = 0;
  counting = true;
  bool good = true;
  for (auto [x, y] : {std::pair<size_t, size_t>{1, 1}, {7, 1}, {20, 12}, {1, 30}, {1, 1}}) good &= step(x, y);
  counting = false;
  EXPECT_TRUE(good);
  EXPECT_EQ(allocations, 0u);
  EXPECT_GT(driverCalls, 50u);
  // The counter counts.
  counting = true;
  auto *probe = new volatile int(1);
  counting = false;
  delete probe;
  EXPECT_EQ(allocations, 1u);
}

} // namespace

} // namespace mmc::test
