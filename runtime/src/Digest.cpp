// Implements the digests on libsodium. Invariant: sodium_init has run before the first hash, so that the fastest
// BLAKE2b of this machine is chosen; it is idempotent and thread-safe.
#include "runtime/src/Digest.h"

#include <sodium.h>

namespace mmc::runtime {

static void prepare() {
  static const int ready = sodium_init();
  (void)ready; // A failure only means that no random numbers are to be had; hashing works.
}

Digest digestOf(std::span<const uint8_t> bytes) {
  prepare();
  Digest digest;
  crypto_generichash_blake2b(digest.data(), digest.size(), bytes.data(), bytes.size(), nullptr, 0);
  return digest;
}

std::string toHex(const Digest &digest) {
  std::string text;
  for (uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

struct DigestStream::State {
  alignas(64) crypto_generichash_blake2b_state blake;
};

DigestStream::DigestStream() {
  prepare();
  state = std::make_unique<State>();
  crypto_generichash_blake2b_init(&state->blake, nullptr, 0, sizeof(Digest));
}

DigestStream::~DigestStream() = default;

void DigestStream::update(std::span<const uint8_t> bytes) {
  crypto_generichash_blake2b_update(&state->blake, bytes.data(), bytes.size());
}

void DigestStream::update(std::string_view text) {
  update(std::span(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
}

Digest DigestStream::finish() {
  Digest digest;
  crypto_generichash_blake2b_final(&state->blake, digest.data(), digest.size());
  return digest;
}

} // namespace mmc::runtime
