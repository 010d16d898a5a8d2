// RUN: %mmc-translate --hopper-to-cuda %s | FileCheck %s
// The text of roles: rings in shared memory, barriers made before the sides part, registers given and taken, who fills and who reads.

// CHECK: struct Shared {
// CHECK-NEXT:   Tile<bf16, 64, 64, Swizzle::bytes128> tile2[3];
// CHECK-NEXT:   RingBarriers<3> ring;
// CHECK-NEXT: };
// CHECK-NEXT: static_assert(sizeof(Shared) == 25600, "as the plan says");
// CHECK: MMC_KERNEL(256, 2) void fill(const bf16 *weight, float *y) {
// CHECK:   if (threadIndex() == 0) {
// CHECK-NEXT:     shared.ring.initialise(128, 4);
// CHECK-NEXT:   }
// CHECK-NEXT:   syncThreads();
// CHECK-NEXT:   if (warpgroupIndex() >= 1) {
// CHECK-NEXT:     lowerRegisters<40>();
// CHECK-NEXT:     Filler<3> ring(shared.ring);
// CHECK-NEXT:     {
// CHECK-NEXT:       const u32 stage = ring.begin();
// CHECK-NEXT:       copyTile<128, 128>(shared.tile2[stage], bounds(64, 64), [&](u32 i, u32 j) { return weight + (i * 64 + j); });
// CHECK-NEXT:       ring.end();
// CHECK-NEXT:     }
// CHECK-NEXT:   } else {
// CHECK-NEXT:     raiseRegisters<216>();
// CHECK-NEXT:     Reader<3> ring(shared.ring);
// CHECK:     const u32 stage = ring.wait();
// CHECK-NEXT:     fenceProxyAsyncShared();
// CHECK-NEXT:     multiplyAsync([[SUM:.*]], kMajor(shared.tile2[stage]), kMajor(shared.tile2[stage]));
// CHECK-NEXT:     multiplyWait<0>([[SUM]]);
// CHECK-NEXT:     ring.release();
// CHECK-NEXT:     syncFragments<128>();
// CHECK: MMC_EXPORT(fill, 256, 2, Shared)
!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
hopper.kernel @fill(%w: !tile.view<64x64xbf16> {tile.access = "read"} loc("weight"), %y: !tile.view<64x64xf32> {tile.access = "write"} loc("y"))
    domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 2 {
  %c0 = arith.constant 0 : index
  %t = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<3>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<3> {
    ^bb0(%stage: index):
      hopper.copy %w[%c0, %c0] along [0, 1] to %t stage %stage : !tile.view<64x64xbf16>, !tile
      hopper.yield
    }
  } compute registers 216 {
    %zero = hopper.map() : () -> !acc {
      %f = arith.constant 0.0 : f32
      hopper.yield %f : f32
    }
    %stage = hopper.acquire %ring : !hopper.ring<3>
    hopper.fence_proxy
    %s = hopper.wgmma %zero, %t, %t stage %stage transpose_b : !tile, !tile -> !acc
    %sum = hopper.wgmma_wait 0 for %s : !acc
    hopper.release %ring : !hopper.ring<3>
    hopper.barrier
    hopper.store %sum, %y[%c0, %c0] along [0, 1] : !acc, !tile.view<64x64xf32>
  }
  hopper.return
}
