// archs: sm_80 sm_90a
// Atomics: of every operation what one lane's own word held before and holds after (40 words per lane), and what many
// lanes of two blocks make of one word (32 words behind them), where the order cannot matter.
#include "ptx/atomics.cuh"
#include "ptx/barrier.cuh"
#include "ptx/memory.cuh"

/// Old values and the last one, in a word of its own in global memory.
MMC_KERNEL(32, 1) void atomicsAlone(u32 *out, const u32 *in, u32) {
  const u32 lane = threadIndex(), value = in[lane], other = in[lane + 32];
  u32 *own = out + lane * 40;
  u32 *word = own + 32;
  u32 n = 0;
  storeRelaxed(word, value);
  own[n++] = fetchAdd(word, other);
  own[n++] = fetchMin(word, other);
  own[n++] = fetchMax(word, value);
  own[n++] = fetchAnd(word, ~other);
  own[n++] = fetchOr(word, value);
  own[n++] = exchange(word, other);
  own[n++] = fetchIncrement(word, other + (lane & 1));
  own[n++] = compareExchange(word, lane & 1 ? other + 1 : other, value);
  own[n++] = compareExchange(word, other, 9u);
  s32 *number = reinterpret_cast<s32 *>(own + 33);
  storeRelaxed(number, s32(value));
  own[n++] = u32(fetchAdd(number, s32(other)));
  own[n++] = u32(fetchMin(number, s32(other)));
  own[n++] = u32(fetchMax(number, s32(value)));
  own[n++] = u32(exchange(number, -5));
  float *real = reinterpret_cast<float *>(own + 34);
  storeRelaxed(real, 0.1f);
  own[n++] = bitCast<u32>(fetchAdd(real, float(s32(value) >> 8)));
  own[n++] = bitCast<u32>(exchange(real, 1.5f));
  u64 *wide = reinterpret_cast<u64 *>(own + 36);
  storeRelaxed(wide, u64(value) << 32 | other);
  own[n++] = u32(fetchAdd(wide, u64(other)) >> 32);
  own[n++] = u32(fetchMax(wide, u64(other) << 32) >> 32);
  own[n++] = u32(fetchAnd(wide, ~u64(0) << 8));
  own[n++] = u32(compareExchange(wide, u64(0), u64(1)));
  own[n++] = u32(exchange(wide, u64(value)) >> 32);
}
MMC_EXPORT(atomicsAlone, 32, 1)

struct Shared {
  u32 sum, most;
  float real;
};

/// Two blocks of 64 threads on the same words: global ones, and shared ones of each block.
MMC_KERNEL(64, 1) void atomicsTogether(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  const u32 thread = threadIndex(), value = in[blockIndex() * 64 + thread];
  if (thread == 0) {
    s.sum = s.most = 0;
    s.real = 0.0f;
  }
  syncThreads();
  fetchAdd(out, value);
  reduceAdd(out + 1, value);
  reduceMax(out + 2, value);
  reduceOr(out + 3, 1u << value % 32);
  fetchMin(out + 4, value);
  fetchIncrement(out + 5, 100u);
  reduceAdd(reinterpret_cast<float *>(out + 6), float(value % 1024));
  reduceMax(reinterpret_cast<s32 *>(out + 7), s32(value));
  reduceAdd(reinterpret_cast<u64 *>(out + 8), u64(value) << 8);
  fetchAdd<Order::acquireRelease, Scope::system>(out + 10, 1u);
  fetchAdd<Order::relaxed, Scope::block>(&s.sum, value);
  reduceMax<Order::relaxed, Scope::block>(&s.most, value);
  fetchAdd<Order::relaxed, Scope::block>(&s.real, float(value % 1024));
  syncThreads();
  if (thread == 0) {
    u32 *own = out + 16 + blockIndex() * 4;
    own[0] = s.sum;
    own[1] = s.most;
    own[2] = bitCast<u32>(s.real);
  }
}
MMC_EXPORT(atomicsTogether, 64, 1, Shared)
