// Device memory, page-locked host memory, copies and fills.
//
// Addresses are checked at the call: the device's bytes of a copy lie in one live allocation. Memory that is not
// page-locked is read at the call, and a copy to it is waited for, as a driver does.
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Queue.h"

using namespace mmc::emu;
using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

void *pointerTo(DevicePointer address) { return reinterpret_cast<void *>(address); }

bool isDeviceMemory(DevicePointer address, uint64_t bytes) {
  const auto *begin = static_cast<const uint8_t *>(pointerTo(address));
  const memory::Range range = memory::globalAllocationOf(begin);
  return range.begin && bytes <= range.bytes - uint64_t(begin - range.begin);
}

bool isHostMemory(const void *address) { return address && memory::classify(address) == memory::Kind::none; }

bool isPageLocked(const void *address, uint64_t bytes) { return process().host.holding(address, bytes); }

/// A copy between host and device in a stream.
Result copyHost(CUstream_st &stream, const char *name, Direction direction, void *to, const void *from, size_t bytes) {
  const void *host = direction == Direction::toDevice ? from : to;
  auto work = std::make_shared<CopyWork>(name, direction, to, from, bytes);
  if (!isPageLocked(host, bytes)) {
    // The driver would have to stage the bytes or to wait.
    if (const Result result = refuseInCapture(stream); result != Result::success) return result;
    if (direction == Direction::toDevice) work->stage();
  }
  if (const Result result = addWork(stream, std::move(work)); result != Result::success) return result;
  if (direction == Direction::toHost && !isPageLocked(host, bytes)) {
    runStream(stream);
    if (stream.context->failure == Result::success) process().order.hostWaits(stream.clock);
  }
  return stream.context->failure;
}

/// One that the host waits for.
Result copyNow(CUctx_st &context, std::shared_ptr<const Work> work) {
  if (const Result result = checkUnsafe(context); result != Result::success) return result;
  return runNow(context, std::move(work));
}

Result fill(CUstream_st &stream, const char *name, DevicePointer to, uint32_t value, uint32_t elementBytes,
            size_t count) {
  if (count == 0) return Result::success;
  if (count > ~uint64_t(0) / elementBytes || to % elementBytes || !isDeviceMemory(to, count * elementBytes))
    return Result::invalidValue;
  return addWork(stream, std::make_shared<FillWork>(name, pointerTo(to), value, elementBytes, count));
}

Result fillNow(const char *name, DevicePointer to, uint32_t value, uint32_t elementBytes, size_t count) {
  return callIn(CallKind::copies, [&](CUctx_st &context) {
    if (count == 0) return Result::success;
    if (count > ~uint64_t(0) / elementBytes || to % elementBytes || !isDeviceMemory(to, count * elementBytes))
      return Result::invalidValue;
    return copyNow(context, std::make_shared<FillWork>(name, pointerTo(to), value, elementBytes, count));
  });
}

} // namespace

extern "C" {

Result cuMemAlloc_v2(DevicePointer *pointer, size_t bytes) {
  return callIn(CallKind::allocates, [&](CUctx_st &context) {
    if (!pointer || !bytes) return Result::invalidValue;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    void *memory = memory::allocateGlobal(bytes, uint32_t(context.device));
    if (!memory) return Result::outOfMemory;
    process().allocations[memory] = &context;
    *pointer = reinterpret_cast<DevicePointer>(memory);
    return Result::success;
  });
}

Result cuMemFree_v2(DevicePointer pointer) {
  return callIn(CallKind::releases, [&](CUctx_st &) {
    if (!pointer) return Result::success;
    if (!process().allocations.count(pointerTo(pointer))) return Result::invalidValue;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    runAll(); // work that uses it was asked for before
    memory::setAccessible(~uint64_t(0));
    memory::freeGlobal(pointerTo(pointer));
    process().allocations.erase(pointerTo(pointer));
    return Result::success;
  });
}

Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  return callIn(CallKind::asks, [&](CUctx_st &context) {
    if (!free || !total) return Result::invalidValue;
    *total = machineOptions().globalBytes;
    *free = *total - memory::used(uint32_t(context.device));
    return Result::success;
  });
}

Result cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags) {
  return callIn(CallKind::allocates, [&](CUctx_st &context) {
    if (!pointer || !bytes || (flags & ~7u)) return Result::invalidValue;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    *pointer = process().host.allocate(bytes, &context);
    return *pointer ? Result::success : Result::outOfMemory;
  });
}

Result cuMemFreeHost(void *pointer) {
  return callIn(CallKind::releases, [&](CUctx_st &) {
    const HostMemory::Block *block = process().host.find(pointer);
    if (!block || block->registered) return Result::invalidValue;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    runAll();
    process().host.remove(pointer);
    return Result::success;
  });
}

Result cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags) {
  return callIn(CallKind::allocates, [&](CUctx_st &context) {
    if (!isHostMemory(pointer) || !bytes || (flags & ~15u)) return Result::invalidValue;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    return process().host.add(pointer, bytes, &context) ? Result::success : Result::hostMemoryAlreadyRegistered;
  });
}

