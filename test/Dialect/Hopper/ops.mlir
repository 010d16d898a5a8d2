// RUN: %mmc-opt %s | %mmc-opt | FileCheck %s
// RUN: %mmc-opt %s --mlir-print-op-generic | %mmc-opt | FileCheck %s
// Every op, type and layout survives printing and parsing, in both forms.

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
!rows = !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>
!ring = !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>

// A kernel's head, its points, a work list, a loop over the grid's second dimension.
// CHECK-LABEL: hopper.kernel @frame(
// CHECK-SAME: !tile.view<?x64xf32> {tile.access = "read"}, %[[WORK:.*]]: !tile.ragged {tile.work = #tile.work<all>})
// CHECK-SAME: domain(%[[T:.*]] in #tile.extent<work, 1>, %{{.*}} in #tile.extent<fixed, 4>) threads 64 blocks 3 attributes {note = "kept"} {
hopper.kernel @frame(%x: !tile.view<?x64xf32> {tile.access = "read"}, %work: !tile.ragged {tile.work = #tile.work<all>})
    domain(%t in #tile.extent<work, 1>, %h in #tile.extent<fixed, 4>) threads 64 blocks 3 attributes {note = "kept"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %slot, %row, %rows, %position = hopper.point %[[WORK]][%[[T]]]
  %slot, %row, %rows, %position = hopper.point %work[%t]
  // CHECK: hopper.distribute %[[M:.*]] = %c0 to %rows step %c1 {
  // CHECK-NEXT: hopper.barrier
  // CHECK-NEXT: }
  hopper.distribute %m = %c0 to %rows step %c1 {
    hopper.barrier
  }
  // CHECK: scf.if
  %more = arith.cmpi slt, %c0, %rows : index
  scf.if %more {
    hopper.barrier
  }
  // CHECK: hopper.return
  hopper.return
}

// CHECK-LABEL: hopper.kernel @one_thread() domain(%{{.*}} in #tile.extent<tokens>) threads 32 blocks 1 serial {
hopper.kernel @one_thread() domain(%p in #tile.extent<tokens>) threads 32 blocks 1 serial {
  hopper.return
}

// CHECK-LABEL: hopper.kernel @memory(
// CHECK-SAME: %[[X:.*]]: !tile.view<?x64xf32> {{.*}}, %[[W:.*]]: !tile.view<?x64xbf16> {{.*}}) domain(%[[P:.*]] in #tile.extent<fixed, 1>)
hopper.kernel @memory(%x: !tile.view<?x64xf32> {tile.access = "readwrite"}, %w: !tile.view<?x64xbf16> {tile.access = "read"})
    domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  // CHECK: %[[RING:.*]] = hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
  %ring = hopper.alloc : !ring
  // CHECK: %[[LIST:.*]] = hopper.alloc : !hopper.shared<64xi32>
  %list = hopper.alloc : !hopper.shared<64xi32>
  // CHECK: hopper.load %[[X]][%[[P]], %[[P]]] along [] : !tile.view<?x64xf32> -> f32
  %s = hopper.load %x[%p, %p] along [] : !tile.view<?x64xf32> -> f32
  // CHECK: hopper.load %[[X]][%[[P]], %[[P]]] along [0, 1] limit(%[[P]]) rows(%[[LIST]] : !hopper.shared<64xi32>) extents [60, 64]
  // CHECK-SAME: : !tile.view<?x64xf32> -> !hopper.fragment<64x64xf32, #hopper.spread<4>>
  %v = hopper.load %x[%p, %p] along [0, 1] limit(%p) rows(%list : !hopper.shared<64xi32>) extents [60, 64]
      : !tile.view<?x64xf32> -> !hopper.fragment<64x64xf32, #hopper.spread<4>>
  // CHECK: hopper.copy %[[W]][%[[P]], %[[P]]] along [0, 1] limit(%[[P]]) rows(%[[LIST]] : !hopper.shared<64xi32>) extents [64, 32] to %[[RING]] stage %[[P]]
  // CHECK-SAME: : !tile.view<?x64xbf16>, !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
  hopper.copy %w[%p, %p] along [0, 1] limit(%p) rows(%list : !hopper.shared<64xi32>) extents [64, 32] to %ring stage %p
      : !tile.view<?x64xbf16>, !ring
  // CHECK: hopper.commit
  hopper.commit
  // CHECK: hopper.wait 2
  hopper.wait 2
  // CHECK: hopper.store %{{.*}}, %[[X]][%[[P]], %[[P]]] along [] : f32, !tile.view<?x64xf32>
  hopper.store %s, %x[%p, %p] along [] : f32, !tile.view<?x64xf32>
  // CHECK: hopper.store %{{.*}}, %[[X]][%[[P]], %[[P]]] along [0, 1] limit(%[[P]]) extents [60, 64] : !hopper.fragment<64x64xf32, #hopper.spread<4>>, !tile.view<?x64xf32>
  hopper.store %v, %x[%p, %p] along [0, 1] limit(%p) extents [60, 64]
      : !hopper.fragment<64x64xf32, #hopper.spread<4>>, !tile.view<?x64xf32>
  hopper.return
}

// CHECK-LABEL: func.func @compute
func.func @compute(%acc: !acc, %left: !left, %ring: !ring, %tile: !hopper.shared<64x64xbf16>, %list: !hopper.shared<4096xbf16>, %stage: index) {
  // CHECK: hopper.clear %{{.*}} : !hopper.shared<64x64xbf16>
  hopper.clear %tile : !hopper.shared<64x64xbf16>
  // CHECK: hopper.put %{{.*}}, %{{.*}} : !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>, !hopper.shared<4096xbf16>
  hopper.put %left, %list : !left, !hopper.shared<4096xbf16>
  // CHECK: hopper.get %{{.*}} : !hopper.shared<4096xbf16> -> !hopper.fragment<32x2x64xbf16, #hopper.spread<8>>
  %got = hopper.get %list : !hopper.shared<4096xbf16> -> !hopper.fragment<32x2x64xbf16, #hopper.spread<8>>
  // CHECK: hopper.reshape %{{.*}} : !hopper.fragment<32x2x64xbf16, #hopper.spread<8>> -> !hopper.fragment<4096xbf16, #hopper.spread<8>>
  %flat = hopper.reshape %got : !hopper.fragment<32x2x64xbf16, #hopper.spread<8>> -> !hopper.fragment<4096xbf16, #hopper.spread<8>>
  // CHECK: %[[P:.*]] = hopper.multiply %{{.*}}, %{{.*}}, %{{.*}} stage %{{.*}} transpose_b
  // CHECK-SAME: : !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>, !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
  // CHECK-SAME: -> !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
  %p = hopper.multiply %acc, %left, %ring stage %stage transpose_b : !left, !ring -> !acc
  // CHECK: hopper.multiply %[[P]], %{{.*}}, %{{.*}} transpose_a : !hopper.shared<64x64xbf16>, !hopper.shared<64x64xbf16>
  %q = hopper.multiply %p, %tile, %tile transpose_a : !hopper.shared<64x64xbf16>, !hopper.shared<64x64xbf16> -> !acc
  // CHECK: %[[SUMS:.*]] = hopper.reduce add %{{.*}} along 1
  // CHECK-SAME: -> !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>
  %sums = hopper.reduce add %q along 1 : !acc -> !rows
  // CHECK: hopper.map(%{{.*}}, %[[SUMS]]) : (!hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>, !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>)
  // CHECK-SAME: -> (!hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>, !hopper.fragment<64x64xi32, #hopper.accumulator<4 x 1>>) {
  // CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
  // CHECK: hopper.coordinate 0
  // CHECK: hopper.yield %{{.*}}, %{{.*}} : f32, i32
  // CHECK: } {note = "kept"}
  %scaled:2 = hopper.map(%q, %sums) : (!acc, !rows) -> (!acc, !hopper.fragment<64x64xi32, #hopper.accumulator<4 x 1>>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.divf %a, %b : f32
    %i = hopper.coordinate 0
    hopper.yield %c, %i : f32, i32
  } {note = "kept"}
  // CHECK: hopper.map() : () -> !hopper.fragment<4xf32, #hopper.spread<1>> {
  // CHECK: hopper.lookup dense<{{.*}}> : tensor<4xf32> at 0 -> f32
  %table = hopper.map() : () -> !hopper.fragment<4xf32, #hopper.spread<1>> {
    %f = hopper.lookup dense<[1.0, 0.5, 0.25, 0.125]> : tensor<4xf32> at 0 -> f32
    hopper.yield %f : f32
  }
  // CHECK: hopper.reduce max %{{.*}} along 0 : !hopper.fragment<4xf32, #hopper.spread<1>> -> f32
  %largest = hopper.reduce max %table along 0 : !hopper.fragment<4xf32, #hopper.spread<1>> -> f32
  return
}

