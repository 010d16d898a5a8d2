// The emulated driver's memory: allocations and page-locked memory, every copy and fill with its refusals, and device
// memory out of the host's reach.
#include "test/Cuda/DriverRun.h"

#include <csignal>

using namespace mmc::emu::test;

namespace {

TEST(DriverMemory, AllocationsAreCountedAndFreed) {
  expectSilent({}, [] {
    Rig rig;
    size_t before = 0, total = 0, now = 0, device = 0;
    MMC_GOOD(rig.api.memGetInfo(&before, &total));
    MMC_GOOD(rig.api.deviceTotalMem(&device, 0));
    EXPECT_EQ(before, total);
    EXPECT_EQ(device, total);
    DevicePointer data = 0;
    MMC_GOOD(rig.api.memAlloc(&data, 1000));
    EXPECT_EQ(data % 256, 0u);
    MMC_GOOD(rig.api.memGetInfo(&now, &total));
    EXPECT_EQ(before - now, 1024u);
    MMC_REFUSED(invalidValue, rig.api.memFree(data + 1));
    MMC_GOOD(rig.api.memFree(data));
    MMC_REFUSED(invalidValue, rig.api.memFree(data));
    MMC_GOOD(rig.api.memFree(0));
    MMC_GOOD(rig.api.memGetInfo(&now, &total));
    EXPECT_EQ(before, now);
    MMC_REFUSED(invalidValue, rig.api.memAlloc(&data, 0));
    MMC_REFUSED(invalidValue, rig.api.memAlloc(nullptr, 4));
    MMC_REFUSED(outOfMemory, rig.api.memAlloc(&data, total + 1));
    MMC_GOOD(rig.api.memAlloc(&data, total));
    DevicePointer more = 0;
    MMC_REFUSED(outOfMemory, rig.api.memAlloc(&more, 1));
  });
}

TEST(DriverMemory, FreeingWaitsForWorkThatUsesIt) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.allocate(64);
      uint32_t *out = rig.pinned(64, 0);
      MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
      MMC_GOOD(rig.api.memcpyDtoHAsync(out, data, 256, rig.stream));
      MMC_GOOD(rig.api.memFree(data));
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(out[3], 5u);
    });
}

TEST(DriverMemory, ALaunchOnFreedMemoryIsFound) {
  auto program = [](bool freed) {
    return [freed] {
      Rig rig;
      const DevicePointer data = rig.allocate(64);
      if (freed) MMC_GOOD(rig.api.memFree(data));
      MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
      EXPECT_EQ(rig.api.streamSynchronize(rig.stream), freed ? Result::illegalAddress : Result::success);
    };
  };
  for (const Settings &settings : seeds()) {
    expectFinding(settings, "which was freed", program(true));
    expectSilent(settings, program(false));
  }
}

TEST(DriverMemory, PageLockedMemory) {
  expectSilent({}, [] {
    Rig rig;
    void *pinned = nullptr;
    MMC_GOOD(rig.api.memHostAlloc(&pinned, 100, hostAllocPortable | hostAllocDeviceMap));
    DevicePointer mapped = 0;
    MMC_GOOD(rig.api.memHostGetDevicePointer(&mapped, pinned, 0));
    EXPECT_EQ(mapped, reinterpret_cast<DevicePointer>(pinned));
    MMC_REFUSED(invalidValue, rig.api.memHostGetDevicePointer(&mapped, &rig, 0));
    MMC_REFUSED(hostMemoryNotRegistered, rig.api.memHostUnregister(pinned));
    MMC_GOOD(rig.api.memFreeHost(pinned));
    MMC_REFUSED(invalidValue, rig.api.memFreeHost(pinned));
    MMC_REFUSED(invalidValue, rig.api.memHostAlloc(&pinned, 0, 0));
    MMC_REFUSED(invalidValue, rig.api.memHostAlloc(&pinned, 4, 64));
    MMC_REFUSED(outOfMemory, rig.api.memHostAlloc(&pinned, size_t(1) << 60, 0));
    std::vector<uint32_t> own(64);
    MMC_GOOD(rig.api.memHostRegister(own.data(), 256, 0));
    MMC_REFUSED(hostMemoryAlreadyRegistered, rig.api.memHostRegister(own.data() + 63, 4, 0));
    MMC_REFUSED(invalidValue, rig.api.memFreeHost(own.data()));
    MMC_GOOD(rig.api.memHostUnregister(own.data()));
    MMC_REFUSED(hostMemoryNotRegistered, rig.api.memHostUnregister(own.data()));
    const DevicePointer data = rig.allocate(64);
    MMC_REFUSED(invalidValue, rig.api.memHostRegister(reinterpret_cast<void *>(data), 4, 0));
  });
}

