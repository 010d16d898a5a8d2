// Places the temporaries of a step in one arena: buffers that are live at the same time never overlap, others may share
// bytes.
//
// Greedy by size, first fit: deterministic, and within a few percent of the largest live set for programs of this shape
// (tens of buffers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mmc {

/// Undirected conflicts between `count` buffers.
class Interference {
public:
  explicit Interference(unsigned count) : count(count), bits(static_cast<std::size_t>(count) * count) {}
  void add(unsigned a, unsigned b) { bits[std::size_t(a) * count + b] = bits[std::size_t(b) * count + a] = true; }
  bool has(unsigned a, unsigned b) const { return bits[std::size_t(a) * count + b]; }
  unsigned size() const { return count; }

private:
  unsigned count;
  std::vector<bool> bits;
};

struct ArenaLayout {
  std::vector<uint64_t> offsets; // bytes, multiples of 64, one per buffer
  uint64_t bytes = 0;            // the arena's size
};

/// `sizes` in bytes, one per buffer. Buffers of size zero get offset zero.
ArenaLayout layOutArena(const std::vector<uint64_t> &sizes, const Interference &interference);

} // namespace mmc
