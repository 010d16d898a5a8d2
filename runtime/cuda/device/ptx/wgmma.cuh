// Matrix products of a warpgroup that run while its threads go on (PTX ISA: wgmma.mma_async, wgmma.fence,
// wgmma.commit_group, wgmma.wait_group). sm_90a.
//
//     wgmmaFence(sum);                                  // registers written so far are seen by the products
//     wgmma<bf16>(sum, aDescriptor, bDescriptor, more);  // any number
//     wgmmaCommit();
//     wgmmaWait<0>(sum);                                // now, and not before, `sum` may be touched
//
// A fragment of m64nN is n / 2 numbers per thread: with t = thread % 128, rows 16 (t / 32) + t % 32 / 4 and + 8;
// register 4 j + 2 h + e is row half h, column 8 j + 2 (t % 4) + e. A in registers: 4 words per thread, as A of mma.cuh
// in the 16 rows of the warp.
//
// Invariant: by all 128 threads of a warpgroup together, never under a condition that they do not share; no register of
// a product is touched between its issue and its wait; fragment loops are unrolled, so that fragments stay in
// registers. Operands in shared memory are read through the asynchronous proxy.
#pragma once

#include "ptx/text.cuh"

/// What a product does to its operands: MN-major operands in shared memory (16-bit elements only) and changes of sign
/// (floats only).
struct WgmmaForm {
  bool transposeA = false, transposeB = false, negateA = false, negateB = false;
};

namespace wgmmaDetail {
template <class A, class B, class D> MMC_DEVICE void check() {
  static_assert(Element<A>::kBits == Element<B>::kBits, "both operands of wgmma have elements of the same width");
  static_assert(Element<A>::kBits == 8 || Element<A>::kCode == Element<B>::kCode,
                "16-bit operands of wgmma have the same type");
  static_assert(Element<A>::kFloat == Element<B>::kFloat, "both operands of wgmma are floats, or both integers");
}

/// The depth of a product.
template <u32 elementBits> struct DepthText;
template <> struct DepthText<16> {
  static constexpr char kText[] = "16";
};
template <> struct DepthText<8> {
  static constexpr char kText[] = "32";
};

/// The operands after the descriptors: scale of D (a predicate), signs (floats), major axes (16 bits).
template <class T, WgmmaForm form> struct Form {
  static constexpr bool kSixteen = Element<T>::kBits == 16;
  static_assert(kSixteen || !(form.transposeA || form.transposeB), "only 16-bit operands can be MN-major");
  static_assert(Element<T>::kFloat || !(form.negateA || form.negateB), "only floats change sign");
  static constexpr char sign(bool negate) { return negate ? '-' : ' '; }
  static constexpr char flag(bool set) { return set ? '1' : '0'; }
  // Spaces where there is no operand.
  static constexpr char kText[] = {Element<T>::kFloat ? ',' : ' ',
                                   sign(form.negateA),
                                   Element<T>::kFloat ? '1' : ' ',
                                   Element<T>::kFloat ? ',' : ' ',
                                   sign(form.negateB),
                                   Element<T>::kFloat ? '1' : ' ',
                                   kSixteen ? ',' : ' ',
                                   kSixteen ? flag(form.transposeA) : ' ',
                                   kSixteen ? ',' : ' ',
                                   kSixteen ? flag(form.transposeB) : ' ',
                                   0};
};
/// The same where A is in registers: only B has a major axis.
template <class T, WgmmaForm form> struct FormOfB {
  static constexpr bool kSixteen = Element<T>::kBits == 16;
  static_assert(kSixteen || !form.transposeB, "only 16-bit operands can be MN-major");
  static_assert(Element<T>::kFloat || !(form.negateA || form.negateB), "only floats change sign");
  static constexpr char sign(bool negate) { return negate ? '-' : ' '; }
  static constexpr char kText[] = {Element<T>::kFloat ? ',' : ' ',
                                   sign(form.negateA),
                                   Element<T>::kFloat ? '1' : ' ',
                                   Element<T>::kFloat ? ',' : ' ',
                                   sign(form.negateB),
                                   Element<T>::kFloat ? '1' : ' ',
                                   kSixteen ? ',' : ' ',
                                   kSixteen ? (form.transposeB ? '1' : '0') : ' ',
                                   0};
};

/// A product with N columns and results of type D.
template <class D, u32 n> struct Product {
  static_assert(n == 0, "wgmma is printed for N = 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256");
};

template <bool specific> MMC_DEVICE void require() { static_assert(specific, "wgmma needs sm_90a"); }

/// Tells the compiler that a fragment changes here, so that it keeps accesses on their side; no instruction.
template <u32 count> MMC_DEVICE void touch(float (&fragment)[count]) {
  MMC_UNROLL for (u32 i = 0; i < count; ++i) asm volatile("" : "+f"(fragment[i])::"memory");
}
template <u32 count> MMC_DEVICE void touch(s32 (&fragment)[count]) {
  MMC_UNROLL for (u32 i = 0; i < count; ++i) asm volatile("" : "+r"(fragment[i])::"memory");
}
template <u32 count> MMC_DEVICE void touch(u32 (&registers)[count]) {
  MMC_UNROLL for (u32 i = 0; i < count; ++i) asm volatile("" : "+r"(registers[i])::"memory");
}
template <class T, u32 outer, u32 inner> MMC_DEVICE void touch(T (&fragments)[outer][inner]) {
  MMC_UNROLL for (u32 i = 0; i < outer; ++i) touch(fragments[i]);
}
} // namespace wgmmaDetail

