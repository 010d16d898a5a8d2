// Implements the runner. Each case has its own memory; behind the output lies a guard that must stay as it is.
#include "lib/Silicon/Device.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace mmc::silicon {

using runtime::Expected;
using runtime::Status;

namespace {

constexpr size_t kGuardWords = 64;
constexpr uint32_t kGuard = 0x6ea6dbed;

} // namespace

Status CaseRunner::check(cuda::Result result, const char *call) const {
  return result == cuda::Result::success ? Status() : cuda::statusOf(*api, result, call);
}

#define MMC_CALL(entry, ...) MMC_RETURN_IF_ERROR(check(api->entry(__VA_ARGS__), cuda::symbols::entry))

Expected<std::unique_ptr<CaseRunner>> CaseRunner::open(const std::string &driver, const std::string &kernels) {
  auto api = cuda::openDriver(driver);
  if (!api.ok()) return api.status();
  std::unique_ptr<CaseRunner> runner(new CaseRunner(*api, kernels));
  MMC_RETURN_IF_ERROR(runner->start());
  return runner;
}

Status CaseRunner::start() {
  cuda::Device ordinal = 0;
  MMC_CALL(deviceGet, &ordinal, 0);
  char name[256] = {};
  MMC_CALL(deviceGetName, name, int(sizeof name), ordinal);
  device.name = name;
  MMC_CALL(deviceGetAttribute, &device.major, cuda::DeviceAttribute::computeCapabilityMajor, ordinal);
  MMC_CALL(deviceGetAttribute, &device.minor, cuda::DeviceAttribute::computeCapabilityMinor, ordinal);
  device.driverVersion = api->version;
  MMC_CALL(devicePrimaryCtxRetain, &context, ordinal);
  MMC_CALL(ctxSetCurrent, context);
  MMC_CALL(streamCreateWithPriority, &stream, cuda::streamNonBlocking, 0);
  return {};
}

CaseRunner::~CaseRunner() {
  if (context) (void)api->devicePrimaryCtxRelease(0);
}

Expected<cuda::Function> CaseRunner::functionOf(const Case &c) {
  auto found = modules.find(c.module);
  if (found == modules.end()) {
    std::string image;
    for (const char *suffix : {".cubin", ".so"}) {
      std::ifstream in(kernels + "/" + c.module + suffix, std::ios::binary);
      if (image.empty()) image.assign(std::istreambuf_iterator<char>(in), {});
    }
    if (image.empty())
      return Status(kSiliconModule, "'" + kernels + "' has neither " + c.module + ".cubin nor " + c.module + ".so");
    cuda::Module module = nullptr;
    MMC_CALL(moduleLoadDataEx, &module, image.data(), 0, nullptr, nullptr);
    found = modules.emplace(c.module, module).first;
  }
  cuda::Function function = nullptr;
  MMC_CALL(moduleGetFunction, &function, found->second, c.kernel.c_str());
  if (c.sharedBytes)
    MMC_CALL(funcSetAttribute, function, cuda::FunctionAttribute::maxDynamicSharedSizeBytes, int(c.sharedBytes));
  return function;
}

Expected<Words> CaseRunner::runOn(const Case &c, cuda::Function function, cuda::DevicePointer in,
                                  cuda::DevicePointer out) {
  Words memory = c.initial;
  memory.insert(memory.end(), kGuardWords, kGuard);
  MMC_CALL(memcpyHtoDAsync, in, c.input.data(), c.input.size() * 4, stream);
  MMC_CALL(memcpyHtoDAsync, out, memory.data(), memory.size() * 4, stream);
  cuda::TensorMap map{};
  if (c.tensor) {
    const TensorRequest &t = *c.tensor;
    const cuda::DevicePointer base = t.ofOutput ? out : in + t.firstWord * 4;
    MMC_CALL(tensorMapEncodeTiled, &map, t.element, uint32_t(t.sizes.size()), reinterpret_cast<void *>(base),
             t.sizes.data(), t.strides.data(), t.box.data(), t.traversal.data(), cuda::TensorInterleave::none,
             t.swizzle, cuda::TensorL2Promotion::none, t.fill);
  }
  uint32_t count = c.count;
  void *parameters[] = {&out, &in, &count, &map};
  const cuda::LaunchConfig config = {c.blocks, 1, 1, c.threads, 1, 1, c.sharedBytes, stream, nullptr, 0};
  MMC_CALL(launchKernelEx, &config, function, parameters, nullptr);
  MMC_CALL(memcpyDtoHAsync, memory.data(), out, memory.size() * 4, stream);
  MMC_CALL(streamSynchronize, stream);
  if (std::any_of(memory.end() - kGuardWords, memory.end(), [](uint32_t word) { return word != kGuard; }))
    return Status(kSiliconRun,
                  "kernel " + c.kernel + " wrote past its output's " + std::to_string(c.initial.size() * 4) + " bytes");
  memory.resize(c.initial.size());
  return memory;
}

Expected<Words> CaseRunner::run(const Case &c) {
  Expected<cuda::Function> function = functionOf(c);
  if (!function.ok()) return function.status();
  cuda::DevicePointer in = 0, out = 0;
  MMC_CALL(memAlloc, &in, c.input.size() * 4);
  MMC_CALL(memAlloc, &out, (c.initial.size() + kGuardWords) * 4);
  Expected<Words> result = runOn(c, *function, in, out);
  // After a failure that ended the context these fail too, which says nothing new.
  (void)api->memFree(in);
  (void)api->memFree(out);
  return result;
}

} // namespace mmc::silicon
