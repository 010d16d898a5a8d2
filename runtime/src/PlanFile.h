// The container of a plan: a header with a table of segments, then the segments, each checked by its own digest.
//
// The container knows nothing of what a segment means. Its invariants, all checked when a file is opened:
// little-endian; the header and table are covered by the header digest, each segment by its digest, every byte between
// them is zero, and nothing follows the last segment. So every bit of a plan file is covered, and equal segments give
// byte-identical files. docs/PlanFormat.md has the byte layout.
#pragma once

#include "runtime/src/Digest.h"
#include "runtime/src/Mapping.h"
#include "runtime/src/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mmc::runtime {

inline constexpr uint16_t kPlanFormatMajor = 1;
inline constexpr uint16_t kPlanFormatMinor = 0;
/// Segments start at multiples of this, so that each can be mapped.
inline constexpr uint64_t kSegmentAlignment = 4096;
inline constexpr uint32_t kMaxSegments = 16;
/// A FlatBuffer cannot be larger, and the other segments are far smaller.
inline constexpr uint64_t kMaxPlanBytes = uint64_t(1) << 31;

enum class SegmentKind : uint32_t {
  metadata = 1,    // FlatBuffer, runtime/schema/plan.fbs; required, once
  constants = 2,   // tables that the compiler computed; at most once
  hostObject = 3,  // ELF shared object with the kernels of all CPU variants; at most once
  text = 4,        // tile IR for people; never read by the runtime; at most once
  deviceImages = 5 // what a CUDA driver loads, one image after the other; at most once
};

/// A flag of a segment: a runtime that does not know the segment's kind may ignore it. Without it an unknown kind is
/// refused.
inline constexpr uint32_t kSegmentOptional = 1;

/// A segment to write.
struct SegmentInput {
  SegmentKind kind;
  std::span<const uint8_t> bytes;
  uint32_t flags = 0;
};

/// The bytes of a plan file; segments are written in the order given. Deterministic.
Expected<std::vector<uint8_t>> buildPlanFile(std::span<const SegmentInput> segments);

/// Writes a plan atomically: a temporary file beside `path`, fsync, rename, fsync of the folder. On failure nothing is
/// left.
Status writePlanFile(const std::string &path, std::span<const SegmentInput> segments);

/// A segment of an opened file.
struct Segment {
  SegmentKind kind;
  uint32_t flags;
  uint64_t offset;
  uint64_t size;
  Digest digest;
};

/// A plan file in memory of its own: what was hashed is what is used, whatever happens to the file later. Immutable,
/// movable.
class PlanImage {
public:
  /// Reads the file once and checks the container.
  static Expected<PlanImage> open(const std::string &path);
  /// Copies the bytes and checks the container. `name` stands for the path in messages.
  static Expected<PlanImage> copy(std::span<const uint8_t> bytes, const std::string &name = "plan in memory");

  /// The header's digest, which covers the digests of all segments: the identity of the plan.
  const Digest &digest() const { return identity; }
  uint16_t formatMinor() const { return minor; }
  uint64_t size() const { return length; }
  const std::string &name() const { return label; }
  std::span<const Segment> segments() const { return table; }
  /// The bytes of the segment of that kind, 4096-aligned; empty where there is none.
  std::span<const uint8_t> bytes(SegmentKind kind) const;
  bool has(SegmentKind kind) const;

private:
  Status check();
  Status checkTable(uint32_t count);
  Status checkPadding() const;

  Mapping memory;
  uint64_t length = 0;
  uint16_t minor = 0;
  std::string label;
  Digest identity{};
  std::vector<Segment> table;
};

} // namespace mmc::runtime