#include "ptx/wgmma_float.cuh"
#include "ptx/wgmma_integer.cuh"

/// Where an operand lies and how: start address, leading and stride offset in bytes (multiples of 16), swizzle. Adding
/// n to a descriptor moves the start by 16 n bytes. For a K-major operand with a swizzle the stride is the distance of
/// groups of 8 rows, and the leading offset is not used; for an MN-major one the stride is the distance of groups of 8
/// k, and the leading offset that of repetitions along MN.
MMC_DEVICE u64 matrixDescriptor(const void *shared, u32 leadingBytes, u32 strideBytes, Swizzle swizzle) {
  return u64((sharedAddress(shared) & 0x3ffff) >> 4) | u64(leadingBytes >> 4) << 16 | u64(strideBytes >> 4) << 32 |
         u64(swizzle) << 62;
}

/// wgmma.fence: before the first product and whenever registers of a product were touched since. Names the fragments
/// that the products will use.
template <bool specific = kHasWgmma, class... Fragments> MMC_DEVICE void wgmmaFence(Fragments &...fragments) {
  wgmmaDetail::require<specific>();
  (wgmmaDetail::touch(fragments), ...);
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
/// No instruction: the fragments hold here what was written to them, so that the compiler writes nothing of a later
/// product's between two products.
template <bool specific = kHasWgmma, class... Fragments> MMC_DEVICE void wgmmaWritten(Fragments &...fragments) {
  wgmmaDetail::require<specific>();
  (wgmmaDetail::touch(fragments), ...);
}
/// wgmma.commit_group: ends a batch.
template <bool specific = kHasWgmma> MMC_DEVICE void wgmmaCommit() {
  wgmmaDetail::require<specific>();
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// wgmma.wait_group: until at most `pending` of the last batches are incomplete. Names the fragments that are complete
/// then.
template <u32 pending, bool specific = kHasWgmma, class... Fragments>
MMC_DEVICE void wgmmaWait(Fragments &...fragments) {
  wgmmaDetail::require<specific>();
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
  (wgmmaDetail::touch(fragments), ...);
}

/// d = a b + d, or d = a b where not `accumulate`: m64nNk16 for f16 and bf16, k32 for 8-bit elements, with N = 2 * the
/// fragment's size. D is float, or s32 for integers. A and B in shared memory.
template <class A, class B = A, WgmmaForm form = WgmmaForm{}, bool specific = kHasWgmma, class D, u32 count>
MMC_DEVICE void wgmma(D (&d)[count], u64 a, u64 b, bool accumulate) {
  wgmmaDetail::require<specific>();
  wgmmaDetail::check<A, B, D>();
  wgmmaDetail::Product<D, 2 * count>::template shared<A, B, wgmmaDetail::Form<A, form>>(d, a, b, accumulate);
}
/// A in registers: they stay untouched until the wait, too.
template <class A, class B = A, WgmmaForm form = WgmmaForm{}, bool specific = kHasWgmma, class D, u32 count>
MMC_DEVICE void wgmma(D (&d)[count], const u32 (&a)[4], u64 b, bool accumulate) {
  wgmmaDetail::require<specific>();
  wgmmaDetail::check<A, B, D>();
  static_assert(!form.transposeA, "A in registers has one layout");
  wgmmaDetail::Product<D, 2 * count>::template registers<A, B, wgmmaDetail::FormOfB<A, form>>(d, a, b, accumulate);
}
