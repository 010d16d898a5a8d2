// Host twin of device/ptx/mma.cuh.
#pragma once

#include "ptx/launch.cuh"

template <class T> MMC_DEVICE void mma16x8x16(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  static_assert(Element<T>::kBits == 16, "m16n8k16 multiplies f16 or bf16");
  mmcEmuMma(d, a, b, 16, Element<T>::kCode, Element<T>::kCode);
}
template <class A, class B> MMC_DEVICE void mma16x8x32(s32 (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  static_assert(!Element<A>::kFloat && !Element<B>::kFloat, "products to s32 multiply s8 or u8");
  mmcEmuMma(d, a, b, 32, Element<A>::kCode, Element<B>::kCode);
}
template <class A, class B> MMC_DEVICE void mma16x8x32(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  static_assert(Element<A>::kFloat && Element<B>::kFloat && Element<A>::kBits == 8 && Element<B>::kBits == 8,
                "m16n8k32 products to float multiply e4m3 or e5m2");
  mmcEmuMma(d, a, b, 32, Element<A>::kCode, Element<B>::kCode);
}
