// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of products of warpgroups refuses what breaks it.

!acc = !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128>

// wgmma_c1
func.func @wgmma_c1(%acc: !acc, %a: !tile, %b: !tile) {
  // expected-error @+1 {{expected an f32 fragment with an accumulator layout}}
  %p = hopper.wgmma %acc, %a, %b : !tile, !tile -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// wgmma_c2
func.func @wgmma_c2(%acc: !acc, %a: !hopper.shared<64x24xbf16>, %b: !hopper.shared<24x64xbf16, swizzle = 128>) {
  // expected-error @+1 {{expected bf16 operands with K a multiple of 16, got 'bf16', 'bf16' and K = 24}}
  %p = hopper.wgmma %acc, %a, %b : !hopper.shared<64x24xbf16>, !hopper.shared<24x64xbf16, swizzle = 128> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 2>>
!left = !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 2>>

// wgmma_c3
func.func @wgmma_c3(%acc: !acc, %a: !left, %b: !hopper.shared<64x64xbf16, swizzle = 64>) {
  // expected-error @+1 {{expected a register operand in the result's layout, with one column of warps}}
  %p = hopper.wgmma %acc, %a, %b : !left, !hopper.shared<64x64xbf16, swizzle = 64> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!ring = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// wgmma_c4
func.func @wgmma_c4(%acc: !acc, %a: !ring, %b: !ring) {
  // expected-error @+1 {{expected a stage exactly where an operand has several}}
  %p = hopper.wgmma %acc, %a, %b : !ring, !ring -> !acc
  return
}

// -----

!acc = !hopper.fragment<128x64xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.shared<128x64xbf16, swizzle = 128>
!right = !hopper.shared<64x64xbf16, swizzle = 128>

// wgmma_c5
func.func @wgmma_c5(%acc: !acc, %a: !left, %b: !right) {
  // expected-error @+1 {{expected 16 rows in each of a multiple of 4 warps, and as many columns as wgmma has, got '!hopper.fragment<128x64xf32, #hopper.accumulator<4 x 1>>'}}
  %p = hopper.wgmma %acc, %a, %b : !left, !right -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x144xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.shared<64x64xbf16, swizzle = 128>
!right = !hopper.shared<144x64xbf16, swizzle = 128>

// wgmma_c5_columns
func.func @wgmma_c5_columns(%acc: !acc, %a: !left, %b: !right) {
  // expected-error @+1 {{expected 16 rows in each of a multiple of 4 warps, and as many columns as wgmma has}}
  %p = hopper.wgmma %acc, %a, %b transpose_b : !left, !right -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.shared<64x64xbf16>
!right = !hopper.shared<64x64xbf16, swizzle = 128>

// wgmma_c6
func.func @wgmma_c6(%acc: !acc, %a: !left, %b: !right) {
  // expected-error @+1 {{expected operands with a swizzle of which each warpgroup reads whole spans}}
  %p = hopper.wgmma %acc, %a, %b : !left, !right -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 2>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128>

// wgmma_c6_span: 32 columns each of a span of 64.
func.func @wgmma_c6_span(%acc: !acc, %a: !tile, %b: !tile) {
  // expected-error @+1 {{expected operands with a swizzle of which each warpgroup reads whole spans}}
  %p = hopper.wgmma %acc, %a, %b : !tile, !tile -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// wgmma_wait_c1
func.func @wgmma_wait_c1(%acc: !acc) {
  // expected-error @+1 {{expected at least 0 pending products, and 0 for values, got 1}}
  %p = hopper.wgmma_wait 1 for %acc : !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128>

// kernel_c8
hopper.kernel @kernel_c8(%y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %c0 = arith.constant 0 : index
  %t = hopper.alloc : !tile
  %zero = hopper.map() : () -> !acc {
    %f = arith.constant 0.0 : f32
    hopper.yield %f : f32
  }
  %s = hopper.wgmma %zero, %t, %t : !tile, !tile -> !acc
  // expected-error @+1 {{expected a product that was waited for, got one in flight}}
  hopper.store %s, %y[%c0, %c0] along [0, 1] : !acc, !tile.view<64x64xf32>
  hopper.return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128>

// kernel_c8_loop: a loop's value is in flight where the body yields it so.
hopper.kernel @kernel_c8_loop(%y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t = hopper.alloc : !tile
  %zero = hopper.map() : () -> !acc {
    %f = arith.constant 0.0 : f32
    hopper.yield %f : f32
  }
  %s = scf.for %i = %c0 to %p step %c1 iter_args(%sum = %zero) -> (!acc) {
    %next = hopper.wgmma %sum, %t, %t : !tile, !tile -> !acc
    hopper.wgmma_wait 1
    scf.yield %next : !acc
  }
  // expected-error @+1 {{expected a product that was waited for, got one in flight}}
  hopper.store %s, %y[%c0, %c0] along [0, 1] : !acc, !tile.view<64x64xf32>
  hopper.return
}

// -----

// wgmma_fence_c1
func.func @wgmma_fence_c1(%p: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>) {
  // expected-error @+1 {{expected two accumulators or more, got 1}}
  hopper.wgmma_fence %p : !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
  return
}
