// archs: none
//
// One rule of the shadow memory per kernel. `ordered` (or `fine`) makes the kernel right; lines that break the rule
// otherwise are marked. The test...() calls are the test's own: they access memory as an operation would.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"
#include "ptx/warp.cuh"

extern "C" void testAsyncRead(const void *address, u32 bytes, u32 complete);
extern "C" void testAsyncWrite(void *address, u32 bytes, u32 complete);
extern "C" void testAtomicAdd(u32 *address);
extern "C" void testProxyFence();
/// Hides from the compiler what an address is.
template <class T> MMC_DEVICE T *opaque(T *p) {
  __asm__ volatile("" : "+r"(p));
  return p;
}

/// Where a reference is made, its alignment is a promise; a plain copy of the struct loses it.
MMC_DEVICE Vector16 loaded(const Vector16 &vector) { return vector; }

struct Shared {
  Vector16 vectors[64];
  u32 words[64];
  u16 halves[64];
  u8 bytes[64];
  u32 flag, last;
};

MMC_KERNEL(64, 1) void writeWrite(u32 ordered) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 3) s.words[5] = 1; // BAD: first write
  if (ordered) syncThreads();
  if (threadIndex() == 40) s.words[5] = 2; // BAD: second write
}
MMC_EXPORT(writeWrite, 64, 1, Shared)

MMC_KERNEL(64, 1) void writeRead(u32 *out, u32 ordered) {
  MMC_SHARED(Shared, s);
  s.words[threadIndex()] = threadIndex(); // BAD: written
  if (ordered) syncThreads();
  out[threadIndex()] = s.words[threadIndex() ^ 33]; // BAD: read
}
MMC_EXPORT(writeRead, 64, 1, Shared)

// All read, then one writes.
MMC_KERNEL(64, 1) void readWrite(u32 *out, u32 ordered) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) s.words[0] = 7;
  syncThreads();
  out[threadIndex()] = s.words[0]; // BAD: read early
  if (ordered) syncThreads();
  if (threadIndex() == 20) s.words[0] = 8; // BAD: overwritten
}
MMC_EXPORT(readWrite, 64, 1, Shared)

// Neighbours in one cell of 16 bytes, by every size of element; then one byte of them collides.
MMC_KERNEL(64, 1) void neighbours(u32 *out, u32 fine) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  s.bytes[t] = u8(t);
  s.halves[t] = u16(t);
  s.words[t] = t;
  if (!fine && t == 17) s.bytes[18] = 1; // BAD: one byte too far
  syncThreads();
  out[t] = s.bytes[t ^ 1] + s.halves[t ^ 2] + s.words[t ^ 3];
  syncThreads();
  s.bytes[t ^ 5] = u8(t);
  s.halves[t ^ 5] = u16(t);
  s.words[t ^ 5] = t;
}
MMC_EXPORT(neighbours, 64, 1, Shared)

MMC_KERNEL(64, 1) void vectorAndWords(u32 *out, u32 ordered) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  s.vectors[t] = Vector16{{t, t, t, t}};
  if (ordered) syncThreads();
  out[t] = s.vectors[t ^ 1].words[t % 4]; // BAD: word of a vector
  syncThreads();
  s.vectors[t ^ 1].words[t % 4] = 1;
  syncThreads();
  const Vector16 got = *opaque(&s.vectors[t ^ 2]);
  out[t] += got.words[0] + got.words[1] + got.words[2] + got.words[3];
  syncThreads();
  s.vectors[t] = got;
}
MMC_EXPORT(vectorAndWords, 64, 1, Shared)

// Two read words of one vector, the second knowing of the first; a third overwrites the first word.
MMC_KERNEL(64, 1) void readsApart(u32 *out, u32 ordered) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (t == 0) s.vectors[0] = Vector16{};
  syncThreads();
  if (t == 0) out[0] = s.vectors[0].words[0]; // BAD: first word
  if (t < 2) syncWarp(3);
  if (t == 1) out[1] = s.vectors[0].words[1];
  if (ordered) syncThreads();
  if (t == 40) s.vectors[0].words[0] = 1; // BAD: overwrites the first word
}
MMC_EXPORT(readsApart, 64, 1, Shared)

MMC_KERNEL(32, 1) void uninitialised(u32 *out, u32 fine) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (fine || t != 30) s.bytes[t] = 1;
  syncThreads();
  if (t == 0) out[0] = *opaque(reinterpret_cast<u32 *>(&s.bytes[28])); // BAD: partly written
}
MMC_EXPORT(uninitialised, 32, 1, Shared)

MMC_KERNEL(32, 1) void accumulate(u32 fine) {
  MMC_SHARED(Shared, s);
  if (fine) s.words[threadIndex()] = 0;
  s.words[threadIndex()] += 1; // BAD: accumulates from nothing
}
MMC_EXPORT(accumulate, 32, 1, Shared)

MMC_KERNEL(32, 1) void globalBounds(u8 *data, u32 index) {
  if (threadIndex() == 0) data[index] = 1; // BAD: global index
}
MMC_EXPORT(globalBounds, 32, 1)

MMC_KERNEL(32, 1) void sharedBounds(u32 index) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) opaque(&s.words[0])[index] = 1; // BAD: shared index
}
MMC_EXPORT(sharedBounds, 32, 1, Shared)

MMC_KERNEL(32, 1) void badPointer(u32 *pointer) {
  if (threadIndex() == 31) *pointer = 1; // BAD: pointer
}
MMC_EXPORT(badPointer, 32, 1)

