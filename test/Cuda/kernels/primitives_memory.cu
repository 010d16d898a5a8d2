// archs: sm_80 sm_90a sm_120a
// Every load and store of ptx/memory.cuh, so that both readers compile it.
#include "ptx/memory.cuh"

template <class T> MMC_DEVICE void moveAll(T *out, const T *in) {
  storeGlobal(out, loadGlobal(in));
  storeGlobal<Cache::noAllocate>(out + 1, loadGlobal<Cache::noAllocate>(in + 1));
  storeGlobal<Cache::evictFirst>(out + 2, loadGlobal<Cache::evictFirst>(in + 2));
  storeGlobal<Cache::evictLast>(out + 3, loadGlobal<Cache::evictLast>(in + 3));
  storeGlobal<Cache::streaming>(out + 4, loadGlobal<Cache::streaming>(in + 4));
  storeGlobal(out + 5, loadReadOnly(in + 5));
  storeGlobal(out + 6, loadReadOnly<Cache::noAllocate>(in + 6));
  storeGlobal(out + 7, loadReadOnly<Cache::evictFirst>(in + 7));
  storeGlobal(out + 8, loadReadOnly<Cache::evictLast>(in + 8));
  storePlain(out + 9, loadPlain(in + 9));
}

struct MemoryShared {
  Vector16 words[32];
};

template <class T> MMC_DEVICE void throughShared(MemoryShared &shared, T value) {
  storeShared(&shared.words[threadIndex()], value);
  storeShared(&shared.words[threadIndex()], loadShared<T>(&shared.words[threadIndex()]));
}

template <Scope scope, class T> MMC_DEVICE void order(T *flags) {
  storeRelease<scope>(flags, loadAcquire<scope>(flags));
  storeRelaxed<scope>(flags, loadRelaxed<scope>(flags));
  storeOrdered<Order::release, scope>(flags, loadOrdered<Order::acquire, scope>(flags));
}

template <class T> MMC_DEVICE void orderAll(T *flags) {
  order<Scope::block>(flags);
  order<Scope::device>(flags);
  order<Scope::system>(flags);
  if constexpr (kArchitecture >= 900 || sizeof(T) == 0) order<Scope::cluster>(flags);
}

MMC_KERNEL(32, 1)
void primitives_memory(Vector16 *sixteen, u64 *eight, float *four, bf16 *two, u32 *flags, u64 *longFlags,
                       u64 *policies) {
  MMC_SHARED(MemoryShared, shared);
  throughShared(shared, Vector16{1, 2, 3, 4});
  throughShared(shared, u64(5));
  throughShared(shared, 6.0f);
  throughShared(shared, bf16{7});
  prefetchL2(sixteen);
  moveAll(sixteen, sixteen + 64);
  moveAll(eight, eight + 64);
  moveAll(four, four + 64);
  moveAll(two, two + 64);
  if (threadIndex() == 0) {
    orderAll(flags);
    orderAll(longFlags);
    const L2Policy first = policyEvictFirst(), last = policyEvictLast();
    policies[0] = first.bits;
    policies[1] = last.bits;
  }
}
MMC_EXPORT(primitives_memory, 32, 1, MemoryShared)
