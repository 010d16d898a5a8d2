// Bounds-checked reading of an ELF64 file that nobody vouches for.
//
// Invariant: nothing is read but through copies that were checked against the file's size; addresses are translated by
// the program headers in `loads`, which a user fills.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <optional>
#include <span>
#include <vector>

namespace mmc::runtime {

struct ElfReader {
  explicit ElfReader(std::span<const uint8_t> bytes) : bytes(bytes) {}

  template <typename T> bool read(uint64_t offset, T &value) const {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return false;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return true;
  }

  /// File offset of `size` bytes at a virtual address, where they lie within one loaded segment's file part.
  std::optional<uint64_t> fileOffset(uint64_t address, uint64_t size) const {
    for (const Elf64_Phdr &load : loads)
      if (address >= load.p_vaddr && address - load.p_vaddr <= load.p_filesz &&
          size <= load.p_filesz - (address - load.p_vaddr))
        return load.p_offset + (address - load.p_vaddr);
    return std::nullopt;
  }

  /// Symbols in the table: the table itself does not say.
  std::optional<uint64_t> symbolCount(uint64_t hash, uint64_t gnuHash) const {
    if (hash) {
      uint32_t words[2];
      const std::optional<uint64_t> offset = fileOffset(hash, sizeof words);
      if (!offset || !read(*offset, words)) return std::nullopt;
      if (!fileOffset(hash, (2 + uint64_t(words[0]) + words[1]) * 4)) return std::nullopt;
      return words[1];
    }
    if (!gnuHash) return std::nullopt;
    uint32_t head[4]; // buckets, first symbol, Bloom words, shift
    const std::optional<uint64_t> offset = fileOffset(gnuHash, sizeof head);
    if (!offset || !read(*offset, head)) return std::nullopt;
    const uint64_t buckets = *offset + sizeof head + uint64_t(head[2]) * 8;
    uint64_t last = 0;
    for (uint64_t i = 0; i < head[0]; ++i) {
      uint32_t bucket;
      if (!read(buckets + i * 4, bucket)) return std::nullopt;
      last = std::max<uint64_t>(last, bucket);
    }
    if (last < head[1]) return head[1];
    for (uint32_t chain = 0; !(chain & 1); ++last)
      if (!read(buckets + uint64_t(head[0]) * 4 + (last - head[1]) * 4, chain)) return std::nullopt;
    return last;
  }

  std::span<const uint8_t> bytes;
  Elf64_Ehdr elf{};
  std::vector<Elf64_Phdr> loads; // the loaded segments, ascending
};

} // namespace mmc::runtime
