// RUN: %mmc-opt %s | %mmc-opt | FileCheck %s

// Every op, type and attribute of the tile dialect is printed as it is read.

// CHECK-LABEL: tile.kernel @structure(
// CHECK-SAME: %[[X:.*]]: !tile.view<?x64xf32> {tile.access = "read"}
// CHECK-SAME: %{{.*}}: !tile.view<?xi32> {tile.step = #tile.step<row_positions>}
// CHECK-SAME: %{{.*}}: index {tile.step = #tile.step<token_count>}
// CHECK-SAME: %[[WORK:.*]]: !tile.ragged {tile.work = #tile.work<prefill, 16>}
// CHECK-SAME: %{{.*}}: !tile.ragged {tile.work = #tile.work<all>}
// CHECK-SAME: domain(%[[T:.*]] in #tile.extent<work, 3>, %{{.*}} in #tile.extent<fixed, 8>, %{{.*}} in #tile.extent<outputs>, %{{.*}} in #tile.extent<sequences>)
// CHECK-SAME: grain 4 attributes {note = "kept"} {
tile.kernel @structure(%x: !tile.view<?x64xf32> {tile.access = "read"}, %positions: !tile.view<?xi32> {tile.step = #tile.step<row_positions>},
    %tokens: index {tile.step = #tile.step<token_count>}, %work: !tile.ragged {tile.work = #tile.work<prefill, 16>},
    %all: !tile.ragged {tile.work = #tile.work<all>})
    domain(%t in #tile.extent<work, 3>, %h in #tile.extent<fixed, 8>, %o in #tile.extent<outputs>, %s in #tile.extent<sequences>)
    grain 4 attributes {note = "kept"} {
  // CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} = tile.point %[[WORK]][%[[T]]]
  %slot, %row, %rows, %position = tile.point %work[%t]
  // CHECK: tile.return
  tile.return
}

// CHECK-LABEL: tile.kernel @memory(
// CHECK-SAME: !tile.view<f32>
// CHECK-SAME: !tile.view<?x4x8xbf16, #tile.strided<[96, 24, 1], offset = 8>>
// CHECK-SAME: !tile.view<?x64xf32, #tile.strided<[128, 1]>>
// CHECK-SAME: !tile.view<5x100x72xbf16, #tile.panels<n = 64, k = 2>>
// CHECK-SAME: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>>
tile.kernel @memory(%scalar: !tile.view<f32> {tile.access = "read"},
    %q: !tile.view<?x4x8xbf16, #tile.strided<[96, 24, 1], offset = 8>> {tile.access = "read"},
    %x: !tile.view<?x64xf32, #tile.strided<[128, 1]>> {tile.access = "readwrite"},
    %w: !tile.view<5x100x72xbf16, #tile.panels<n = 64, k = 2>> {tile.access = "read"},
    %cache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>> {tile.access = "write"},
    %rows: !tile.view<?xi32> {tile.access = "read"}) domain(%i in #tile.extent<tokens>) {
  // CHECK: tile.load %{{.*}}[] along [] : !tile.view<f32> -> f32
  %a = tile.load %scalar[] along [] : !tile.view<f32> -> f32
  // CHECK: tile.load %{{.*}}[%[[I:.*]], %[[I]], %[[I]]] along [0, 2] limit(%[[I]]) : !tile.view<?x4x8xbf16, #tile.strided<[96, 24, 1], offset = 8>> -> tensor<16x8xbf16>
  %b = tile.load %q[%i, %i, %i] along [0, 2] limit(%i) : !tile.view<?x4x8xbf16, #tile.strided<[96, 24, 1], offset = 8>> -> tensor<16x8xbf16>
  %c = tile.load %w[%i, %i, %i] along [1, 2] : !tile.view<5x100x72xbf16, #tile.panels<n = 64, k = 2>> -> tensor<64x72xbf16>
  %r = tile.load %rows[%i] along [0] : !tile.view<?xi32> -> tensor<16xi32>
  // CHECK: tile.gather %{{.*}} rows %{{.*}}[%{{.*}}, %{{.*}}] along [0, 1] limit(%{{.*}}) : !tile.view<?x64xf32, #tile.strided<[128, 1]>>, tensor<16xi32> -> tensor<16x64xf32>
  %g = tile.gather %x rows %r[%i, %i] along [0, 1] limit(%i) : !tile.view<?x64xf32, #tile.strided<[128, 1]>>, tensor<16xi32> -> tensor<16x64xf32>
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] along [0, 1] limit(%{{.*}}) : tensor<16x64xf32>, !tile.view<?x64xf32, #tile.strided<[128, 1]>>
  tile.store %g, %x[%i, %i] along [0, 1] limit(%i) : tensor<16x64xf32>, !tile.view<?x64xf32, #tile.strided<[128, 1]>>
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] along [] : f32, !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>>
  tile.store %a, %cache[%i, %i, %i, %i] along [] : f32, !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>>
  tile.return
}

// CHECK-LABEL: tile.kernel @compute(
tile.kernel @compute(%scale: !tile.view<f32> {tile.access = "read"}, %y: !tile.view<8x4xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<1.0> : tensor<8x16xf32>
  %b = arith.constant dense<2.0> : tensor<16x4xf32>
  // CHECK: %[[DOT:.*]] = tile.dot %{{.*}}, %{{.*}} : tensor<8x16xf32>, tensor<16x4xf32> -> tensor<8x4xf32>
  %d = tile.dot %a, %b : tensor<8x16xf32>, tensor<16x4xf32> -> tensor<8x4xf32>
  // CHECK: %[[T:.*]] = tile.transpose %{{.*}} : tensor<8x16xf32> -> tensor<16x8xf32>
  %at = tile.transpose %a : tensor<8x16xf32> -> tensor<16x8xf32>
  // CHECK: tile.dot %[[T]], %{{.*}} acc(%[[DOT]]) transpose_a transpose_b : tensor<16x8xf32>, tensor<4x16xf32> -> tensor<8x4xf32>
  %bt = tile.reshape %b : tensor<16x4xf32> -> tensor<4x16xf32>
  %e = tile.dot %at, %bt acc(%d) transpose_a transpose_b : tensor<16x8xf32>, tensor<4x16xf32> -> tensor<8x4xf32>
  // CHECK: %[[R:.*]] = tile.reduce add %{{.*}} along 1 : tensor<8x4xf32> -> tensor<8xf32>
  %r = tile.reduce add %e along 1 : tensor<8x4xf32> -> tensor<8xf32>
  // CHECK: tile.reduce max %[[R]] along 0 : tensor<8xf32> -> f32
  %m = tile.reduce max %r along 0 : tensor<8xf32> -> f32
  // CHECK: tile.broadcast %[[R]] to [0] : tensor<8xf32> -> tensor<8x4xf32>
  %w = tile.broadcast %r to [0] : tensor<8xf32> -> tensor<8x4xf32>
  // CHECK: tile.broadcast %{{.*}} to [] : f32 -> tensor<8x4xf32>
  %s = tile.broadcast %m to [] : f32 -> tensor<8x4xf32>
  // CHECK: tile.iota 1 : tensor<8x4xi32>
  %i = tile.iota 1 : tensor<8x4xi32>
  // CHECK: tile.top_k %{{.*}} : tensor<8x4xf32> -> tensor<8x2xf32>, tensor<8x2xi32>
  %v, %c = tile.top_k %w : tensor<8x4xf32> -> tensor<8x2xf32>, tensor<8x2xi32>
  tile.return
}

// CHECK-LABEL: tile.kernel @update(
tile.kernel @update(%x: !tile.view<?x4xf32> {tile.access = "read"}, %s: !tile.view<?x4xf32> {tile.access = "readwrite"},
    %n: index {tile.step = #tile.step<token_count>}, %y: !tile.view<?x4xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  tile.return
}

// CHECK-LABEL: func.func @host
func.func @host(%x: tensor<?x4xf32>, %s: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<?x4xf32>) {
  // CHECK: tile.launch @update(%{{.*}}, %{{.*}}) tied [1, -1] : (tensor<?x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<?x4xf32>)
  %r:2 = tile.launch @update(%x, %s) tied [1, -1] : (tensor<?x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<?x4xf32>)
  return %r#0, %r#1 : tensor<8x4xf32>, tensor<?x4xf32>
}
