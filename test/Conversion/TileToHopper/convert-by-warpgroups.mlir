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

// -----

// A product in a loop: other warps fill the ring that it reads. The first and the last piece stand outside of the loop over pieces; a stage is released
// when the product after it runs. Tensor copies bring the pieces, also rows beyond those that are stored, and need no fence. What the epilogue loads is loaded by those who compute.
// CHECK-LABEL: hopper.kernel @rings(
// CHECK-SAME: threads 128 blocks 2
// CHECK-DAG: %[[LEFT:.*]] = hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128, stages = 6>
// CHECK-DAG: %[[RING:.*]] = hopper.ring : !hopper.ring<6>
// CHECK: hopper.roles fill 128 registers 40 {
// CHECK: hopper.distribute
// CHECK: hopper.fill %[[RING]] : !hopper.ring<6> {
// CHECK-NEXT: ^bb0(%[[FIRST:.*]]: index):
// CHECK: hopper.tensor_copy {{.*}} to %{{.*}} stage %[[FIRST]]
// CHECK: hopper.tensor_copy {{.*}} to %{{.*}} stage %[[FIRST]]
// CHECK: scf.for {{.*}} = %c1 to %c3 step %c1 {
// CHECK: hopper.fill
// CHECK: }
// CHECK: hopper.fill
// CHECK-NOT: hopper.load
// CHECK: } compute registers 216 {
// CHECK-NOT: hopper.fill
// CHECK: hopper.distribute
// CHECK: %[[S0:.*]] = hopper.acquire %[[RING]]
// CHECK-NEXT: %[[P0:.*]] = hopper.wgmma %{{.*}}, %{{.*}}, %{{.*}} stage %[[S0]] transpose_b
// CHECK-NEXT: %[[P:.*]] = scf.for {{.*}} = %c1 to %c3 step %c1 iter_args(%[[SUM:.*]] = %[[P0]])
// CHECK-NEXT: %[[S1:.*]] = hopper.acquire %[[RING]]
// CHECK-NEXT: %[[P1:.*]] = hopper.wgmma %[[SUM]], %{{.*}}, %{{.*}} stage %[[S1]] transpose_b
// CHECK-NEXT: hopper.wgmma_wait 1
// CHECK-NEXT: hopper.release %[[RING]]
// CHECK-NEXT: scf.yield %[[P1]]
// CHECK: %[[S2:.*]] = hopper.acquire %[[RING]]
// CHECK-NEXT: %[[P2:.*]] = hopper.wgmma %[[P]], %{{.*}}, %{{.*}} stage %[[S2]] transpose_b
// CHECK-NEXT: hopper.wgmma_wait 0 for %[[P2]]
// CHECK-NEXT: hopper.release %[[RING]]
// CHECK-NEXT: hopper.release %[[RING]]
// CHECK: hopper.load
tile.kernel @rings(%x: !tile.view<?x256xbf16> {tile.access = "read"}, %w: !tile.view<64x256xbf16> {tile.access = "read"},
    %b: !tile.view<?x64xf32> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"},
    %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %c64, %left : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x256xbf16> -> tensor<64x256xbf16>
    %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
    %P = tile.dot %X, %W transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
    %B = tile.load %b[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xf32> -> tensor<64x64xf32>
    %Y = arith.addf %P, %B : tensor<64x64xf32>
    tile.store %Y, %y[%r, %c0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// Whole operands of a loop's products come through rings too, one for each pair of types. What is used again is held until the trip ends: by the next
// product, and by the expression that reads it element by element. What is used once is released at once.
// CHECK-LABEL: hopper.kernel @whole(
// CHECK: hopper.roles fill
// CHECK: scf.for
// CHECK: hopper.fill %[[PAIR:.*]] :
// CHECK-COUNT-2: hopper.tensor_copy
// CHECK-NOT: hopper.tensor_copy
// CHECK: hopper.fill %[[ONE:.*]] :
// CHECK: hopper.tensor_copy
// CHECK-NOT: hopper.tensor_copy
// CHECK: } compute registers 216 {
// CHECK: scf.for
// CHECK: %[[STAGE:.*]] = hopper.acquire %[[PAIR]] :
// CHECK: hopper.wgmma %{{.*}}, %[[X:.*]], %{{.*}} stage %[[STAGE]] transpose_b
// CHECK-NOT: hopper.release
// CHECK: hopper.get %[[X]] stage %[[STAGE]]
// CHECK: %[[OTHER:.*]] = hopper.acquire %[[ONE]] :
// CHECK: hopper.wgmma {{.*}} stage %[[OTHER]]
// CHECK-NEXT: hopper.wgmma_wait 0
// CHECK-NEXT: hopper.release %[[ONE]]
// CHECK-NEXT: hopper.release %[[PAIR]]
// CHECK-NEXT: scf.yield
// CHECK-NOT: hopper.load
tile.kernel @whole(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %v: !tile.view<?x64xbf16> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"},
    %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %Y = scf.for %r = %c0 to %rows step %c64 iter_args(%sum = %zero) -> (tensor<64x64xf32>) {
    %X = tile.load %x[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %K = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %S = tile.dot %X, %K transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %W = arith.extf %X : tensor<64x64xbf16> to tensor<64x64xf32>
    %M = arith.mulf %S, %W : tensor<64x64xf32>
    %R = arith.truncf %M : tensor<64x64xf32> to tensor<64x64xbf16>
    %V = tile.load %v[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %next = tile.dot %R, %V acc(%sum) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  }
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// Two stages of this operand do not fit into shared memory: all threads copy it, where it is used.
// CHECK-LABEL: hopper.kernel @too_large(
// CHECK-NOT: hopper.roles
// CHECK: hopper.wgmma
tile.kernel @too_large(%x: !tile.view<?x512xbf16> {tile.access = "read"}, %y: !tile.view<64x512xf32> {tile.access = "write"},
    %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %X = tile.load %x[%r, %c0] along [0, 1] : !tile.view<?x512xbf16> -> tensor<128x512xbf16>
    %K = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<?x512xbf16> -> tensor<64x128xbf16>
    %P = tile.dot %K, %X : tensor<64x128xbf16>, tensor<128x512xbf16> -> tensor<64x512xf32>
    tile.store %P, %y[%c0, %c0] along [0, 1] : tensor<64x512xf32>, !tile.view<64x512xf32>
  }
  tile.return
}

// -----

// Where the copies begin depends on what is computed: only those who compute know it.
// CHECK-LABEL: hopper.kernel @computed_place(
// CHECK-NOT: hopper.roles
// CHECK: hopper.wgmma
tile.kernel @computed_place(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %n: !tile.view<64xi32> {tile.access = "read"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %counts = tile.load %n[%c0] along [0] : !tile.view<64xi32> -> tensor<64xi32>
  %floats = arith.sitofp %counts : tensor<64xi32> to tensor<64xf32>
  %sum = tile.reduce add %floats along 0 : tensor<64xf32> -> f32
  %place = arith.fptosi %sum : f32 to i32
  %first = arith.index_cast %place : i32 to index
  scf.for %r = %c0 to %rows step %c64 {
    %row = arith.addi %r, %first : index
    %X = tile.load %x[%row, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %X, %X transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %P, %y[%r, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// A loop that ends where a computed number says: the filling warps could not run it.
// CHECK-LABEL: hopper.kernel @computed_end(
// CHECK-NOT: hopper.roles
// CHECK: hopper.wgmma
tile.kernel @computed_end(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %n: !tile.view<64xf32> {tile.access = "read"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %counts = tile.load %n[%c0] along [0] : !tile.view<64xf32> -> tensor<64xf32>
  %sum = tile.reduce add %counts along 0 : tensor<64xf32> -> f32
  %place = arith.fptosi %sum : f32 to i32
  %end = arith.index_cast %place : i32 to index
  scf.for %r = %c0 to %end step %c64 {
    %X = tile.load %x[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %X, %X transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %P, %y[%r, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// The same where the kernel writes the number itself.
// CHECK-LABEL: hopper.kernel @written_end(
// CHECK-NOT: hopper.roles
// CHECK: hopper.wgmma
tile.kernel @written_end(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %n: !tile.view<2xi32> {tile.access = "readwrite"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %count = tile.load %n[%c0] along [] : !tile.view<2xi32> -> i32
  %end = arith.index_cast %count : i32 to index
  scf.for %r = %c0 to %end step %c64 {
    %X = tile.load %x[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %X, %X transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %P, %y[%r, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.store %count, %n[%c1] along [] : i32, !tile.view<2xi32>
  tile.return
}

// -----

// While one product's operands are held, another one with operands of the same types has a ring of its own.
// CHECK-LABEL: hopper.kernel @held(
// CHECK-COUNT-2: hopper.ring : !hopper.ring<2>
// CHECK: } compute registers
// CHECK: scf.for
// CHECK: hopper.acquire %[[HELD:.*]] :
// CHECK-NOT: hopper.release %[[HELD]]
// CHECK: hopper.acquire %[[OTHER:.*]] :
// CHECK: hopper.release %[[OTHER]]
// CHECK: hopper.get
// CHECK: hopper.release %[[HELD]]
// CHECK-NEXT: scf.yield
tile.kernel @held(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %k: !tile.view<?x64xbf16> {tile.access = "read"},
    %a: !tile.view<?x64xbf16> {tile.access = "read"}, %b: !tile.view<?x64xbf16> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"},
    %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %Y = scf.for %r = %c0 to %rows step %c64 iter_args(%sum = %zero) -> (tensor<64x64xf32>) {
    %X = tile.load %x[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %K = tile.load %k[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %S = tile.dot %X, %K transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %A = tile.load %a[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %B = tile.load %b[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %T = tile.dot %A, %B transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %W = arith.extf %X : tensor<64x64xbf16> to tensor<64x64xf32>
    %M = arith.mulf %S, %W : tensor<64x64xf32>
    %N = arith.addf %M, %T : tensor<64x64xf32>
    %next = arith.addf %sum, %N : tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  }
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}
