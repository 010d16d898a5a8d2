// Implements tensor copies on bulk copies. Invariant: a Box has been checked when an operation is started with it, so
// what is left to find is what memory says.
#include "runtime/cuda/emulation/ops/TensorCopy.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <immintrin.h>
#include <string>

namespace mmc::emu::copies {

void Box::forEachRun(bool wholeChunks, const std::function<void(uint64_t, uint8_t *, uint64_t)> &visit) const {
  const int64_t first = std::max<int64_t>(0, -at[0]);
  const int64_t last = std::min<int64_t>(map.counts[0], int64_t(map.sizes[0]) - at[0]); // past the end
  if (first >= last) return;
  const uint64_t from = uint64_t(first) * map.elementBytes;
  uint64_t to = uint64_t(last) * map.elementBytes;
  if (wholeChunks) {
    const uint64_t end = uint64_t(at[0] + last) * map.elementBytes; // in the tensor's row
    to = std::min<uint64_t>(map.rowBytes(), to + (16 - end % 16) % 16);
  }
  for (uint64_t row = 0; row < map.boxRows(); ++row) {
    uint8_t *global = map.base + (at[0] + first) * int64_t(map.elementBytes);
    bool inside = true;
    uint64_t rest = row;
    for (uint32_t axis = 1; axis < map.rank; ++axis) {
      const int64_t coordinate = at[axis] + int64_t(rest % map.counts[axis] * map.steps[axis]);
      rest /= map.counts[axis];
      inside &= coordinate >= 0 && uint64_t(coordinate) < map.sizes[axis];
      global += coordinate * int64_t(map.strides[axis]);
    }
    if (inside) visit(row * map.rowBytes() + from, global, to - from);
  }
}

uint64_t Box::filling() const {
  if (map.fill == TensorFill::zeros) return 0;
  // A quiet NaN; which one the hardware writes is not documented.
  switch (map.elementBytes) {
  case 2:
    return 0x7fff;
  case 4:
    return 0x7fffffff;
  default:
    return 0x7fffffff'ffffffff;
  }
}

bool canAdd(TensorElement element) {
  switch (element) {
  case TensorElement::u32:
  case TensorElement::s32:
  case TensorElement::u64:
  case TensorElement::f16:
  case TensorElement::bf16:
  case TensorElement::f32:
    return true;
  default:
    return false;
  }
}

namespace {

uint16_t toBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float flushed(float value) { return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value; }

template <class T> T loadAs(const uint8_t *bytes) {
  T value;
  memcpy(&value, bytes, sizeof value);
  return value;
}
template <class T> void storeAs(uint8_t *bytes, T value) { memcpy(bytes, &value, sizeof value); }

} // namespace

void addElement(TensorElement element, uint8_t *to, const uint8_t *value) {
  switch (element) {
  case TensorElement::u32:
  case TensorElement::s32:
    return storeAs(to, loadAs<uint32_t>(to) + loadAs<uint32_t>(value));
  case TensorElement::u64:
    return storeAs(to, loadAs<uint64_t>(to) + loadAs<uint64_t>(value));
  case TensorElement::f32: // alone of the formats without subnormals
    return storeAs(to, flushed(flushed(loadAs<float>(to)) + flushed(loadAs<float>(value))));
  // The sum of two short floats, rounded to float and then to the short format, is rounded once: float has more than
  // twice the digits and two to spare.
  case TensorElement::bf16: {
    const auto widen = [](const uint8_t *bytes) {
      return std::bit_cast<float>(uint32_t(loadAs<uint16_t>(bytes)) << 16);
    };
    return storeAs(to, toBf16(widen(to) + widen(value)));
  }
  case TensorElement::f16: {
    const float sum = _cvtsh_ss(loadAs<uint16_t>(to)) + _cvtsh_ss(loadAs<uint16_t>(value));
    return storeAs(to, uint16_t(_cvtss_sh(sum, _MM_FROUND_TO_NEAREST_INT)));
  }
  default:
    return;
  }
}

void fenceTensorMapRelease(Thread &thread, Scope scope) { fence(thread, scope); }

void fenceTensorMapAcquire(Thread &thread, const void *map, Scope scope) {
  fence(thread, scope);
  auto &fences = stateIn<CopyState>(thread.copyState).tensorMaps;
  std::erase_if(fences, [&](const TensorMapFence &fence) { return fence.map == map; });
  fences.push_back({map, clocksOf(thread).vc});
}

namespace {

/// The copy engine reads a map by a path of its own, which sees nothing that kernels of this launch have written, not
/// even the issuer, unless fence.proxy.tensormap has shown it. Maps that lie outside of emulated memory are the
/// launch's parameters or constants of the module.
void readMap(const Instruction &instruction, const void *map, Epoch operation) {
  if (memory::classify(map) != memory::Kind::global) return;
  Thread &thread = instruction.thread;
  Clock seen(thread.block->serial, thread.vc.getStreams());
  for (const TensorMapFence &fence : stateIn<CopyState>(thread.copyState).tensorMaps)
    if (fence.map == map) seen = fence.seen;
  const ClockPair clocks = clocksOf(thread);
  Accessor who;
  who.writesSeen = &seen;
  who.readsSeen = &clocks.vc;
  who.self = who.ownColumn = operation;
  who.proxy = Proxy::async;
  who.thread = &thread;
  who.source = instruction.source;
  memory::read(map, kTensorMapBytes, who, false);
}

bool notModelled(const Instruction &instruction, const std::string &what) {
  instruction.refuse(Finding::badDescriptor,
                     "takes a tensor map with " + what + ", which the emulation does not model");
  return false;
}

/// Checks the map and the address in shared memory (null: a prefetch has none). False if the copy is refused.
bool makeBox(const Instruction &instruction, Box &box, const void *map, const void *shared, uint32_t rank,
             const int *coordinates) {
  checkAligned(instruction, "tensor map", map, kTensorMapAlignment);
  if (memory::classify(map) == memory::Kind::shared) {
    instruction.refuse(Finding::badDescriptor,
                       "takes a tensor map in shared memory, expected a parameter, a constant or global memory");
    return false;
  }
  if (memory::classify(map) == memory::Kind::global) {
    const memory::Range range = memory::globalAllocationOf(map);
    if (static_cast<const uint8_t *>(map) + kTensorMapBytes > range.begin + range.bytes) {
      instruction.refuse(Finding::outOfBounds, "takes a tensor map that does not lie in one allocation");
      return false;
    }
  }
  std::string why;
  if (!decodeTensorMap(map, box.map, why)) {
    instruction.refuse(Finding::badDescriptor, "finds that " + why);
    return false;
  }
  const TensorMap &m = box.map;
  if (rank != m.rank) {
    instruction.refuse(Finding::badDescriptor, "names " + std::to_string(rank) +
                                                   " coordinates, but the tensor map has " + std::to_string(m.rank) +
                                                   " axes");
    return false;
  }
  if (m.interleave != TensorInterleave::none) return notModelled(instruction, "an interleave");
  if (m.element == TensorElement::f32Flushed || m.element == TensorElement::tf32 ||
      m.element == TensorElement::tf32Flushed)
    return notModelled(instruction, std::string("elements of ") + tensorElementName(m.element));
  if (const uint32_t span = swizzleSpan(m.swizzle); span && m.rowBytes() != span)
    return notModelled(instruction,
                       "rows of " + std::to_string(m.rowBytes()) + " bytes under a swizzle of " + std::to_string(span));
  if (shared) checkAligned(instruction, "shared memory address", shared, 128);
  for (uint32_t axis = 0; axis < rank; ++axis) box.at[axis] = coordinates[axis];
  return true;
}

/// A box that is written may reach over the end of the tensor, but not begin before its beginning.
bool makeBoxToWrite(const Instruction &instruction, Box &box, const void *map, const void *shared, uint32_t rank,
                    const int *coordinates) {
  if (!makeBox(instruction, box, map, shared, rank, coordinates)) return false;
  for (uint32_t axis = 0; axis < rank; ++axis)
    if (box.at[axis] < 0) {
      instruction.refuse(Finding::badDescriptor, "writes at coordinate " + std::to_string(box.at[axis]) + " of axis " +
                                                     std::to_string(axis) + ", expected none below 0");
      return false;
    }
  return true;
}

/// Offset in the box, as it lies in shared memory from `shared` on, of the chunk at the offset without swizzle. Windows
/// begin at multiples of any swizzle's period, so addresses of the host do for addresses of shared memory.
uint64_t placeInBox(const Box &box, const void *shared, uint64_t offset) {
  const uint64_t begin = reinterpret_cast<uint64_t>(shared);
  return swizzled(box.map.swizzle, begin + offset) - begin;
}

void gatherBox(const Box &box, const void *shared, Parcel &parcel, const std::vector<Accessor> &readers) {
  if (const uint64_t filling = box.filling())
    for (uint64_t at = 0; at < parcel.bytes.size(); at += box.map.elementBytes)
      memcpy(parcel.bytes.data() + at, &filling, box.map.elementBytes);
  box.forEachRun(false, [&](uint64_t offset, const uint8_t *global, uint64_t bytes) {
    parcel.read(offset, global, bytes, readers);
  });
  if (box.map.swizzle != TensorSwizzle::none)
    parcel.permute([&](uint64_t offset) { return placeInBox(box, shared, offset); });
}

/// Makes the parcel, as it lay in shared memory, what it would be without swizzle: a swizzle is its own inverse.
void straighten(const Box &box, const void *shared, Parcel &parcel) {
  if (box.map.swizzle != TensorSwizzle::none)
    parcel.permute([&](uint64_t offset) { return placeInBox(box, shared, offset); });
}

void addRun(const Box &box, const Parcel &parcel, uint64_t offset, uint8_t *global, uint64_t bytes, Accessor who) {
  who.proxy = Proxy::atomic;
  who.passesOn = false;
  counting::bulk(global, bytes, counting::Kind::atomic, who.source);
  memory::read(global, bytes, who, false);
  memory::write(global, bytes, who, false);
  if (!parcel.unwritten.empty()) {
    const auto first = parcel.unwritten.begin() + ptrdiff_t(offset);
    if (std::find(first, first + ptrdiff_t(bytes), true) != first + ptrdiff_t(bytes))
      reports::add(Finding::uninitialisedRead, who.thread, who.source,
                   "cp.reduce.async.bulk.tensor adds bytes of shared memory that nothing has written");
  }
  for (uint64_t at = 0; at < bytes; at += box.map.elementBytes)
    addElement(box.map.element, global + at, parcel.bytes.data() + offset + at);
}

} // namespace
} // namespace mmc::emu::copies

