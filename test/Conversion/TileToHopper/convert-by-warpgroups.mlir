// RUN: %mmc-opt %s --pass-pipeline='builtin.module(mmc-convert-tile-to-hopper,canonicalize)' | FileCheck %s
// Kernels of the wgmma family: products are started and waited for, and what they read was fenced in front of the barrier.

// A long k is streamed through one stage more than in the portable family: a product runs on while the next piece is waited for. The last one
// stands behind the loop.
// CHECK-LABEL: hopper.kernel @stream(
// CHECK: hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128, stages = 4>
// CHECK: %[[SUM:.*]] = scf.for %[[I:.*]] = %c0 to %c3 step %c1 iter_args(%[[ACC:.*]] = %{{.*}}) -> (!hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>) {
// CHECK-NEXT: hopper.wait 1
// CHECK-NEXT: hopper.fence_proxy
// CHECK-NEXT: hopper.barrier
// CHECK: hopper.commit
// CHECK: %[[STAGE:.*]] = arith.remsi %[[I]], %c4
// CHECK: %[[NEXT:.*]] = hopper.wgmma %[[ACC]], %{{.*}}, %{{.*}} stage %[[STAGE]] transpose_b
// CHECK-NEXT: hopper.wgmma_wait 1
// CHECK-NEXT: scf.yield %[[NEXT]]
// CHECK: hopper.wait 0
// CHECK-NEXT: hopper.fence_proxy
// CHECK-NEXT: hopper.barrier
// CHECK: %[[LAST:.*]] = hopper.wgmma %[[SUM]], %{{.*}}, %{{.*}} stage %c3 transpose_b
// CHECK-NEXT: %[[DONE:.*]] = hopper.wgmma_wait 0 for %[[LAST]]
// CHECK: hopper.store %[[DONE]]
tile.kernel @stream(%a: !tile.view<64x256xbf16> {tile.access = "read"}, %w: !tile.view<128x256xbf16> {tile.access = "read"},
    %y: !tile.view<64x128xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 2>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %n = arith.muli %p, %c64 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
  %W = tile.load %w[%n, %c0] along [0, 1] : !tile.view<128x256xbf16> -> tensor<64x256xbf16>
  %Y = tile.dot %A, %W transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
  tile.store %Y, %y[%c0, %n] along [0, 1] : tensor<64x64xf32>, !tile.view<64x128xf32>
  tile.return
}

// -----

// Two products of which the first is the second's left operand, in registers; a product of 16 rows beside them is none of a warpgroup.
// CHECK-LABEL: hopper.kernel @chain(
// CHECK: hopper.wait 0
// CHECK-NEXT: hopper.fence_proxy
// CHECK-NEXT: hopper.barrier
// CHECK-NEXT: %[[S:.*]] = hopper.wgmma
// CHECK-NEXT: %[[SCORES:.*]] = hopper.wgmma_wait 0 for %[[S]]
// CHECK: %[[ROUNDED:.*]] = hopper.map(%[[SCORES]])
// CHECK: %[[P:.*]] = hopper.wgmma %{{.*}}, %[[ROUNDED]], %{{.*}} : !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
// CHECK-NEXT: hopper.wgmma_wait 0 for %[[P]]
// CHECK: hopper.multiply
tile.kernel @chain(%a: !tile.view<64x64xbf16> {tile.access = "read"}, %b: !tile.view<16x64xbf16> {tile.access = "read"},
    %y: !tile.view<64x64xf32> {tile.access = "write"}, %z: !tile.view<16x64xf32> {tile.access = "write"})
    domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
  %S = tile.dot %A, %A transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %R = arith.truncf %S : tensor<64x64xf32> to tensor<64x64xbf16>
  %Y = tile.dot %R, %A : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  %B = tile.load %b[%c0, %c0] along [0, 1] : !tile.view<16x64xbf16> -> tensor<16x64xbf16>
  %Z = tile.dot %B, %A : tensor<16x64xbf16>, tensor<64x64xbf16> -> tensor<16x64xf32>
  tile.store %Z, %z[%c0, %c0] along [0, 1] : tensor<16x64xf32>, !tile.view<16x64xf32>
  tile.return
}
