// Matrix products of one warp with all operands in registers (PTX ISA: mma.sync, m16n8k16 and m16n8k32). sm_80; 8-bit
// floats sm_89.
//
// Registers of a lane, g = lane / 4, t = lane % 4, an "element pair" being 32 / bits elements in a row:
//     a[0] row g, a[1] row g + 8: k pair t;  a[2], a[3] the same rows: k pair t + 4
//     b[0] column g: k pair t;  b[1]: k pair t + 4
//     d[0], d[1] row g, columns 2 t and 2 t + 1;  d[2], d[3] row g + 8
//
// Invariant: by the whole warp; A is row-major, B column-major.
#pragma once

#include "ptx/text.cuh"

/// d = a b + d; 16 x 8 x 16.
template <class T> MMC_DEVICE void mma16x8x16(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  static_assert(Element<T>::kBits == 16, "m16n8k16 multiplies f16 or bf16");
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.%10.%10.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, "
               "%1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "C"(ElementText<T>::kText));
}
/// The same 16 x 8 x 32 for 8-bit elements: integers (s8, u8) to s32, floats (e4m3, e5m2) to float.
template <class A, class B> MMC_DEVICE void mma16x8x32(s32 (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  static_assert(!Element<A>::kFloat && !Element<B>::kFloat, "products to s32 multiply s8 or u8");
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.%10.%11.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, "
               "%1, %2, %3};"
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "C"(ElementText<A>::kText),
                 "C"(ElementText<B>::kText));
}
template <class A, class B> MMC_DEVICE void mma16x8x32(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  static_assert(Element<A>::kFloat && Element<B>::kFloat && Element<A>::kBits == 8 && Element<B>::kBits == 8,
                "m16n8k32 products to float multiply e4m3 or e5m2");
  static_assert(kArchitecture >= 890 || sizeof(A) == 0, "8-bit floats need sm_89");
  asm volatile("mma.sync.aligned.m16n8k32.row.col.f32.%10.%11.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, "
               "%1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "C"(ElementText<A>::kText),
                 "C"(ElementText<B>::kText));
}