using namespace mmc::emu;
using namespace mmc::emu::copies;

void mmcEmuTensorLoad(void *shared, const void *map, void *mbarrier, unsigned rank, const int *coordinates,
                      unsigned multicastMask) {
  scheduler::mayYield();
  const Instruction instruction{*scheduler::current(), "cp.async.bulk.tensor", MMC_EMU_SOURCE};
  Box box;
  if (!makeBox(instruction, box, map, shared, rank, coordinates)) return;
  const auto gather = [box, shared](Parcel &parcel, const std::vector<Accessor> &readers) {
    gatherBox(box, shared, parcel, readers);
  };
  startLoad(instruction, shared, box.map.boxBytes(), mbarrier, multicastMask, gather,
            [&](Epoch operation) { readMap(instruction, map, operation); });
}

void mmcEmuTensorStore(const void *map, const void *shared, unsigned rank, const int *coordinates) {
  scheduler::mayYield();
  const Instruction instruction{*scheduler::current(), "cp.async.bulk.tensor", MMC_EMU_SOURCE};
  Box box;
  if (!makeBoxToWrite(instruction, box, map, shared, rank, coordinates)) return;
  const auto scatter = [box, shared](Parcel &parcel, const Accessor &writer) {
    straighten(box, shared, parcel);
    box.forEachRun(
        true, [&](uint64_t offset, uint8_t *global, uint64_t bytes) { parcel.write(offset, global, bytes, writer); });
  };
  startStore(instruction, shared, box.map.boxBytes(), scatter,
             [&](Epoch operation) { readMap(instruction, map, operation); });
}

