// What kernels compiled for the host call: one function per instruction, implemented by emulation/core and
// emulation/ops. Both sides include this file, so that definitions and calls agree; it uses fundamental types only
// (`unsigned` = uint32_t, `unsigned long` = uint64_t) and includes nothing.
//
// Invariant: every caller is a wrapper of emulation/ptx that is always inlined and never a tail call, so
// __builtin_return_address(0) in a function here is an address in the kernel, whose debug information has the chain of
// inlined frames.
//
// Pointers named `shared` lie in a block's own window, `remote` in the window of any block of the cluster, `global` in
// global memory; fragments and register arrays lie on the calling thread's stack.
#pragma once

#if defined(__clang__)
#define MMC_EMU extern "C" __attribute__((not_tail_called))
#else // the emulation's own side
#define MMC_EMU extern "C"
#endif
#define MMC_EMU_CONST extern "C" __attribute__((const))

// The codes of arguments, as in base/types.cuh.
enum MmcEmuScope : unsigned { mmcEmuBlockScope, mmcEmuClusterScope, mmcEmuDeviceScope, mmcEmuSystemScope };
enum MmcEmuOrder : unsigned { mmcEmuRelaxed, mmcEmuAcquire, mmcEmuRelease, mmcEmuAcquireRelease };
enum MmcEmuElement : unsigned { mmcEmuF16, mmcEmuBf16, mmcEmuE4m3, mmcEmuE5m2, mmcEmuS8, mmcEmuU8 };

// launch.cuh. Constant for a thread.
/// The block's window; `bytes` is what the kernel's struct needs (more than the launch gave: a finding).
MMC_EMU void *mmcEmuSharedMemory(unsigned bytes);
/// The address of a shared object as shared memory instructions and descriptors see it: its offset in the window.
MMC_EMU_CONST unsigned mmcEmuSharedAddress(const void *shared);
MMC_EMU_CONST unsigned mmcEmuThreadIndex(unsigned axis);
MMC_EMU_CONST unsigned mmcEmuThreadCount(unsigned axis);
MMC_EMU_CONST unsigned mmcEmuBlockIndex(unsigned axis);
MMC_EMU_CONST unsigned mmcEmuBlockCount(unsigned axis);
MMC_EMU_CONST unsigned mmcEmuClusterRank();
MMC_EMU_CONST unsigned mmcEmuClusterSize();

// memory.cuh. Plain loads and stores are plain C++ (hooked); here is what orders, or promises.
/// ld.global.nc: nobody writes the bytes while the kernel runs. `bytes` 4, 8 or 16.
MMC_EMU void mmcEmuLoadReadOnly(void *value, const void *global, unsigned bytes);
/// ld.relaxed / ld.acquire and st.relaxed / st.release of 4 or 8 bytes; global or shared.
MMC_EMU unsigned long mmcEmuLoadOrdered(const void *address, unsigned bytes, unsigned order, unsigned scope);
MMC_EMU void mmcEmuStoreOrdered(void *address, unsigned long value, unsigned bytes, unsigned order, unsigned scope);

// warp.cuh. `mask` names the lanes that take part.
MMC_EMU void mmcEmuSyncWarp(unsigned mask);
enum MmcEmuShuffleMode : unsigned { mmcEmuShuffleIndex, mmcEmuShuffleUp, mmcEmuShuffleDown, mmcEmuShuffleXor };
/// `width` 1, 2, 4 ... 32: lanes exchange within groups of that many; a source out of the group gives the lane's own
/// value.
MMC_EMU unsigned mmcEmuShuffle(unsigned mode, unsigned value, unsigned argument, unsigned width, unsigned mask);
enum MmcEmuVoteMode : unsigned { mmcEmuVoteAll, mmcEmuVoteAny, mmcEmuVoteBallot };
MMC_EMU unsigned mmcEmuVote(unsigned mode, unsigned predicate, unsigned mask);
/// 1 for one lane of the mask, 0 for the others.
MMC_EMU unsigned mmcEmuElect(unsigned mask);
enum MmcEmuWarpReduction : unsigned {
  mmcEmuWarpAdd,
  mmcEmuWarpMinUnsigned,
  mmcEmuWarpMaxUnsigned,
  mmcEmuWarpMinSigned,
  mmcEmuWarpMaxSigned,
  mmcEmuWarpAnd,
  mmcEmuWarpOr,
  mmcEmuWarpXor
};
MMC_EMU unsigned mmcEmuReduceWarp(unsigned reduction, unsigned value, unsigned mask);
/// The lanes of the mask that hold the same value.
MMC_EMU unsigned mmcEmuMatchAny(unsigned value, unsigned mask);
/// The mask where all of its lanes hold the same value, else 0.
MMC_EMU unsigned mmcEmuMatchAll(unsigned value, unsigned mask);
/// Transposes an 8 x 8 matrix of 16-bit elements over the whole warp (movmatrix).
MMC_EMU unsigned mmcEmuMoveMatrix(unsigned value);