MMC_KERNEL(32, 1) void localOfAnother(u32 fine) {
  MMC_SHARED(u32 *, pointer);
  u32 local = threadIndex();
  if (threadIndex() == (fine ? 1 : 0)) pointer = opaque(&local);
  syncThreads();
  if (threadIndex() == 1) *pointer = 1; // BAD: local of another
  syncThreads();
  opaque(&local);
}
MMC_EXPORT(localOfAnother, 32, 1, u32 *)

// 1: a word at half a word; 2: a vector at half a vector, copied as a whole.
MMC_KERNEL(32, 1) void misaligned(u32 how) {
  MMC_SHARED(Shared, s);
  u8 *base = opaque(&s.bytes[0]);
  u8 *vectors = reinterpret_cast<u8 *>(opaque(&s.vectors[0]));
  if (threadIndex()) return;
  for (u32 i = 0; i < 32; ++i) base[i] = vectors[i] = 0;
  *opaque(reinterpret_cast<u32 *>(base + (how == 1 ? 2 : 4))) = 1; // BAD: misaligned word
  const Vector16 *from = opaque(reinterpret_cast<Vector16 *>(vectors + (how == 2 ? 8 : 0)));
  *opaque(&s.vectors[4]) = loaded(*from); // BAD: misaligned vector
}
MMC_EXPORT(misaligned, 32, 1, Shared)

// A generic write that the async proxy reads. 0: right, 1: no proxy fence, 2: fence before the write, 3: no barrier.
MMC_KERNEL(64, 1) void genericThenAsync(u32 how) {
  MMC_SHARED(Shared, s);
  if (how == 2) testProxyFence();
  s.vectors[threadIndex()] = Vector16{}; // BAD: generic write
  if (how == 0 || how == 3) testProxyFence();
  if (how != 3) syncThreads();
  if (threadIndex() == 0) testAsyncRead(&s, 1024, 1); // BAD: async read
}
MMC_EXPORT(genericThenAsync, 64, 1, Shared)

// Its own writes are no exception.
MMC_KERNEL(32, 1) void ownWriteThenAsync(u32 fenced) {
  MMC_SHARED(Shared, s);
  if (threadIndex()) return;
  s.vectors[0] = Vector16{}; // BAD: own write
  if (fenced) testProxyFence();
  testAsyncRead(&s, 16, 1); // BAD: async read of it
}
MMC_EXPORT(ownWriteThenAsync, 32, 1, Shared)

// The thread that issues fences for all: its barrier came first.
MMC_KERNEL(64, 1) void fenceByTheIssuer() {
  MMC_SHARED(Shared, s);
  s.vectors[threadIndex()] = Vector16{};
  syncThreads();
  if (threadIndex() == 0) {
    testProxyFence();
    testAsyncRead(&s, 1024, 1);
  }
}
MMC_EXPORT(fenceByTheIssuer, 64, 1, Shared)

// A generic read that the async proxy overwrites needs no fence, only order.
MMC_KERNEL(64, 1) void readThenAsyncWrite(u32 *out, u32 ordered) {
  MMC_SHARED(Shared, s);
  s.words[threadIndex()] = 1;
  testProxyFence();
  syncThreads();
  out[threadIndex()] = s.words[threadIndex()]; // BAD: generic read
  if (ordered) syncThreads();
  if (threadIndex() == 0) testAsyncWrite(s.words, 256, 1); // BAD: async write
}
MMC_EXPORT(readThenAsyncWrite, 64, 1, Shared)

// An async write is for those who waited for it.
MMC_KERNEL(64, 1) void asyncThenRead(u32 *out, u32 waited) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) testAsyncWrite(s.words, 256, waited); // BAD: async source
  syncThreads();
  out[threadIndex()] = s.words[threadIndex()]; // BAD: read of a copy
}
MMC_EXPORT(asyncThenRead, 64, 1, Shared)

// Atomics of two threads do not race; a plain read or write between them does.
MMC_KERNEL(64, 1) void atomics(u32 *out, u32 how) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) s.flag = 0;
  syncThreads();
  testAtomicAdd(&s.flag);
  if (how == 1 && threadIndex() == 40) out[0] = s.flag; // BAD: plain read of an atomic
  if (how == 2 && threadIndex() == 40) s.flag = 5;      // BAD: plain write of an atomic
  syncThreads();
  out[threadIndex()] = s.flag;
}
MMC_EXPORT(atomics, 64, 1, Shared)

MMC_KERNEL(64, 1) void ranges(u32 *out, u32 how) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    __builtin_memset(opaque(s.words), 1, 200);
    if (how != 1) __builtin_memset(opaque(s.words) + 50, 1, 56);
  }
  if (how != 2) syncThreads();
  if (threadIndex() == 33) __builtin_memcpy(opaque(out), opaque(s.words), 256); // BAD: copy
}
MMC_EXPORT(ranges, 64, 1, Shared)

MMC_KERNEL(64, 1) void fill(u32 *out, u32 value) {
  out[blockIndex() * 64 + threadIndex()] = value; // BAD: fill
}
MMC_EXPORT(fill, 64, 1)

MMC_KERNEL(64, 1) void drain(u32 *out, const u32 *in) {
  out[blockIndex() * 64 + threadIndex()] = in[(blockIndex() * 64 + threadIndex()) ^ 1]; // BAD: drain
}
MMC_EXPORT(drain, 64, 1)
