// RUN: %mmc-opt %s --pass-pipeline='builtin.module(mmc-convert-tile-to-hopper,canonicalize)' | FileCheck %s
// Which operands of products come by tensor copies: boxes do not end at a limit, so those whose rows beyond it reach nothing that is kept.

// Rows of the left operand and what is made of them element by element, or summed along themselves, are left out by a store with the same limit.
// CHECK-LABEL: hopper.kernel @rows_stay_apart(
// CHECK: hopper.fill
// CHECK-COUNT-2: hopper.tensor_copy
// CHECK-NOT: hopper.copy
// CHECK: } compute
// CHECK-NOT: hopper.fence_proxy
// CHECK: hopper.wgmma
tile.kernel @rows_stay_apart(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %w: !tile.view<4x64x64xbf16> {tile.access = "read"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}, %s: !tile.view<?xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 4>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %m = arith.subi %rows, %r : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %W = tile.load %w[%p, %c0, %c0] along [1, 2] : !tile.view<4x64x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %X, %W transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %E = math.exp %P : tensor<64x64xf32>
    %S = tile.reduce add %E along 1 : tensor<64x64xf32> -> tensor<64xf32>
    tile.store %E, %y[%r, %c0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x64xf32>
    tile.store %S, %s[%r] along [0] limit(%m) : tensor<64xf32>, !tile.view<?xf32>
  }
  tile.return
}

// -----

// Rows of the right operand are k of the second product: zeros beyond the limit count. The left one comes by tensor copies all the same, to the same
// stage, and the fence is for the other.
// CHECK-LABEL: hopper.kernel @rows_are_summed(
// CHECK: hopper.fill
// CHECK: hopper.tensor_copy %arg0
// CHECK: hopper.copy %arg1{{.*}} limit
// CHECK: hopper.fill
// CHECK: hopper.copy %arg2{{.*}} limit
// CHECK: } compute
// CHECK: hopper.acquire
// CHECK-NEXT: hopper.fence_proxy
tile.kernel @rows_are_summed(%q: !tile.view<?x64xbf16> {tile.access = "read"}, %k: !tile.view<?x64xbf16> {tile.access = "read"},
    %v: !tile.view<?x64xbf16> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %m = arith.subi %rows, %r : index
    %Q = tile.load %q[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %K = tile.load %k[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %V = tile.load %v[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %S = tile.dot %Q, %K transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %R = arith.truncf %S : tensor<64x64xf32> to tensor<64x64xbf16>
    %Y = tile.dot %R, %V : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %Y, %y[%r, %c0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// A sum over rows, and a store that leaves nothing out, keep what is beyond the limit.
// CHECK-LABEL: hopper.kernel @sum_of_rows(
// CHECK: hopper.fill
// CHECK: hopper.copy {{.*}} limit
// CHECK: hopper.tensor_copy
tile.kernel @sum_of_rows(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %w: !tile.view<64x64xbf16> {tile.access = "read"},
    %s: !tile.view<?x64xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>)
    attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %m = arith.subi %rows, %r : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %X, %W transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %S = tile.reduce add %P along 0 : tensor<64x64xf32> -> tensor<64xf32>
    tile.store %S, %s[%r, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// CHECK-LABEL: hopper.kernel @another_limit(
// CHECK: hopper.fill
// CHECK: hopper.copy {{.*}} limit
// CHECK: hopper.tensor_copy
tile.kernel @another_limit(%x: !tile.view<?x64xbf16> {tile.access = "read"}, %w: !tile.view<64x64xbf16> {tile.access = "read"},
    %y: !tile.view<?x64xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>)
    attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %m = arith.subi %rows, %r : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %P = tile.dot %X, %W transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %P, %y[%r, %c0] along [0, 1] limit(%rows) : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// Rows of a list: the filling threads read it themselves. Gate and value share the rows that they copy, and a stage: the weights come by tensor copies.
// Four stages of 24 KiB leave room for two blocks.
// CHECK-LABEL: hopper.kernel @gathered(
// CHECK-COUNT-3: hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128, stages = 4>
// CHECK-NOT: hopper.alloc
// CHECK: hopper.fill
// CHECK: hopper.copy %arg1{{.*}} limit({{.*}}) list(%arg0[%{{.*}}] : !tile.view<?xi32>) to
// CHECK: hopper.tensor_copy %arg2
// CHECK: hopper.tensor_copy %arg3
// CHECK: } compute
// CHECK: hopper.wgmma_fence
// CHECK: hopper.acquire
// CHECK-NEXT: hopper.fence_proxy
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: scf.for
// CHECK: hopper.wgmma
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.wgmma_wait 2
// CHECK-NEXT: hopper.release
tile.kernel @gathered(%source: !tile.view<?xi32> {tile.access = "read"}, %x: !tile.view<?x256xbf16> {tile.access = "read"},
    %g: !tile.view<64x256xbf16> {tile.access = "read"}, %u: !tile.view<64x256xbf16> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"},
    %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %m = arith.subi %rows, %r : index
    %S = tile.load %source[%r] along [0] limit(%m) : !tile.view<?xi32> -> tensor<64xi32>
    %X = tile.gather %x rows %S[%c0, %c0] along [0, 1] limit(%m) : !tile.view<?x256xbf16>, tensor<64xi32> -> tensor<64x256xbf16>
    %G = tile.load %g[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
    %U = tile.load %u[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
    %P = tile.dot %X, %G transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
    %Q = tile.dot %X, %U transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
    %Y = arith.mulf %P, %Q : tensor<64x64xf32>
    tile.store %Y, %y[%r, %c0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}

// -----

// A list that the kernel computes is known to those who compute: no roles.
// CHECK-LABEL: hopper.kernel @computed_rows(
// CHECK-NOT: hopper.roles
// CHECK: hopper.wgmma
tile.kernel @computed_rows(%source: !tile.view<?xi32> {tile.access = "read"}, %x: !tile.view<?x256xbf16> {tile.access = "read"},
    %g: !tile.view<64x256xbf16> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 1>) attributes {hopper.family = "wgmma"} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %m = arith.subi %rows, %r : index
    %S = tile.load %source[%r] along [0] limit(%m) : !tile.view<?xi32> -> tensor<64xi32>
    %T = arith.addi %S, %S : tensor<64xi32>
    %X = tile.gather %x rows %T[%c0, %c0] along [0, 1] limit(%m) : !tile.view<?x256xbf16>, tensor<64xi32> -> tensor<64x256xbf16>
    %G = tile.load %g[%c0, %c0] along [0, 1] : !tile.view<64x256xbf16> -> tensor<64x256xbf16>
    %P = tile.dot %X, %G transpose_b : tensor<64x256xbf16>, tensor<64x256xbf16> -> tensor<64x64xf32>
    tile.store %P, %y[%r, %c0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}