Result cuMemHostUnregister(void *pointer) {
  return callIn(CallKind::releases, [&](CUctx_st &) {
    const HostMemory::Block *block = process().host.find(pointer);
    if (!block || !block->registered) return Result::hostMemoryNotRegistered;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    runAll();
    process().host.remove(pointer);
    return Result::success;
  });
}

Result cuMemHostGetDevicePointer_v2(DevicePointer *pointer, void *host, unsigned flags) {
  return callIn(CallKind::asks, [&](CUctx_st &) {
    HostMemory::Block *block = process().host.holding(host, 1);
    if (!pointer || flags || !block) return Result::invalidValue;
    block->deviceMapped = true;
    *pointer = reinterpret_cast<DevicePointer>(host);
    return Result::success;
  });
}

Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t bytes, Stream handle) {
  return callOn(CallKind::copies, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!bytes) return Result::success;
    if (!isDeviceMemory(to, bytes) || !isHostMemory(from)) return Result::invalidValue;
    return copyHost(stream, "cuMemcpyHtoDAsync", Direction::toDevice, pointerTo(to), from, bytes);
  });
}

Result cuMemcpyDtoHAsync_v2(void *to, DevicePointer from, size_t bytes, Stream handle) {
  return callOn(CallKind::copies, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!bytes) return Result::success;
    if (!isDeviceMemory(from, bytes) || !isHostMemory(to)) return Result::invalidValue;
    return copyHost(stream, "cuMemcpyDtoHAsync", Direction::toHost, to, pointerTo(from), bytes);
  });
}

Result cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes, Stream handle) {
  return callOn(CallKind::copies, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!bytes) return Result::success;
    if (!isDeviceMemory(from, bytes) || !isDeviceMemory(to, bytes)) return Result::invalidValue;
    return addWork(stream, std::make_shared<CopyWork>("cuMemcpyDtoDAsync", Direction::onDevice, pointerTo(to),
                                                      pointerTo(from), bytes));
  });
}

Result cuMemcpyPeerAsync(DevicePointer to, Context toContext, DevicePointer from, Context fromContext, size_t bytes,
                         Stream handle) {
  return callOn(CallKind::copies, handle, [&](CUctx_st &, CUstream_st &stream) {
    for (const Context context : {toContext, fromContext})
      if (!context || context < process().contexts || context >= process().contexts + kMostDevices ||
          !context->retained)
        return Result::invalidContext;
    if (!bytes) return Result::success;
    if (!isDeviceMemory(from, bytes) || !isDeviceMemory(to, bytes)) return Result::invalidValue;
    if (process().allocations[memory::globalAllocationOf(pointerTo(to)).begin] != toContext ||
        process().allocations[memory::globalAllocationOf(pointerTo(from)).begin] != fromContext)
      return Result::invalidValue;
    return addWork(stream, std::make_shared<CopyWork>("cuMemcpyPeerAsync", Direction::onDevice, pointerTo(to),
                                                      pointerTo(from), bytes));
  });
}

Result cuMemcpyHtoD_v2(DevicePointer to, const void *from, size_t bytes) {
  return callIn(CallKind::copies, [&](CUctx_st &context) {
    if (!bytes) return Result::success;
    if (!isDeviceMemory(to, bytes) || !isHostMemory(from)) return Result::invalidValue;
    return copyNow(context,
                   std::make_shared<CopyWork>("cuMemcpyHtoD", Direction::toDevice, pointerTo(to), from, bytes));
  });
}

Result cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t bytes) {
  return callIn(CallKind::copies, [&](CUctx_st &context) {
    if (!bytes) return Result::success;
    if (!isDeviceMemory(from, bytes) || !isHostMemory(to)) return Result::invalidValue;
    return copyNow(context, std::make_shared<CopyWork>("cuMemcpyDtoH", Direction::toHost, to, pointerTo(from), bytes));
  });
}

Result cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) {
  return callIn(CallKind::copies, [&](CUctx_st &context) {
    if (!bytes) return Result::success;
    if (!isDeviceMemory(from, bytes) || !isDeviceMemory(to, bytes)) return Result::invalidValue;
    return copyNow(context, std::make_shared<CopyWork>("cuMemcpyDtoD", Direction::onDevice, pointerTo(to),
                                                       pointerTo(from), bytes));
  });
}

Result cuMemsetD8Async(DevicePointer to, unsigned char value, size_t count, Stream handle) {
  return callOn(CallKind::copies, handle,
                [&](CUctx_st &, CUstream_st &stream) { return fill(stream, "cuMemsetD8Async", to, value, 1, count); });
}

Result cuMemsetD32Async(DevicePointer to, unsigned value, size_t count, Stream handle) {
  return callOn(CallKind::copies, handle,
                [&](CUctx_st &, CUstream_st &stream) { return fill(stream, "cuMemsetD32Async", to, value, 4, count); });
}

Result cuMemsetD8_v2(DevicePointer to, unsigned char value, size_t count) {
  return fillNow("cuMemsetD8", to, value, 1, count);
}

Result cuMemsetD32_v2(DevicePointer to, unsigned value, size_t count) {
  return fillNow("cuMemsetD32", to, value, 4, count);
}

} // extern "C"
} // namespace mmc::cuda
