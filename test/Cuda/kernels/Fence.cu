// archs: none (fakeAsyncRead stands for a bulk store)
//
// One kernel per rule of memory order and of the async proxy.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/memory.cuh"

/// Reads through the async proxy on behalf of the calling thread: defined by the test.
extern "C" __attribute__((not_tail_called)) void fakeAsyncRead(const void *from, u32 bytes);

/// Block 0 hands `data` over to block 1 through `flag`.
template <Order release, Scope releaseScope, Order acquire, Scope acquireScope> MMC_DEVICE void message(u32 *data, u32 *flag) {
  if (blockIndex() == 0) {
    data[0] = 7; // BAD: message
    storeOrdered<release, releaseScope>(flag, 1u);
  } else {
    while (loadOrdered<acquire, acquireScope>(flag) != 1) {
    }
    data[1] = data[0];
  }
}

MMC_KERNEL(1, 1) void messages(u32 *data, u32 *flag) { message<Order::release, Scope::device, Order::acquire, Scope::device>(data, flag); }
MMC_EXPORT(messages, 1, 1)
MMC_KERNEL(1, 1) void messagesToSystem(u32 *data, u32 *flag) { message<Order::release, Scope::system, Order::acquire, Scope::device>(data, flag); }
MMC_EXPORT(messagesToSystem, 1, 1)
MMC_KERNEL(1, 1) void relaxedStore(u32 *data, u32 *flag) { message<Order::relaxed, Scope::device, Order::acquire, Scope::device>(data, flag); }
MMC_EXPORT(relaxedStore, 1, 1)
MMC_KERNEL(1, 1) void relaxedLoad(u32 *data, u32 *flag) { message<Order::release, Scope::device, Order::relaxed, Scope::device>(data, flag); }
MMC_EXPORT(relaxedLoad, 1, 1)
MMC_KERNEL(1, 1) void releaseInBlock(u32 *data, u32 *flag) { message<Order::release, Scope::block, Order::acquire, Scope::device>(data, flag); }
MMC_EXPORT(releaseInBlock, 1, 1)
MMC_KERNEL(1, 1) void acquireInBlock(u32 *data, u32 *flag) { message<Order::release, Scope::device, Order::acquire, Scope::block>(data, flag); }
MMC_EXPORT(acquireInBlock, 1, 1)

// Two threads of one block: its scope is enough.
MMC_KERNEL(64, 1) void messageInBlock(u32 *data, u32 *flag, u32 relaxed) {
  if (threadIndex() == 0) {
    data[0] = 7; // BAD: message in a block
    if (relaxed) storeRelaxed<Scope::block>(flag, 1u);
    else storeRelease<Scope::block>(flag, 1u);
  }
  if (threadIndex() == 32) {
    while (loadAcquire<Scope::block>(flag) != 1) {
    }
    data[1] = data[0];
  }
}
MMC_EXPORT(messageInBlock, 64, 1)

// Relaxed accesses with fences. Bits of `without`: 1: no fence by the writer, 2: none by the reader; 4: the writer's reaches its block only; 8: it stands after the
// store of the flag.
MMC_KERNEL(1, 1) void fences(u32 *data, u32 *flag, u32 without) {
  if (blockIndex() == 0) {
    data[0] = 7; // BAD: fences
    if (without & 4) fenceAcquireRelease<Scope::block>();
    else if (!(without & 9)) fenceAcquireRelease();
    storeRelaxed(flag, 1u);
    if (without & 8) fenceAcquireRelease();
  } else {
    while (loadRelaxed(flag) != 1) {
    }
    if (!(without & 2)) fenceAcquireRelease();
    data[1] = data[0];
  }
}
MMC_EXPORT(fences, 1, 1)

struct Shared {
  alignas(16) u32 data[64];
};

// Thread 0 writes, thread 32 reads through the async proxy. 0: right, all spaces; 1: right, shared; 2: right, the reader fences after the barrier; 3: no fence;
// 4: the fence is for global memory; 5: the fence stands before the write; 6: the reader's stands before the barrier.
MMC_KERNEL(64, 1) void proxy(u32 variant) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    if (variant == 5) fenceProxyAsync();
    for (u32 i = 0; i < 4; ++i) s.data[i] = i; // BAD: written through the generic proxy
    if (variant == 0) fenceProxyAsync();
    if (variant == 1) fenceProxyAsyncShared();
    if (variant == 4) fenceProxyAsyncGlobal();
  }
  if (threadIndex() == 32 && variant == 6) fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 32) {
    if (variant == 2) fenceProxyAsync();
    fakeAsyncRead(s.data, 16); // BAD: read through the async proxy
  }
}
MMC_EXPORT(proxy, 64, 1, Shared)

// What the async proxy may see is handed on like everything else: through a flag, and from there through a second one.
MMC_KERNEL(96, 1) void proxyByFlags(u32 *flags, u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    for (u32 i = 0; i < 4; ++i) s.data[i] = i;
    if (!broken) fenceProxyAsync();
    storeRelease<Scope::block>(flags, 1u);
  }
  if (threadIndex() == 32) {
    while (loadAcquire<Scope::block>(flags) != 1) {
    }
    fakeAsyncRead(s.data, 16); // BAD: read after one flag
    storeRelease<Scope::block>(flags + 1, 1u);
  }
  if (threadIndex() == 64) {
    while (loadAcquire<Scope::block>(flags + 1) != 1) {
    }
    fakeAsyncRead(s.data, 16); // BAD: read after two flags
  }
}
MMC_EXPORT(proxyByFlags, 96, 1, Shared)

// The same for global memory. 0: all spaces; 1: global; 2: the fence is for shared memory; 3: none.
MMC_KERNEL(64, 1) void proxyGlobal(u32 *data, u32 variant) {
  if (threadIndex() == 0) {
    for (u32 i = 0; i < 4; ++i) data[i] = i;
    if (variant == 0) fenceProxyAsync();
    if (variant == 1) fenceProxyAsyncGlobal();
    if (variant == 2) fenceProxyAsyncShared();
  }
  syncThreads();
  if (threadIndex() == 32) fakeAsyncRead(data, 16); // BAD: global read through the async proxy
}
MMC_EXPORT(proxyGlobal, 64, 1)

// loadReadOnly promises that nobody writes while the kernel runs.
MMC_KERNEL(64, 1) void readOnly(u32 *data, u32 broken) {
  if (threadIndex() == 32 && broken == 3) data[0] = 1;
  syncThreads();
  if (threadIndex() != 0) return;
  if (broken == 1) data[0] = 1;
  data[1] = loadReadOnly(data); // BAD: read-only load of what the kernel writes
  if (broken == 2) data[0] = 1;
}
MMC_EXPORT(readOnly, 64, 1)