void mmcEmuTensorReduceAdd(const void *map, const void *shared, unsigned rank, const int *coordinates) {
  scheduler::mayYield();
  const Instruction instruction{*scheduler::current(), "cp.reduce.async.bulk.tensor", MMC_EMU_SOURCE};
  Box box;
  if (!makeBoxToWrite(instruction, box, map, shared, rank, coordinates)) return;
  if (!canAdd(box.map.element)) {
    instruction.refuse(Finding::badDescriptor, std::string("adds elements of ") + tensorElementName(box.map.element) +
                                                   ", expected u32, s32, u64, f16, bf16 or f32");
    return;
  }
  const auto scatter = [box, shared](Parcel &parcel, const Accessor &writer) {
    straighten(box, shared, parcel);
    box.forEachRun(true, [&](uint64_t offset, uint8_t *global, uint64_t bytes) {
      addRun(box, parcel, offset, global, bytes, writer);
    });
  };
  startStore(instruction, shared, box.map.boxBytes(), scatter,
             [&](Epoch operation) { readMap(instruction, map, operation); });
}

void mmcEmuTensorPrefetch(const void *map, unsigned rank, const int *coordinates) {
  Box box;
  makeBox({*scheduler::current(), "cp.async.bulk.prefetch.tensor", MMC_EMU_SOURCE}, box, map, nullptr, rank,
          coordinates);
}

void mmcEmuPrefetchTensorMap(const void *map) {
  const Instruction instruction{*scheduler::current(), "prefetch.tensormap", MMC_EMU_SOURCE};
  checkAligned(instruction, "tensor map", map, kTensorMapAlignment);
  if (memory::classify(map) == memory::Kind::shared)
    instruction.refuse(Finding::badDescriptor,
                       "takes a tensor map in shared memory, expected a parameter, a constant or global memory");
}

void mmcEmuFenceTensorMapRelease(unsigned scope) { fenceTensorMapRelease(*scheduler::current(), Scope(scope)); }

void mmcEmuFenceTensorMapAcquire(const void *map, unsigned scope) {
  fenceTensorMapAcquire(*scheduler::current(), map, Scope(scope));
}
