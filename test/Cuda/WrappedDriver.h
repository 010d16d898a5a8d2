// The emulated driver with every entry of its table wrapped: a test sees each call that the runtime makes, and knows
// when a thread is inside of one.
#pragma once

#include "runtime/cuda/session/LoadedKernels.h"
#include "test/Cuda/TinyDevice.h"

namespace mmc::test {

/// For one file of a program.
struct WrappedDriver {
  static inline cuda::DriverApi real;
  static inline thread_local int inside = 0; // calls that the thread is in
  static inline std::map<std::string, uint64_t> calls;
  static inline bool counting = false; // calls by symbol; counting allocates
  static inline std::function<void(const cuda::LaunchConfig &)> onLaunch;
  static inline std::function<bool()> dropsWait; // says whether this wait of a stream for an event is left out

  template <auto field> struct Entry;
  template <typename Result, typename... Arguments, Result (*cuda::DriverApi::*field)(Arguments...)>
  struct Entry<field> {
    static inline const char *symbol = nullptr;
    static Result call(Arguments... arguments) {
      ++inside;
      if (counting) ++calls[symbol];
      if constexpr (std::is_same_v<std::tuple<std::decay_t<Arguments>...>,
                                   std::tuple<const cuda::LaunchConfig *, cuda::Function, void **, void **>>)
        if (onLaunch) onLaunch(*std::get<0>(std::tuple(arguments...)));
      if constexpr (std::is_same_v<std::tuple<std::decay_t<Arguments>...>,
                                   std::tuple<cuda::Stream, cuda::Event, unsigned>>)
        if (dropsWait && dropsWait()) {
          --inside;
          return Result::success;
        }
      const Result result = (real.*field)(arguments...);
      --inside;
      return result;
    }
  };

  static std::shared_ptr<const cuda::DriverApi> open() {
    auto opened = cuda::openDriverFor(kTargetEmulation);
    EXPECT_TRUE(opened.ok()) << opened.status().text();
    real = **opened;
    auto wrapped = std::make_shared<cuda::DriverApi>(real);
#define MMC_WRAP(field, exported, ...)                                                                                 \
  Entry<&cuda::DriverApi::field>::symbol = #exported;                                                                  \
  wrapped->field = &Entry<&cuda::DriverApi::field>::call;
    MMC_CUDA_DRIVER_ENTRIES(MMC_WRAP)
#undef MMC_WRAP
    return wrapped;
  }

  /// A plan for cuda-emu, loaded through the wrapped driver in its first variant, with weights.
  static std::shared_ptr<const Model> load(const PlanTables &tables = deviceTables()) {
    auto loaded = std::make_shared<LoadedPlan>();
    loaded->image = std::move(*PlanImage::copy(devicePlan(tables)));
    auto verified = verifyPlan(loaded->image);
    EXPECT_TRUE(verified.ok()) << verified.status().text();
    loaded->tables = std::move(*verified);
    auto device = cuda::DeviceContext::open(open(), 0);
    EXPECT_TRUE(device.ok()) << device.status().text();
    auto kernels =
        cuda::LoadedKernels::load(*device, loaded->tables, 0, loaded->image.bytes(SegmentKind::deviceImages));
    EXPECT_TRUE(kernels.ok()) << kernels.status().text();
    loaded->deviceKernels = *kernels;
    return *makeModel(loaded, *randomRows(1), 1, {});
  }
};

} // namespace mmc::test
