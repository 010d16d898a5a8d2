// Tensor copies: boxes of a tensor, described by a tensor map, between global and shared memory.
//
// In shared memory a box is dense, its first axis fastest, permuted by the map's swizzle, which goes by the address
// itself. Along every axis elements outside of the tensor are filled on a load and dropped on a store; an mbarrier
// counts the whole box either way.
//
// NOTE: the copy engine tests the end of the first axis in chunks of 16 bytes when it writes: a store over the end of a
// tensor whose rows are no multiple of 16 bytes writes the rest of the last chunk too. So do we.
#pragma once

#include "runtime/cuda/emulation/ops/BulkCopy.h"
#include "runtime/cuda/emulation/ops/TensorMap.h"

#include <cstdint>
#include <functional>

namespace mmc::emu::copies {

/// A box in a tensor.
struct Box {
  TensorMap map;
  int64_t at[5] = {}; // elements

  /// Calls visit(offset, global, bytes) for each run of bytes of the box that lies inside of the tensor: `offset` in
  /// the box without swizzle. With `wholeChunks` runs at the end of the first axis go on to the end of their chunk of
  /// 16 bytes, as far as the box does.
  void forEachRun(bool wholeChunks, const std::function<void(uint64_t, uint8_t *, uint64_t)> &visit) const;
  /// The bytes of an element outside of the tensor, in the low bytes.
  uint64_t filling() const;
};

/// Elements that a reduction adds: false for those that cp.reduce.async.bulk.tensor.add does not take.
bool canAdd(TensorElement element);
/// `to` becomes the sum of both, rounded to the nearest in the element's format.
void addElement(TensorElement element, uint8_t *to, const uint8_t *value);

/// fence.proxy.tensormap::generic: what other threads have released of a changed map, copies of this thread see after
/// an acquire that names the map.
void fenceTensorMapRelease(Thread &thread, Scope scope);
void fenceTensorMapAcquire(Thread &thread, const void *map, Scope scope);

} // namespace mmc::emu::copies
