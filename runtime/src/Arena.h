// Bump allocation for many small immutable pieces of text and numbers that live and die together. Addresses are stable,
// also when moved.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace mmc::runtime {

class Arena {
public:
  std::string_view copy(std::string_view text) {
    char *to = static_cast<char *>(allocate(text.size(), 1));
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  std::span<const uint64_t> copy(std::span<const uint64_t> numbers) {
    auto *to = static_cast<uint64_t *>(allocate(numbers.size_bytes(), alignof(uint64_t)));
    if (!numbers.empty()) std::memcpy(to, numbers.data(), numbers.size_bytes());
    return {to, numbers.size()};
  }

private:
  void *allocate(size_t bytes, size_t alignment) {
    size_t begin = (used + alignment - 1) / alignment * alignment;
    if (blocks.empty() || begin + bytes > capacity) {
      capacity = bytes > kBlock ? bytes : kBlock; // A large piece gets a block of its own.
      blocks.push_back(std::make_unique<char[]>(capacity));
      begin = 0;
    }
    used = begin + bytes;
    return blocks.back().get() + begin;
  }

  static constexpr size_t kBlock = size_t(1) << 16;
  std::vector<std::unique_ptr<char[]>> blocks;
  size_t used = 0, capacity = 0;
};

} // namespace mmc::runtime
