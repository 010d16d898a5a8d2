// Numbers as kernels name them, for both readers (NVRTC and clang for the host): no toolkit or standard header is ever
// included.
//
// Invariant: everything here is a plain aggregate of bits, so it can be copied bytewise, lie in shared memory and be a
// kernel's parameter. Arithmetic on the short formats is done in float; the conversions are in ptx/math.cuh.
#pragma once

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using s8 = signed char;
using s16 = short;
using s32 = int;
using s64 = long long;

struct bf16 {
  u16 bits;
};
struct f16 {
  u16 bits;
};
/// 8-bit floats: 4 exponent and 3 mantissa bits (largest 448, no infinity), and 5 and 2.
struct e4m3 {
  u8 bits;
};
struct e5m2 {
  u8 bits;
};

/// What one thread moves at once at most.
struct alignas(16) Vector16 {
  u32 words[4];
};
struct alignas(8) Vector8 {
  u32 words[2];
};

static_assert(sizeof(u64) == 8 && sizeof(bf16) == 2 && sizeof(e4m3) == 1 && sizeof(Vector16) == 16,
              "sizes of the device");
static_assert(sizeof(void *) == 8, "addresses have 64 bits");

/// The threads that a fence, an atomic or an ordered access reaches.
enum class Scope : u32 { block, cluster, device, system };
/// What an atomic or an access orders.
enum class Order : u32 { relaxed, acquire, release, acquireRelease };

/// How 16-byte chunks of a row are permuted in shared memory, so that eight rows' chunks of one column lie in different
/// banks: within spans of 128, 64 or 32 bytes. The codes of wgmma's descriptors.
enum class Swizzle : u32 { none = 0, bytes128 = 1, bytes64 = 2, bytes32 = 3 };

/// Elements that matrix instructions multiply, by their code in the emulation's calls.
template <class T> struct Element;
template <> struct Element<f16> {
  static constexpr u32 kCode = 0, kBits = 16;
  static constexpr bool kFloat = true;
};
template <> struct Element<bf16> {
  static constexpr u32 kCode = 1, kBits = 16;
  static constexpr bool kFloat = true;
};
template <> struct Element<e4m3> {
  static constexpr u32 kCode = 2, kBits = 8;
  static constexpr bool kFloat = true;
};
template <> struct Element<e5m2> {
  static constexpr u32 kCode = 3, kBits = 8;
  static constexpr bool kFloat = true;
};
template <> struct Element<s8> {
  static constexpr u32 kCode = 4, kBits = 8;
  static constexpr bool kFloat = false;
};
template <> struct Element<u8> {
  static constexpr u32 kCode = 5, kBits = 8;
  static constexpr bool kFloat = false;
};