// barrier.cuh
MMC_EMU void mmcEmuSyncThreads();
MMC_EMU void mmcEmuBarrierSync(unsigned id, unsigned threads);
MMC_EMU void mmcEmuBarrierArrive(unsigned id, unsigned threads);
/// barrier.cluster: `release` 0: arrive.relaxed.
MMC_EMU void mmcEmuClusterArrive(unsigned release);
MMC_EMU void mmcEmuClusterWait();

// mbarrier.cuh. `mbarrier` is the 8-byte object in shared memory.
MMC_EMU void mmcEmuMbarrierInit(void *mbarrier, unsigned count);
MMC_EMU void mmcEmuMbarrierInvalidate(void *mbarrier);
MMC_EMU void mmcEmuMbarrierExpect(void *mbarrier, unsigned bytes);
MMC_EMU void mmcEmuMbarrierArrive(void *mbarrier, unsigned count);
MMC_EMU void mmcEmuMbarrierArriveExpect(void *mbarrier, unsigned bytes);
/// On any block of the cluster, releasing at cluster scope.
MMC_EMU void mmcEmuMbarrierArriveRemote(void *remote, unsigned count);
MMC_EMU void mmcEmuMbarrierArriveExpectRemote(void *remote, unsigned bytes);
/// 1 if the phase of that parity is complete (then it acquires at `scope`). Test never waits; Try may wait a while;
/// Wait returns when it is.
MMC_EMU unsigned mmcEmuMbarrierTest(void *mbarrier, unsigned parity, unsigned scope);
MMC_EMU unsigned mmcEmuMbarrierTry(void *mbarrier, unsigned parity, unsigned scope);
MMC_EMU void mmcEmuMbarrierWait(void *mbarrier, unsigned parity, unsigned scope);
/// cp.async.mbarrier.arrive.noinc: arrives when all cp.async of this thread so far are complete.
MMC_EMU void mmcEmuMbarrierArriveOnCopies(void *mbarrier);

// fence.cuh
enum MmcEmuProxySpace : unsigned { mmcEmuAllSpaces, mmcEmuSharedSpace, mmcEmuGlobalSpace };
MMC_EMU void mmcEmuFenceProxyAsync(unsigned space);
MMC_EMU void mmcEmuFenceAcquireRelease(unsigned scope);
MMC_EMU void mmcEmuFenceMbarrierInit();

// async_copy.cuh: cp.async, `bytes` 4, 8 or 16; bytes from validBytes on are filled with zeros and not read.
MMC_EMU void mmcEmuCopyAsync(void *shared, const void *global, unsigned bytes, unsigned validBytes);
MMC_EMU void mmcEmuCopyAsyncCommit();
/// At most `pending` of the last committed groups may be incomplete on return.
MMC_EMU void mmcEmuCopyAsyncWait(unsigned pending);
MMC_EMU void mmcEmuCopyAsyncWaitAll();

// bulk_copy.cuh. A multicast mask of 0: the own block only.
MMC_EMU void mmcEmuBulkLoad(void *shared, const void *global, unsigned bytes, void *mbarrier, unsigned multicastMask);
MMC_EMU void mmcEmuBulkStore(void *global, const void *shared, unsigned bytes);
MMC_EMU void mmcEmuBulkCopyToCluster(void *remote, const void *shared, unsigned bytes, void *remoteMbarrier);
MMC_EMU void mmcEmuBulkPrefetch(const void *global, unsigned bytes);
/// `map` is the 128-byte tensor map; coordinates are in elements, fastest axis first.
MMC_EMU void mmcEmuTensorLoad(void *shared, const void *map, void *mbarrier, unsigned rank, const int *coordinates,
                              unsigned multicastMask);
