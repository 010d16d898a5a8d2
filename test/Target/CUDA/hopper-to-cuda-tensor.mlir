// RUN: %mmc-translate --hopper-to-cuda %s | FileCheck %s
// The text of tensor copies: maps behind the other parameters, one per view and box; who starts the copies, and what makes a stage full.

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
!view = !tile.view<32x128x256xbf16>

// One thread does all that the filling side does.
// CHECK: #include "copy/tensor.cuh"
// CHECK: MMC_KERNEL(256, 2) void alone(const bf16 *weight, MMC_GRID_CONSTANT TensorMap weightMap) {
// CHECK: shared.ring.initialise(1, 4);
// CHECK:   if (warpgroupIndex() >= 1) {
// CHECK-NEXT:     lowerRegisters<40>();
// CHECK-NEXT:     Filler<3> ring(shared.ring);
// CHECK-NEXT:     if (threadIndex() == 128) {
// CHECK-NEXT:       prefetchTensorMap(weightMap);
// CHECK-NEXT:       {
// CHECK-NEXT:         const u32 stage = ring.begin();
// CHECK-NEXT:         Mbarrier &full = ring.expect(16384);
// CHECK-NEXT:         tensorLoadTile(shared.left[stage], weightMap, full, s32(64), s32(0), s32(point0));
// CHECK-NEXT:         tensorLoadTile(shared.right[stage], weightMap, full, s32(64), s32(64), s32(point0));
// CHECK-NEXT:         ring.advance();
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   } else {
hopper.kernel @alone(%w: !view {tile.access = "read"} loc("weight")) domain(%p in #tile.extent<fixed, 32>) threads 128 blocks 2 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = hopper.alloc : !tile loc("left")
  %b = hopper.alloc : !tile loc("right")
  %ring = hopper.ring : !hopper.ring<3>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<3> {
    ^bb0(%stage: index):
      hopper.tensor_copy %w[%p, %c0, %c64] along [1, 2] to %a stage %stage : !view, !tile
      hopper.tensor_copy %w[%p, %c64, %c64] along [1, 2] to %b stage %stage : !view, !tile
    }
  } compute registers 216 {
    %stage = hopper.acquire %ring : !hopper.ring<3>
    hopper.release %ring : !hopper.ring<3>
  }
  hopper.return
}

// Where others copy beside, all begin and end a stage that gets both kinds, and one alone a stage of tensor copies.
// CHECK: MMC_KERNEL(256, 2) void beside(const bf16 *x, const bf16 *weight, MMC_GRID_CONSTANT TensorMap weightMap) {
// CHECK: shared.ring.initialise(129, 4);
// CHECK-NEXT: shared.ring2.initialise(1, 4);
// CHECK:     Filler<3> ring2(shared.ring2);
// CHECK-NEXT:     {
// CHECK-NEXT:       const u32 stage = ring.begin();
// CHECK-NEXT:       if (threadIndex() == 128) {
// CHECK-NEXT:         Mbarrier &full = ring.expect(8192);
// CHECK-NEXT:         tensorLoadTile(shared.right[stage], weightMap, full, s32(0), s32(0), s32(point0));
// CHECK-NEXT:       }
// CHECK-NEXT:       copyTile<128, 128>(shared.left[stage], bounds(64, 64), [&](u32 i, u32 j) { return x + (i * 64 + j); });
// CHECK-NEXT:       ring.end();
// CHECK-NEXT:     }
// CHECK-NEXT:     if (threadIndex() == 128) {
// CHECK-NEXT:       const u32 stage2 = ring2.begin();
// CHECK-NEXT:       Mbarrier &full2 = ring2.expect(8192);
// CHECK-NEXT:       tensorLoadTile(shared.right[stage2], weightMap, full2, s32(0), s32(0), s32(point0));
// CHECK-NEXT:     }
// CHECK-NEXT:     ring2.advance();
// CHECK-NEXT:   } else {
hopper.kernel @beside(%x: !tile.view<64x64xbf16> {tile.access = "read"} loc("x"), %w: !view {tile.access = "read"} loc("weight"))
    domain(%p in #tile.extent<fixed, 32>) threads 128 blocks 2 {
  %c0 = arith.constant 0 : index
  %a = hopper.alloc : !tile loc("left")
  %b = hopper.alloc : !tile loc("right")
  %ring = hopper.ring : !hopper.ring<3>
  %other = hopper.ring : !hopper.ring<3>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<3> {
    ^bb0(%stage: index):
      hopper.copy %x[%c0, %c0] along [0, 1] to %a stage %stage : !tile.view<64x64xbf16>, !tile
      hopper.tensor_copy %w[%p, %c0, %c0] along [1, 2] to %b stage %stage : !view, !tile
    }
    hopper.fill %other : !hopper.ring<3> {
    ^bb0(%stage: index):
      hopper.tensor_copy %w[%p, %c0, %c0] along [1, 2] to %b stage %stage : !view, !tile
    }
  } compute registers 216 {
    %first = hopper.acquire %ring : !hopper.ring<3>
    %second = hopper.acquire %other : !hopper.ring<3>
    hopper.release %ring : !hopper.ring<3>
    hopper.release %other : !hopper.ring<3>
  }
  hopper.return
}
