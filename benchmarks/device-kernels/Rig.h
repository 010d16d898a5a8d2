// A device for benchmarks: its driver, a stream, memory, modules, and the time that launches take on the device.
#pragma once

#include "runtime/cuda/driver/DriverApi.h"

#include <functional>
#include <map>
#include <vector>

namespace mmc::benchmark {

/// A call of the driver that failed ends the program with a sentence: nothing can be measured then.
class Rig {
public:
  Rig(const std::string &driver, std::string kernels);

  std::string name;
  int processors = 0, major = 0, minor = 0;

  cuda::DevicePointer allocate(size_t bytes, uint8_t value);
  cuda::DevicePointer upload(const std::vector<uint32_t> &words);
  /// Null where the folder of kernels has no such module.
  cuda::Function find(const std::string &module, const std::string &kernel, size_t sharedBytes);
  void launch(cuda::Function function, uint32_t blocks, uint32_t threads, size_t sharedBytes, cuda::DevicePointer out,
              cuda::DevicePointer in, unsigned long long count);
  void copy(cuda::DevicePointer to, cuda::DevicePointer from, size_t bytes);

  /// Seconds that `work`, `times` in a row, takes on the device, for one: the best of `repeats`.
  double seconds(int times, int repeats, const std::function<void()> &work);

private:
  void check(cuda::Result result, const char *call) const;

  std::shared_ptr<const cuda::DriverApi> api;
  std::string kernels;
  cuda::Context context = nullptr;
  cuda::Stream stream = nullptr;
  cuda::Event start = nullptr, end = nullptr;
  std::map<std::string, cuda::Module> modules;
};

} // namespace mmc::benchmark
