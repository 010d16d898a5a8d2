// Implements the rig.
#include "benchmarks/device-kernels/Rig.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace mmc::benchmark {

#define MMC_CALL(entry, ...) check(api->entry(__VA_ARGS__), cuda::symbols::entry)

namespace {
[[noreturn]] void give(const runtime::Status &status) {
  std::fprintf(stderr, "device-kernels: error: %s\nhint: %s\n", status.text().c_str(), status.hint().c_str());
  std::exit(int(status.code()));
}
} // namespace

void Rig::check(cuda::Result result, const char *call) const {
  if (result != cuda::Result::success) give(cuda::statusOf(*api, result, call));
}

Rig::Rig(const std::string &driver, std::string folder) : kernels(std::move(folder)) {
  auto opened = cuda::openDriver(driver);
  if (!opened.ok()) give(opened.status());
  api = *opened;
  char text[256] = {};
  MMC_CALL(deviceGetName, text, int(sizeof text), 0);
  name = text;
  MMC_CALL(deviceGetAttribute, &processors, cuda::DeviceAttribute::multiprocessorCount, 0);
  MMC_CALL(deviceGetAttribute, &major, cuda::DeviceAttribute::computeCapabilityMajor, 0);
  MMC_CALL(deviceGetAttribute, &minor, cuda::DeviceAttribute::computeCapabilityMinor, 0);
  MMC_CALL(devicePrimaryCtxRetain, &context, 0);
  MMC_CALL(ctxSetCurrent, context);
  MMC_CALL(streamCreateWithPriority, &stream, cuda::streamNonBlocking, 0);
  MMC_CALL(eventCreate, &start, cuda::eventDefault);
  MMC_CALL(eventCreate, &end, cuda::eventDefault);
}

cuda::DevicePointer Rig::allocate(size_t bytes, uint8_t value) {
  cuda::DevicePointer pointer = 0;
  MMC_CALL(memAlloc, &pointer, bytes);
  MMC_CALL(memsetD8Async, pointer, value, bytes, stream);
  return pointer;
}

cuda::DevicePointer Rig::upload(const std::vector<uint32_t> &words) {
  const cuda::DevicePointer pointer = allocate(words.size() * 4, 0);
  MMC_CALL(memcpyHtoDAsync, pointer, words.data(), words.size() * 4, stream);
  MMC_CALL(streamSynchronize, stream);
  return pointer;
}

cuda::Function Rig::find(const std::string &module, const std::string &kernel, size_t sharedBytes) {
  if (!modules.count(module)) {
    std::string image;
    for (const char *suffix : {".cubin", ".so"}) {
      std::ifstream in(kernels + "/" + module + suffix, std::ios::binary);
      if (image.empty()) image.assign(std::istreambuf_iterator<char>(in), {});
    }
    if (image.empty()) return nullptr;
    MMC_CALL(moduleLoadDataEx, &modules[module], image.data(), 0, nullptr, nullptr);
  }
  cuda::Function function = nullptr;
  MMC_CALL(moduleGetFunction, &function, modules[module], kernel.c_str());
  if (sharedBytes)
    MMC_CALL(funcSetAttribute, function, cuda::FunctionAttribute::maxDynamicSharedSizeBytes, int(sharedBytes));
  return function;
}

void Rig::launch(cuda::Function function, uint32_t blocks, uint32_t threads, size_t sharedBytes,
                 cuda::DevicePointer out, cuda::DevicePointer in, unsigned long long count) {
  void *parameters[] = {&out, &in, &count};
  const cuda::LaunchConfig config = {blocks, 1, 1, threads, 1, 1, unsigned(sharedBytes), stream, nullptr, 0};
  MMC_CALL(launchKernelEx, &config, function, parameters, nullptr);
}

void Rig::copy(cuda::DevicePointer to, cuda::DevicePointer from, size_t bytes) {
  MMC_CALL(memcpyDtoDAsync, to, from, bytes, stream);
}

double Rig::seconds(int times, int repeats, const std::function<void()> &work) {
  work();
  double least = 1e30;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    MMC_CALL(eventRecord, start, stream);
    for (int i = 0; i < times; ++i) work();
    MMC_CALL(eventRecord, end, stream);
    MMC_CALL(eventSynchronize, end);
    float milliseconds = 0;
    MMC_CALL(eventElapsedTime, &milliseconds, start, end);
    least = std::min(least, double(milliseconds) / 1e3 / times);
  }
  return least;
}

} // namespace mmc::benchmark
