// Host memory that the driver knows: page-locked by it, or registered; and who has changed it.
//
// A copy from page-locked memory reads it when it is executed, so the host must leave the bytes alone until it has
// waited for the copy. The host's stores are not seen, so a copy's source is compared with what it was when the copy
// was asked for; commands that have written there since are told apart.
#pragma once

#include "runtime/cuda/emulation/driver/Commands.h"

#include <map>
#include <vector>

struct CUctx_st;

namespace mmc::emu::driver {

/// The host's bytes at the time of a call.
struct HostPrint {
  HostRange range;
  uint64_t hash = 0, writes = 0; // of commands to host memory, before
};

class HostMemory {
public:
  struct Block {
    uint64_t bytes = 0;
    bool registered = false; // else the driver's own
    bool deviceMapped = false;
    CUctx_st *context = nullptr;
  };

  /// Null if there is none left.
  void *allocate(uint64_t bytes, CUctx_st *context);
  /// False if a part of it is known already.
  bool add(void *pointer, uint64_t bytes, CUctx_st *context);
  bool overlaps(const void *pointer, uint64_t bytes) const;
  /// The block that begins there.
  Block *find(void *pointer);
  /// The block that holds all of the bytes.
  Block *holding(const void *pointer, uint64_t bytes);
  void remove(void *pointer);
  void removeAllOf(CUctx_st *context);

  HostPrint print(HostRange range);
  /// False if the host has changed the bytes since.
  bool isUnchanged(const HostPrint &print);
  /// A command has written there.
  void written(HostRange range);

private:
  std::map<uint8_t *, Block> blocks;
  std::vector<HostRange> recentWrites; // a ring of the last ones
  uint64_t writes = 0;
};

} // namespace mmc::emu::driver
