// Host twin of device/ptx/wgmma.cuh. Fragments are known to the emulation by their addresses from issue to wait, so
// fences and waits need not name them.
#pragma once

#include "ptx/launch.cuh"

MMC_DEVICE u64 matrixDescriptor(const void *shared, u32 leadingBytes, u32 strideBytes, Swizzle swizzle) {
  return u64((sharedAddress(shared) & 0x3ffff) >> 4) | u64(leadingBytes >> 4) << 16 | u64(strideBytes >> 4) << 32 |
         u64(swizzle) << 62;
}

template <class... Fragments> MMC_DEVICE void wgmmaFence(Fragments &...) { mmcEmuWgmmaFence(); }
template <class... Fragments> MMC_DEVICE void wgmmaWritten(Fragments &...) {}
MMC_DEVICE void wgmmaCommit() { mmcEmuWgmmaCommit(); }
template <u32 pending, class... Fragments> MMC_DEVICE void wgmmaWait(Fragments &...) { mmcEmuWgmmaWait(pending); }

struct WgmmaForm {
  bool transposeA = false, transposeB = false, negateA = false, negateB = false;
};

namespace wgmmaDetail {
template <class A, class B, class D, u32 n> constexpr void check() {
  static_assert(Element<A>::kBits == Element<B>::kBits && (Element<A>::kBits == 8 || __is_same(A, B)),
                "wgmma multiplies f16, bf16, 8-bit floats or 8-bit integers");
  static_assert(Element<A>::kFloat == Element<B>::kFloat && Element<A>::kFloat == __is_same(D, float),
                "floats accumulate in float, integers in s32");
  static_assert(n % 8 == 0 && n >= 8 && n <= 256, "wgmma has N from 8 to 256 in steps of 8");
  static_assert(Element<A>::kFloat || n <= 24 || n % 16 == 0, "integer wgmma has N 8, 16, 24 and multiples of 16");
}
template <class A> constexpr bool allowed(WgmmaForm form) {
  return (Element<A>::kBits == 16 || !(form.transposeA || form.transposeB)) &&
         (Element<A>::kFloat || !(form.negateA || form.negateB));
}
constexpr u32 flags(WgmmaForm form, bool accumulate) {
  return (form.transposeA ? mmcEmuTransposeA : 0u) | (form.transposeB ? mmcEmuTransposeB : 0u) |
         (form.negateA ? mmcEmuNegateA : 0u) | (form.negateB ? mmcEmuNegateB : 0u) |
         (accumulate ? mmcEmuAccumulate : 0u);
}
} // namespace wgmmaDetail

template <class A, class B = A, WgmmaForm form = WgmmaForm{}, class D, u32 count>
MMC_DEVICE void wgmma(D (&d)[count], u64 a, u64 b, bool accumulate) {
  wgmmaDetail::check<A, B, D, 2 * count>();
  static_assert(wgmmaDetail::allowed<A>(form), "only 16-bit operands can be MN-major, only floats change sign");
  mmcEmuWgmma(d, nullptr, a, b, 2 * count, Element<A>::kCode, Element<B>::kCode, wgmmaDetail::flags(form, accumulate));
}
template <class A, class B = A, WgmmaForm form = WgmmaForm{}, class D, u32 count>
MMC_DEVICE void wgmma(D (&d)[count], const u32 (&a)[4], u64 b, bool accumulate) {
  wgmmaDetail::check<A, B, D, 2 * count>();
  static_assert(wgmmaDetail::allowed<A>(form), "only 16-bit operands can be MN-major, only floats change sign");
  static_assert(!form.transposeA, "A in registers has one layout");
  mmcEmuWgmma(d, a, 0, b, 2 * count, Element<A>::kCode, Element<B>::kCode, wgmmaDetail::flags(form, accumulate));
}
