// Emulated memory with its shadow: one reserved address range holds the device's global memory and the shared memory
// windows of resident blocks, and for every 16 bytes of it there is a Cell that knows who wrote and read them last, and
// which bytes exist and are initialised.
//
// Addresses are host addresses, so kernels compiled for the host use them as they are; anything outside the range (a
// thread's stack, constants of the module) is not checked. Scheduler thread only.
#pragma once

#include "runtime/cuda/emulation/core/Clock.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mmc::emu {

struct Thread;

/// The state of 16 bytes.
struct Cell {
  Epoch writer = 0;  // last write; all bytes, unless split
  Epoch reader = 0;  // last read, or with kReaderSet the index of a set of epochs
  uint16_t live = 0; // bytes that are allocated
  uint16_t initialised = 0;
  uint16_t flags = 0;
  uint16_t readMask = 0;     // bytes that `reader` has read
  uint32_t writerSource = 0; // index into the table of return addresses, of the last write
  uint32_t readerSource = 0;
};
static_assert(sizeof(Cell) == 32, "the address of a cell is a shift");
enum CellFlags : uint16_t {
  kReaderSet = 1,   // `reader` is an index into the table of reader sets
  kSplit = 2,       // bytes differ in writer or reader: `writer` is an index into the table of per-byte cells
  kAsyncWriter = 4, // the last write was made through the async proxy
  kAsyncReader = 8,
};

/// How an access reaches memory, and by which rules it must be ordered.
enum class Proxy : uint8_t {
  generic, // a thread's load or store, cp.async
  async,   // bulk copies, tensor copies, wgmma's operands in shared memory
  atomic,  // atomic of a thread: does not race with other atomics
  host,    // copies by the driver and accesses by the host
};

/// Who accesses: the clocks to check against and the epoch to leave behind.
struct Accessor {
  const Clock *writesSeen = nullptr; // generic: VC; async: VA of the issuer at issue
  const Clock *readsSeen = nullptr;  // VC
  Epoch self = 0;                    // stamped on the cells
  /// The issuing thread: accesses stamped with its column are program order for the generic proxy; for the async proxy
  /// those with clocks up to `ownAsyncClock`.
  Epoch ownColumn = 0; // makeEpoch(block, column, 0)
  uint32_t ownAsyncClock = 0;
  Proxy proxy = Proxy::generic;
  Thread *thread = nullptr; // for reports; null for the host
  uint64_t source = 0;      // return address of the primitive or hook, for reports
  /// A copy, which passes bytes on without using them: reading what nothing has written is no finding.
  bool passesOn = false;
};

/// The whole emulated memory. Its ranges are reserved once; pages cost nothing until they are touched.
namespace memory {

/// Reserves the address range. Called once before anything else; `checks` off: no cell is ever touched.
void initialise(bool checks);
bool checksOn();

/// Divides the addresses of global memory among so many devices; each has `capacity` bytes. While nothing is allocated.
void setDevices(uint32_t devices);
/// Of a global address.
uint32_t deviceOf(const void *address);
/// Global memory of the devices in this mask can be accessed by the process, that of the others faults. All can, before
/// the first call.
void setAccessible(uint64_t devices);

/// Global memory. 256-byte aligned; uninitialised; null if the device has no room (`capacity` bytes in all).
void *allocateGlobal(uint64_t bytes, uint32_t device = 0);
/// False if `pointer` is no live allocation. Its cells stay dead until they are given out again.
bool freeGlobal(void *pointer);
struct Range {
  uint8_t *begin = nullptr;
  uint64_t bytes = 0;
};
/// The live allocation that holds the address; empty where there is none.
Range globalAllocationOf(const void *address);
void setCapacity(uint64_t bytes);
uint64_t used(uint32_t device = 0);

/// A window of kSharedWindow bytes for one block: `bytes` of it live, uninitialised, contents filled with a pattern.
constexpr uint64_t kSharedWindow = 256 << 10;
uint8_t *acquireShared(uint64_t bytes);
void releaseShared(uint8_t *window);

enum class Kind : uint8_t { none, global, shared };
Kind classify(const void *address);
/// "byte 0x40 of shared memory", "byte 12 of a global allocation of 64 bytes".
std::string describeAddress(const void *address);
/// The window that a shared address lies in, and its offset.
uint8_t *sharedWindowOf(const void *address);

/// Checks and records an access of `bytes` bytes (any number; more than 16 are walked) and reports what is wrong; then
/// the caller moves the data. With checks off they return at once. Natural alignment is checked for power-of-two sizes
/// up to 16 where `aligned` says so.
void read(const void *address, uint64_t bytes, const Accessor &who, bool aligned = true);
void write(void *address, uint64_t bytes, const Accessor &who, bool aligned = true);
/// Marks bytes as initialised or not without an access: fills of padding, poison by tests.
void setInitialised(void *address, uint64_t bytes, bool initialised);
bool isInitialised(const void *address, uint64_t bytes);
/// Where the byte was last written by other than atomics: a return address, 0 where unknown.
uint64_t writerSourceOf(const void *address);

/// Blocks with serials below this are ordered before everything that follows (the driver says so when it synchronises):
/// forgets their accesses to global memory, and gives back what remembering them took.
void compact(uint32_t blocksBelow);

} // namespace memory
} // namespace mmc::emu