TEST(DriverMemory, KernelsReachMappedHostMemory) {
  expectSilent({}, [] {
    Rig rig;
    uint32_t *pinned = rig.pinned(64, 0);
    DevicePointer mapped = 0;
    MMC_GOOD(rig.api.memHostGetDevicePointer(&mapped, pinned, 0));
    MMC_GOOD(rig.launch(rig.stream, "fillWith", mapped, 5u));
    EXPECT_EQ(pinned[0], 0u);
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(pinned[0], 5u);
  });
}

TEST(DriverMemory, RegisteredMemoryIsReadWhenTheCopyRuns) {
  expectFinding({}, "the host changes page-locked memory", [] {
    Rig rig;
    std::vector<uint32_t> own(64, 1);
    const DevicePointer data = rig.allocate(64);
    MMC_GOOD(rig.api.memHostRegister(own.data(), 256, 0));
    MMC_GOOD(rig.api.memcpyHtoDAsync(data, own.data(), 256, rig.stream));
    own[0] = 2;
    MMC_REFUSED(launchFailed, rig.api.streamSynchronize(rig.stream));
  });
}

TEST(DriverMemory, CopiesAndFills) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer a = rig.allocate(64), b = rig.allocate(64);
      uint32_t *in = rig.pinned(64, 0), *out = rig.pinned(64, 0);
      for (uint32_t i = 0; i < 64; ++i) in[i] = i;
      MMC_GOOD(rig.api.memcpyHtoDAsync(a, in, 256, rig.stream));
      MMC_GOOD(rig.api.memcpyDtoDAsync(b, a, 256, rig.stream));
      MMC_GOOD(rig.api.memsetD32Async(b + 4, 77, 2, rig.stream));
      MMC_GOOD(rig.api.memsetD8Async(b + 13, 0xab, 1, rig.stream));
      MMC_GOOD(rig.api.memcpyDtoHAsync(out, b, 256, rig.stream));
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(out[0], 0u);
      EXPECT_EQ(out[1], 77u);
      EXPECT_EQ(out[2], 77u);
      EXPECT_EQ(out[3], 0xab03u);
      EXPECT_EQ(out[63], 63u);
      MMC_GOOD(MMC_MORE(cuMemsetD8_v2)(b, 1, 3));
      MMC_GOOD(MMC_MORE(cuMemcpyDtoD_v2)(a, b, 8));
      MMC_GOOD(MMC_MORE(cuMemcpyHtoD_v2)(a + 8, in + 40, 4));
      EXPECT_EQ(rig.read(a, 4), (std::vector<uint32_t>{0x00010101, 77, 40, 3}));
    });
}