// Products in flight: one is the next one's accumulator, and is waited for by name.
// CHECK-LABEL: func.func @warpgroups
func.func @warpgroups(%acc: !acc, %left: !left, %ring: !ring, %stage: index) {
  // CHECK: hopper.fence_proxy
  hopper.fence_proxy
  // CHECK: hopper.wgmma_fence %{{.*}}, %{{.*}} : !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>, !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
  hopper.wgmma_fence %acc, %acc : !acc, !acc
  // CHECK: %[[P:.*]] = hopper.wgmma %{{.*}}, %{{.*}}, %{{.*}} stage %{{.*}} transpose_b
  // CHECK-SAME: : !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>, !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
  %p = hopper.wgmma %acc, %ring, %ring stage %stage transpose_b : !ring, !ring -> !acc
  // CHECK: %[[Q:.*]] = hopper.wgmma %[[P]], %{{.*}}, %{{.*}} stage %{{.*}} : !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
  %q = hopper.wgmma %p, %left, %ring stage %stage : !left, !ring -> !acc
  // CHECK: hopper.wgmma_wait 1
  hopper.wgmma_wait 1
  // CHECK: hopper.wgmma_wait 0 for %[[Q]] : !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
  %r = hopper.wgmma_wait 0 for %q : !acc
  return
}

