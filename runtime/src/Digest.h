// BLAKE2b-256, the digest of plans and snapshots (libsodium, linked statically).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mmc::runtime {

using Digest = std::array<uint8_t, 32>;

/// The digest of one piece of memory. Thread-safe.
Digest digestOf(std::span<const uint8_t> bytes);

/// 64 lower-case hexadecimal digits.
std::string toHex(const Digest &digest);

/// A digest over pieces that arrive one after the other. Not copyable; one thread at a time.
class DigestStream {
public:
  DigestStream();
  ~DigestStream();
  DigestStream(const DigestStream &) = delete;
  DigestStream &operator=(const DigestStream &) = delete;

  void update(std::span<const uint8_t> bytes);
  void update(std::string_view text);
  /// Ends the stream.
  Digest finish();

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace mmc::runtime