TEST(DriverMemory, CopiesStayInTheirAllocations) {
  expectSilent({}, [] {
    Rig rig;
    const DevicePointer data = rig.filled(64, 0), other = rig.filled(64, 0);
    uint32_t *host = rig.pinned(128, 0);
    const Stream s = rig.stream;
    MMC_GOOD(rig.api.memcpyHtoDAsync(data + 252, host, 4, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyHtoDAsync(data + 252, host, 5, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyHtoDAsync(data, reinterpret_cast<void *>(other), 4, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyHtoDAsync(data, nullptr, 4, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyDtoHAsync(host, data + 1, 256, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyDtoHAsync(reinterpret_cast<void *>(other), data, 4, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyDtoDAsync(other, data, 257, s));
    MMC_REFUSED(invalidValue, rig.api.memcpyDtoDAsync(reinterpret_cast<DevicePointer>(host), data, 4, s));
    MMC_REFUSED(invalidValue, rig.api.memsetD8Async(data, 0, 257, s));
    MMC_REFUSED(invalidValue, rig.api.memsetD32Async(data + 2, 0, 1, s));
    MMC_REFUSED(invalidValue, rig.api.memsetD32Async(data, 0, size_t(1) << 62, s));
    MMC_REFUSED(invalidValue, MMC_MORE(cuMemcpyHtoD_v2)(data, host, 257));
    MMC_REFUSED(invalidValue, MMC_MORE(cuMemcpyDtoH_v2)(host, data, 257));
    MMC_REFUSED(invalidValue, MMC_MORE(cuMemcpyDtoD_v2)(data, other, 257));
    MMC_REFUSED(invalidValue, MMC_MORE(cuMemsetD32_v2)(data, 0, 65));
    MMC_REFUSED(notSupported, rig.api.memcpyHtoDAsync(data, host, 4, nullptr));
    MMC_GOOD(rig.api.memcpyHtoDAsync(data, host, 0, s));
    MMC_GOOD(rig.api.streamSynchronize(s));
  });
}

TEST(DriverMemory, WhatNothingHasWrittenArrivesAsNaN) {
  expectSilent({}, [] {
    Rig rig;
    const DevicePointer data = rig.allocate(64), copy = rig.filled(64, 0);
    MMC_GOOD(MMC_MORE(cuMemsetD32_v2)(data + 4, 1, 1));
    MMC_GOOD(MMC_MORE(cuMemcpyDtoD_v2)(copy, data, 256));
    const std::vector<uint32_t> values = rig.read(copy, 64);
    EXPECT_EQ(values[0], ~0u);
    EXPECT_EQ(values[1], 1u);
    EXPECT_EQ(values[63], ~0u);
  });
}

TEST(DriverMemory, AKernelThatReadsACopyOfNothingIsFound) {
  auto program = [](uint32_t written) {
    return [written] {
      Rig rig;
      const DevicePointer data = rig.allocate(64), copy = rig.filled(64, 0);
      MMC_GOOD(MMC_MORE(cuMemsetD32_v2)(data, 1, written));
      MMC_GOOD(MMC_MORE(cuMemcpyDtoD_v2)(copy, data, 256));
      MMC_GOOD(rig.launch(rig.stream, "addTo", copy, copy, 1u));
      EXPECT_EQ(rig.api.streamSynchronize(rig.stream), written < 64 ? Result::launchFailed : Result::success);
    };
  };
  expectFinding({}, "uninitialised read", program(63));
  expectSilent({}, program(64));
}

TEST(DriverMemory, TheHostCannotReachDeviceMemory) {
  for (bool write : {false, true})
    for (bool afterWork : {false, true}) {
      const Child child = inChild({}, [&] {
        Rig rig;
        const DevicePointer data = rig.filled(64, 0);
        if (afterWork) {
          MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
          MMC_GOOD(rig.api.streamSynchronize(rig.stream));
        }
        auto *words = reinterpret_cast<volatile uint32_t *>(data);
        if (write)
          words[3] = 1;
        else
          (void)words[3];
      });
      EXPECT_TRUE(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGSEGV) << child.status;
      EXPECT_THAT(child.errors, HasSubstr("the host accesses byte 12 of a global allocation of 256 bytes of device 0"));
    }
}

TEST(DriverMemory, OtherFaultsAreNotOurs) {
  const Child child = inChild({}, [] {
    Rig rig;
    int *volatile nothing = nullptr;
    *static_cast<volatile int *>(nothing) = 1;
  });
  EXPECT_TRUE(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGSEGV) << child.status;
  EXPECT_EQ(child.errors, "");
}

} // namespace