// Some warps fill a ring, the others read it.
// CHECK-LABEL: hopper.kernel @roles
hopper.kernel @roles(%w: !tile.view<64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 4>) threads 128 blocks 2 {
  // CHECK: %[[RING:.*]] = hopper.ring : !hopper.ring<3>
  %ring = hopper.ring : !hopper.ring<3>
  %tile = hopper.alloc : !ring
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: hopper.roles fill 128 registers 40 {
  hopper.roles fill 128 registers 40 {
    // CHECK-NEXT: hopper.distribute
    hopper.distribute %i = %c0 to %p step %c1 {
      // CHECK-NEXT: hopper.fill %[[RING]] : !hopper.ring<3> {
      // CHECK-NEXT: ^bb0(%[[STAGE:.*]]: index):
      hopper.fill %ring : !hopper.ring<3> {
      ^bb0(%stage: index):
        // CHECK-NEXT: hopper.copy {{.*}} stage %[[STAGE]]
        hopper.copy %w[%c0, %c0] along [0, 1] to %tile stage %stage : !tile.view<64x64xbf16>, !ring
        hopper.yield
      }
    }
  // CHECK: } compute registers 216 {
  } compute registers 216 {
    // CHECK-NEXT: hopper.distribute
    hopper.distribute %i = %c0 to %p step %c1 {
      // CHECK-NEXT: %stage = hopper.acquire %[[RING]] : !hopper.ring<3>
      %stage = hopper.acquire %ring : !hopper.ring<3>
      // CHECK-NEXT: hopper.release %[[RING]] : !hopper.ring<3>
      hopper.release %ring : !hopper.ring<3>
    }
  }
  hopper.return
}

// CHECK-LABEL: hopper.kernel @tensor_copies(
hopper.kernel @tensor_copies(%w: !tile.view<4x64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 4>) threads 128 blocks 2 {
  %c0 = arith.constant 0 : index
  %tile = hopper.alloc : !ring
  %ring = hopper.ring : !hopper.ring<3>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<3> {
    ^bb0(%stage: index):
      // CHECK: hopper.tensor_copy %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] along [1, 2] to %{{.*}} stage %{{.*}} : !tile.view<4x64x64xbf16>, !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
      hopper.tensor_copy %w[%p, %c0, %c0] along [1, 2] to %tile stage %stage : !tile.view<4x64x64xbf16>, !ring
    }
  } compute registers 216 {
    %stage = hopper.acquire %ring : !hopper.ring<3>
    hopper.release %ring : !hopper.ring<3>
  }
  hopper.return
}

// The layout of a column's entries beside a spread matrix keeps the size of the rows that are gone.
// CHECK-LABEL: func.func @select
func.func @select(%p: !hopper.fragment<8x32xf32, #hopper.spread<2>>) {
  // CHECK: hopper.top_k %{{.*}} : !hopper.fragment<8x32xf32, #hopper.spread<2>> -> !hopper.fragment<8x4xf32, #hopper.spread<1>>, !hopper.fragment<8x4xi32, #hopper.spread<1>>
  %v, %c = hopper.top_k %p
      : !hopper.fragment<8x32xf32, #hopper.spread<2>> -> !hopper.fragment<8x4xf32, #hopper.spread<1>>, !hopper.fragment<8x4xi32, #hopper.spread<1>>
  // CHECK: hopper.reduce add %{{.*}} along 0 : !hopper.fragment<8x32xf32, #hopper.spread<2>> -> !hopper.fragment<32xf32, #hopper.slice<dim = 0, #hopper.spread<2>, size = 8>>
  %sums = hopper.reduce add %p along 0
      : !hopper.fragment<8x32xf32, #hopper.spread<2>> -> !hopper.fragment<32xf32, #hopper.slice<dim = 0, #hopper.spread<2>, size = 8>>
  return
}