MMC_EMU void mmcEmuTensorStore(const void *map, const void *shared, unsigned rank, const int *coordinates);
/// tensor_reduce.cuh: adds to global memory instead of storing; u32, s32, u64, f16, bf16 or f32.
MMC_EMU void mmcEmuTensorReduceAdd(const void *map, const void *shared, unsigned rank, const int *coordinates);
/// fence.proxy.tensormap::generic, for maps that a kernel has written.
MMC_EMU void mmcEmuFenceTensorMapRelease(unsigned scope);
MMC_EMU void mmcEmuFenceTensorMapAcquire(const void *map, unsigned scope);
MMC_EMU void mmcEmuTensorPrefetch(const void *map, unsigned rank, const int *coordinates);
MMC_EMU void mmcEmuPrefetchTensorMap(const void *map);
MMC_EMU void mmcEmuBulkCommit();
/// `readsOnly` 1: the groups' sources have been read (wait_group.read).
MMC_EMU void mmcEmuBulkWait(unsigned pending, unsigned readsOnly);

// wgmma.cuh. Collective over the 128 threads of a warpgroup.
enum MmcEmuWgmmaFlags : unsigned {
  mmcEmuTransposeA = 1, // A is MN-major in shared memory
  mmcEmuTransposeB = 2,
  mmcEmuNegateA = 4,
  mmcEmuNegateB = 8,
  mmcEmuAccumulate = 16, // D = A B + D, else D = A B
  mmcEmuSaturate = 32,   // integers: .satfinite
};
MMC_EMU void mmcEmuWgmmaFence();
MMC_EMU void mmcEmuWgmmaCommit();
MMC_EMU void mmcEmuWgmmaWait(unsigned pending);
/// m64nNk16 (16-bit elements) or k32 (8-bit). `d`: n / 2 float, or s32 where the elements are integers. `aRegisters`: 4
/// registers of A, or null: then A is in shared memory at `aDescriptor`.
MMC_EMU void mmcEmuWgmma(void *d, const unsigned *aRegisters, unsigned long aDescriptor, unsigned long bDescriptor,
                         unsigned n, unsigned elementA, unsigned elementB, unsigned flags);

// mma.cuh. m16n8k`k`, A row-major, B column-major; d: 4 float or s32, d = a b + d.
MMC_EMU void mmcEmuMma(void *d, const unsigned *a, const unsigned *b, unsigned k, unsigned elementA, unsigned elementB);

// matrix.cuh. `row`: the address of the row of 16 bytes that this lane provides (lanes 0 to 8 count - 1 matter). count
// 1, 2 or 4.
MMC_EMU void mmcEmuLoadMatrix(unsigned *registers, const void *row, unsigned count, unsigned transpose);
MMC_EMU void mmcEmuStoreMatrix(void *row, const unsigned *registers, unsigned count, unsigned transpose);

// cluster.cuh
/// The same place in the window of the cluster's block `rank`.
MMC_EMU void *mmcEmuMapToRank(const void *shared, unsigned rank);
/// 4, 8 or 16 bytes.
MMC_EMU void mmcEmuRemoteLoad(void *value, const void *remote, unsigned bytes);
MMC_EMU void mmcEmuRemoteStore(void *remote, const void *value, unsigned bytes);

// atomics.cuh. Values are passed as their bits, zero-extended.
enum MmcEmuAtomicOperation : unsigned {
  mmcEmuAtomicAdd,
  mmcEmuAtomicMin,
  mmcEmuAtomicMax,
  mmcEmuAtomicAnd,
  mmcEmuAtomicOr,
  mmcEmuAtomicExchange,
  mmcEmuAtomicCompareExchange,
  mmcEmuAtomicIncrement, // old >= operand ? 0 : old + 1
};
enum MmcEmuAtomicType : unsigned { mmcEmuAtomicU32, mmcEmuAtomicU64, mmcEmuAtomicS32, mmcEmuAtomicFloat };
/// Returns the old value. `compare` matters for compareExchange only.
MMC_EMU unsigned long mmcEmuAtomic(unsigned operation, unsigned type, void *address, unsigned long operand,
                                   unsigned long compare, unsigned order, unsigned scope);
/// red: no result, so it never acquires (order relaxed or release).
MMC_EMU void mmcEmuReduction(unsigned operation, unsigned type, void *address, unsigned long operand, unsigned order,
                             unsigned scope);

// grid.cuh
MMC_EMU void mmcEmuGridDependencyWait();
MMC_EMU void mmcEmuGridLaunchDependents();

// registers.cuh: setmaxnreg by all warps of a warpgroup; raise 1: inc, 0: dec.
MMC_EMU void mmcEmuSetRegisters(unsigned count, unsigned raise);
