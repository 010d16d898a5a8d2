// Second half of the experts' MLPs on permuted rows: y = h w2[e]^T; 5 experts, inner width 72, width 32.
tile.kernel @experts_down(
    %h: !tile.view<?x72xf32> {tile.access = "read"}, %w2: !tile.view<5x32x72xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %offsets: !tile.view<6xi32> {tile.access = "read"}, %y: !tile.view<?x32xf32> {tile.access = "write"})
    domain(%e in #tile.extent<fixed, 5>, %p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %n0 = arith.muli %p, %c64 : index
  %e1 = arith.addi %e, %c1 : index
  %b32 = tile.load %offsets[%e] along [] : !tile.view<6xi32> -> i32
  %end32 = tile.load %offsets[%e1] along [] : !tile.view<6xi32> -> i32
  %b = arith.index_cast %b32 : i32 to index
  %end = arith.index_cast %end32 : i32 to index
  scf.for %r = %b to %end step %c48 {
    %left = arith.subi %end, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %h[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x72xf32> -> tensor<48x72xf32>
    %W = tile.load %w2[%e, %n0, %c0] along [1, 2] : !tile.view<5x32x72xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x72xf32>
    %Y = tile.dot %X, %W transpose_b : tensor<48x72xf32>, tensor<64x72xf32> -> tensor<48x64xf32>
    tile.store %Y, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?x32xf32>
  }
  tile.return
}
