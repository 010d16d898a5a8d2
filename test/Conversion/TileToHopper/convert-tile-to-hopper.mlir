// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(mmc-convert-tile-to-hopper,canonicalize)' | FileCheck %s
// Tile kernels become hopper kernels: fragments, maps, shared tiles, and the copies, waits and barriers between them.

// A row: 64 elements over one warp, two neighbours per thread; elementwise expressions are one map each, without temporaries.
// CHECK-LABEL: hopper.kernel @norm(
// CHECK-SAME: %[[X:.*]]: !tile.view<?x64xf32> {{.*}}, %[[W:.*]]: !tile.view<64xf32> {{.*}}, %[[Y:.*]]: !tile.view<?x64xf32>
// CHECK-SAME: domain(%[[R:.*]] in #tile.extent<tokens>) threads 32 blocks 1 {
// CHECK: %[[ROW:.*]] = hopper.load %[[X]][%[[R]], %c0] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<64xf32, #hopper.spread<2>>
// CHECK: %[[SQUARES:.*]] = hopper.map(%[[ROW]])
// CHECK: arith.mulf
// CHECK: %[[SUM:.*]] = hopper.reduce add %[[SQUARES]] along 0 : !hopper.fragment<64xf32, #hopper.spread<2>> -> f32
// CHECK: %[[INVERSE:.*]] = math.rsqrt
// CHECK: %[[WEIGHT:.*]] = hopper.load %[[W]]
// CHECK: %[[SCALED:.*]] = hopper.map(%[[ROW]], %[[WEIGHT]])
// CHECK: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32):
// CHECK: %[[N:.*]] = arith.mulf %[[A]], %[[INVERSE]] : f32
// CHECK: arith.mulf %[[N]], %[[B]] : f32
// CHECK: hopper.store %[[SCALED]], %[[Y]][%[[R]], %c0] along [1]
// CHECK: hopper.return
tile.kernel @norm(%x: !tile.view<?x64xf32> {tile.access = "read"}, %w: !tile.view<64xf32> {tile.access = "read"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %scale = arith.constant 1.562500e-02 : f32
  %X = tile.load %x[%r, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
  %Q = arith.mulf %X, %X : tensor<64xf32>
  %s = tile.reduce add %Q along 0 : tensor<64xf32> -> f32
  %m = arith.mulf %s, %scale : f32
  %i = math.rsqrt %m : f32
  %I = tile.broadcast %i to [] : f32 -> tensor<64xf32>
  %W = tile.load %w[%c0] along [0] : !tile.view<64xf32> -> tensor<64xf32>
  %N = arith.mulf %X, %I : tensor<64xf32>
  %Y = arith.mulf %N, %W : tensor<64xf32>
  tile.store %Y, %y[%r, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
  tile.return
}

// -----

// A long k is streamed: two pieces of 64 ahead, then in each trip a wait, a barrier, the next copies, a product.
// CHECK-LABEL: hopper.kernel @stream(
// CHECK-SAME: threads 128 blocks 1
// CHECK-DAG: %[[A:.*]] = hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128, stages = 3>
// CHECK: hopper.copy %{{.*}}[%c0, %c0] along [0, 1] to %[[LEFT:.*]] stage %c0
// CHECK: hopper.copy %{{.*}}[%[[N:.*]], %c0] along [0, 1] to %[[RIGHT:.*]] stage %c0
// CHECK: hopper.commit
// CHECK: hopper.copy %{{.*}}[%c0, %c64] along [0, 1] to %[[LEFT]] stage %c1
// CHECK: hopper.copy %{{.*}}[%[[N]], %c64] along [0, 1] to %[[RIGHT]] stage %c1
// CHECK: hopper.commit
// CHECK: %[[SUM:.*]] = scf.for %[[I:.*]] = %c0 to %c4 step %c1 iter_args(%[[ACC:.*]] = %{{.*}}) -> (!hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>) {
// CHECK-NEXT: hopper.wait 1
// CHECK-NEXT: hopper.barrier
// CHECK: scf.if
// CHECK: hopper.copy {{.*}} to %[[LEFT]] stage
// CHECK: hopper.copy {{.*}} to %[[RIGHT]] stage
// CHECK: }
// CHECK-NEXT: hopper.commit
// CHECK: %[[STAGE:.*]] = arith.remsi %[[I]], %c3
// CHECK: hopper.multiply %[[ACC]], %[[LEFT]], %[[RIGHT]] stage %[[STAGE]] transpose_b
// CHECK: hopper.store %[[SUM]]
tile.kernel @stream(%a: !tile.view<64x256xbf16> {tile.access = "read"}, %w: !tile.view<128x256xbf16> {tile.access = "read"},
    %y: !tile.view<64x128xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 2>) {
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

// Lightning attention: the state stays in registers through the loop; the scores, rounded to bf16, are operands as they are, the state
// goes through shared memory. A barrier stands between the trips, whose first copies overwrite what the last product reads.
// CHECK-LABEL: hopper.kernel @recurrence(
// CHECK: %[[STATE0:.*]] = hopper.load %{{.*}} : !tile.view<64x64xf32> -> !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
// CHECK: %[[END:.*]] = scf.for {{.*}} iter_args(%[[STATE:.*]] = %[[STATE0]])
// CHECK-NOT: hopper.copy
// CHECK: hopper.barrier
// CHECK: hopper.copy
// CHECK: %[[SCORES:.*]] = hopper.multiply {{.*}} transpose_b : !hopper.shared<64x64xbf16, swizzle = 128>
// CHECK: %[[ROUNDED:.*]] = hopper.map(%[[SCORES]]) : ({{.*}}) -> !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
// CHECK: arith.truncf
// CHECK: hopper.barrier
// CHECK-NEXT: hopper.copy
// CHECK-NEXT: hopper.commit
// CHECK-NEXT: hopper.wait 0
// CHECK-NEXT: hopper.barrier
// CHECK-NEXT: %[[INTRA:.*]] = hopper.multiply %{{.*}}, %[[ROUNDED]], %{{.*}} : !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>, !hopper.shared
// CHECK: %[[OLD:.*]] = hopper.map(%[[STATE]])
// CHECK: hopper.barrier
// CHECK: hopper.put %[[OLD]]
// CHECK: hopper.barrier
// CHECK: %[[OUT:.*]] = hopper.multiply %[[INTRA]], %{{.*}}, %{{.*}} : !hopper.shared
// CHECK: hopper.store %[[OUT]]
// CHECK: %[[NEXT:.*]] = hopper.multiply %[[STATE]], %{{.*}}, %{{.*}} transpose_a
// CHECK: scf.yield %[[NEXT]]
// CHECK: hopper.store %[[END]]
tile.kernel @recurrence(%q: !tile.view<?x64xbf16> {tile.access = "read"}, %k: !tile.view<?x64xbf16> {tile.access = "read"},
    %v: !tile.view<?x64xbf16> {tile.access = "read"}, %s: !tile.view<64x64xf32> {tile.access = "readwrite"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  %S0 = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>
  %S = scf.for %r = %c0 to %c256 step %c64 iter_args(%state = %S0) -> (tensor<64x64xf32>) {
    %Q = tile.load %q[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %K = tile.load %k[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %V = tile.load %v[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %Q, %K transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %R = arith.truncf %P : tensor<64x64xf32> to tensor<64x64xbf16>
    %O = tile.dot %R, %V : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %T = arith.truncf %state : tensor<64x64xf32> to tensor<64x64xbf16>
    %Z = tile.dot %Q, %T acc(%O) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %Z, %y[%r, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<?x64xf32>
    %N = tile.dot %K, %V acc(%state) transpose_a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %N : tensor<64x64xf32>
  }
  tile.store %S, %s[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// An operand that the loop does not change is put into a tile of its own in front of it, once, and the loop only reads it.
// CHECK-LABEL: hopper.kernel @invariant(
// CHECK: hopper.put %{{.*}}, %[[QUERIES:[a-z0-9_]+]] : {{.*}}bf16
// CHECK-NEXT: hopper.barrier
// CHECK: scf.for
// CHECK-NOT: hopper.put
// CHECK: hopper.multiply %{{.*}}, %[[QUERIES]], %{{.*}} transpose_b
// CHECK-NOT: hopper.put
// CHECK: hopper.store
tile.kernel @invariant(%q: !tile.view<64x64xbf16> {tile.access = "read"}, %k: !tile.view<?x64xbf16> {tile.access = "read"},
    %y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  %Q = tile.load %q[%c0, %c0] along [0, 1] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
  %S = arith.mulf %Q, %Q : tensor<64x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %Y = scf.for %r = %c0 to %c256 step %c64 iter_args(%sum = %zero) -> (tensor<64x64xf32>) {
    %K = tile.load %k[%r, %c0] along [0, 1] : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %S, %K acc(%sum) transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %P : tensor<64x64xf32>
  }
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// Four rows are padded to sixteen: the copy brings zeros, the store leaves the padding out. The warps share the columns.
// CHECK-LABEL: hopper.kernel @padded(
// CHECK: hopper.copy {{.*}} extents [4, 32] to %[[A:.*]] : !tile.view<4x32xbf16>, !hopper.shared<16x32xbf16, swizzle = 64>
// CHECK: hopper.copy {{.*}} to %[[W:.*]] : !tile.view<32x32xbf16>, !hopper.shared<32x32xbf16, swizzle = 64>
// CHECK-NEXT: hopper.commit
// CHECK-NEXT: hopper.wait 0
// CHECK-NEXT: hopper.barrier
// CHECK-NEXT: %[[Y:.*]] = hopper.multiply %{{.*}}, %[[A]], %[[W]] transpose_b
// CHECK-SAME: -> !hopper.fragment<16x32xf32, #hopper.accumulator<1 x 2>>
// CHECK: hopper.store %[[Y]], {{.*}} extents [4, 32]
tile.kernel @padded(%a: !tile.view<4x32xbf16> {tile.access = "read"}, %w: !tile.view<32x32xbf16> {tile.access = "read"},
    %y: !tile.view<4x32xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<4x32xbf16> -> tensor<4x32xbf16>
  %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<32x32xbf16> -> tensor<32x32xbf16>
  %Y = tile.dot %A, %W transpose_b : tensor<4x32xbf16>, tensor<32x32xbf16> -> tensor<4x32xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<4x32xf32>, !tile.view<4x32xf32>
  tile.return
}

// -----

// Rows that do not depend on each other are dealt out over the grid's second dimension.
// CHECK-LABEL: hopper.kernel @rows(
// CHECK: hopper.distribute %[[R:.*]] = %c0 to %{{.*}} step %c1 {
// CHECK: hopper.load %{{.*}}[%[[R]], %c0]
// CHECK: hopper.store %{{.*}}, %{{.*}}[%[[R]], %c0]
tile.kernel @rows(%x: !tile.view<?x64xf32> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"},
    %count: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %r = %c0 to %count step %c1 {
    %X = tile.load %x[%r, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
    %N = arith.negf %X : tensor<64xf32>
    tile.store %N, %y[%r, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// Without tiles one thread does it all.
// CHECK-LABEL: hopper.kernel @serial(
// CHECK-SAME: threads 32 blocks 1 serial {
// CHECK-NEXT: %[[V:.*]] = hopper.load %{{.*}} along [] : !tile.view<?xf32> -> f32
// CHECK-NEXT: %[[W:.*]] = arith.addf %[[V]], %[[V]] : f32
// CHECK-NEXT: hopper.store %[[W]]
tile.kernel @serial(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  %v = tile.load %x[%r] along [] : !tile.view<?xf32> -> f32
  %w = arith.addf %v, %v : f32
  tile.store %w, %y[%r] along [] : f32, !tile.view<?xf32>
  tile.return
}

// -----

// Gate and value of a SwiGLU: two products of the same rows go through k together, and the rows are copied once.
// CHECK-LABEL: hopper.kernel @pair(
// CHECK-COUNT-3: stages = 3>
// CHECK: scf.for {{.*}} iter_args(%[[GATE:.*]] = %{{.*}}, %[[VALUE:.*]] = %{{.*}}) ->
// CHECK: scf.if
// CHECK-COUNT-3: hopper.copy
// CHECK-NOT: hopper.copy
// CHECK: hopper.multiply %[[GATE]], %[[ROWS:.*]], %{{.*}} stage %[[STAGE:.*]] transpose_b
// CHECK-NEXT: hopper.multiply %[[VALUE]], %[[ROWS]], %{{.*}} stage %[[STAGE]] transpose_b
// CHECK: scf.yield
// CHECK-NOT: scf.for
tile.kernel @pair(%x: !tile.view<64x256xbf16> {tile.access = "read"}, %g: !tile.view<64x256xbf16> {tile.access = "read"},
    %v: !tile.view<64x256xbf16> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
  %G = tile.load %g[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
  %P = tile.dot %X, %G transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
  %N = arith.negf %P : tensor<64x64xf32>
  %V = tile.load %v[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
  %Q = tile.dot %X, %V transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
  %Y = arith.mulf %N, %Q : tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// The second operand's place is computed behind the first product: one after the other.
// CHECK-LABEL: hopper.kernel @apart(
// CHECK-COUNT-2: scf.for
tile.kernel @apart(%x: !tile.view<64x256xbf16> {tile.access = "read"}, %g: !tile.view<64x256xbf16> {tile.access = "read"},
    %v: !tile.view<128x256xbf16> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
  %G = tile.load %g[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
  %P = tile.dot %X, %G transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
  %c64 = arith.constant 64 : index
  %row = arith.addi %p, %c64 : index
  %V = tile.load %v[%row, %c0] along [0, 1] : !tile.view<128x256xbf16> -> tensor<64x256xbf16>
  %Q = tile.dot %X, %V transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
  %Y = arith.mulf %P, %Q : tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}
