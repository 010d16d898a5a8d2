// RUN: %mmc-translate --hopper-to-cuda %s | FileCheck %s
// The text of products of warpgroups: their header, starts and waits, a left operand in registers with a name of its own.

// CHECK: #include "block/kernel.cuh"
// CHECK-NEXT: #include "mma/block_async.cuh"
// CHECK-EMPTY:
// CHECK-NEXT: struct Shared {
// CHECK: fenceProxyAsyncShared();
// CHECK-NEXT: syncThreads();
// CHECK-NEXT: multiplyAsync([[SUM:.*]], kMajor(shared.[[TILE:.*]]), kMajor(shared.[[TILE]]));
// CHECK-NEXT: multiplyWait<0>([[SUM]]);
// CHECK: BlockFragment<bf16, Accumulators<128, 4, 1, 64, 64>> [[LEFT:.*]];
// CHECK: WarpgroupOperand<Accumulators<128, 4, 1, 64, 64>> [[OPERAND:.*]];
// CHECK-NEXT: pack([[OPERAND]], [[LEFT]]);
// CHECK-NEXT: multiplyAsync([[NEXT:.*]], [[OPERAND]], mnMajor(shared.[[TILE]]));
// CHECK-NEXT: multiplyWait<1>();
// CHECK-NEXT: multiplyWait<0>([[NEXT]]);
!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128>
hopper.kernel @chain(%y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %c0 = arith.constant 0 : index
  %t = hopper.alloc : !tile
  %zero = hopper.map() : () -> !acc {
    %f = arith.constant 0.0 : f32
    hopper.yield %f : f32
  }
  hopper.fence_proxy
  hopper.barrier
  %s = hopper.wgmma %zero, %t, %t transpose_b : !tile, !tile -> !acc
  %scores = hopper.wgmma_wait 0 for %s : !acc
  %rounded = hopper.map(%scores) : (!acc) -> !left {
  ^bb0(%a: f32):
    %b = arith.truncf %a : f32 to bf16
    hopper.yield %b : bf16
  }
  %start = hopper.map() : () -> !acc {
    %f = arith.constant 0.0 : f32
    hopper.yield %f : f32
  }
  %q = hopper.wgmma %start, %rounded, %t : !left, !tile -> !acc
  hopper.wgmma_wait 1
  %sum = hopper.wgmma_wait 0 for %q : !acc
  hopper.store %sum, %y[%c0, %c0] along [0, 1] : !acc, !tile.view<64x64xf32>
  hopper.return
}
