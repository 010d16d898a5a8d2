// A warp's access to memory as one request: which sectors of global memory it touches, how many wavefronts it takes in
// shared memory.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace mmc::emu::counting {

/// Accesses of several lanes that one instruction makes: an offset for each, `bytes` bytes from it on (1 to 16).
struct Request {
  uint32_t lanes = 0;
  uint32_t bytes = 0;
  std::array<uint64_t, 32> offsets;

  void add(uint32_t lane, uint64_t offset, uint32_t count) {
    lanes |= 1u << lane;
    bytes = count > bytes ? count : bytes;
    offsets[lane] = offset;
  }
};

/// Calls visit(sector, bytes used of it as 32 bits) for each sector once.
template <class Visit> void eachSector(const Request &request, Visit visit) {
  std::array<uint64_t, 64> sectors;
  std::array<uint32_t, 64> used;
  uint32_t count = 0;
  const auto use = [&](uint64_t sector, uint32_t bits) {
    // Neighbouring lanes mostly share a sector, so the last ones come first.
    uint32_t at = count;
    while (at > 0 && sectors[at - 1] != sector) --at;
    if (at == 0)
      sectors[count] = sector, used[count] = bits, ++count;
    else
      used[at - 1] |= bits;
  };
  for (uint32_t rest = request.lanes; rest; rest &= rest - 1) {
    const uint64_t begin = request.offsets[uint32_t(std::countr_zero(rest))], end = begin + request.bytes;
    const uint64_t bits = ((uint64_t(1) << request.bytes) - 1) << begin % 32;
    use(begin / 32, uint32_t(bits));
    if ((end - 1) / 32 != begin / 32) use(begin / 32 + 1, uint32_t(bits >> 32));
  }
  for (uint32_t i = 0; i < count; ++i) visit(sectors[i], used[i]);
}

struct Wavefronts {
  uint32_t taken = 0, needed = 0;
};

/// 32 banks of four bytes; a wavefront reads one word of each bank, however many lanes want it. Accesses of up to four
/// bytes go together for the whole warp, of eight bytes for half of it, of sixteen for a quarter.
inline Wavefronts wavefrontsOf(const Request &request) {
  const uint32_t together = request.bytes <= 4 ? 32 : request.bytes <= 8 ? 16 : 8;
  Wavefronts result;
  for (uint32_t first = 0; first < 32; first += together) {
    std::array<uint64_t, 64> words;
    std::array<uint8_t, 32> inBank = {};
    uint32_t count = 0, most = 0;
    for (uint32_t lane = first; lane < first + together; ++lane) {
      if (!(request.lanes >> lane & 1)) continue;
      const uint64_t begin = request.offsets[lane] / 4, end = (request.offsets[lane] + request.bytes - 1) / 4;
      for (uint64_t word = begin; word <= end; ++word) {
        uint32_t at = 0;
        while (at < count && words[at] != word) ++at;
        if (at < count) continue;
        words[count++] = word;
        const uint32_t there = ++inBank[word % 32];
        most = there > most ? there : most;
      }
    }
    result.taken += most;
    result.needed += most ? 1 : 0;
  }
  return result;
}

} // namespace mmc::emu::counting
