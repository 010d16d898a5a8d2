// First half of the experts' gated MLPs, rows gathered by token: h = silu(x w1[e]^T) * (x w3[e]^T); 5 experts, width 32, inner width 72.
tile.kernel @experts_up(
    %x: !tile.view<?x32xf32> {tile.access = "read"},
    %w1: !tile.view<5x72x32xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %w3: !tile.view<5x72x32xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %offsets: !tile.view<6xi32> {tile.access = "read"}, %source: !tile.view<?xi32> {tile.access = "read"},
    %h: !tile.view<?x72xf32> {tile.access = "write"})
    domain(%e in #tile.extent<fixed, 5>, %p in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant dense<1.0> : tensor<48x64xf32>
  %n0 = arith.muli %p, %c64 : index
  %e1 = arith.addi %e, %c1 : index
  %b32 = tile.load %offsets[%e] along [] : !tile.view<6xi32> -> i32
  %end32 = tile.load %offsets[%e1] along [] : !tile.view<6xi32> -> i32
  %b = arith.index_cast %b32 : i32 to index
  %end = arith.index_cast %end32 : i32 to index
  scf.for %r = %b to %end step %c48 {
    %left = arith.subi %end, %r : index
    %m = arith.minsi %left, %c48 : index
    %i = tile.load %source[%r] along [0] limit(%m) : !tile.view<?xi32> -> tensor<48xi32>
    %X = tile.gather %x rows %i[%c0, %c0] along [0, 1] limit(%m) : !tile.view<?x32xf32>, tensor<48xi32> -> tensor<48x32xf32>
    %W1 = tile.load %w1[%e, %n0, %c0] along [1, 2] : !tile.view<5x72x32xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x32xf32>
    %G = tile.dot %X, %W1 transpose_b : tensor<48x32xf32>, tensor<64x32xf32> -> tensor<48x64xf32>
    %W3 = tile.load %w3[%e, %n0, %c0] along [1, 2] : !tile.view<5x72x32xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x32xf32>
    %U = tile.dot %X, %W3 transpose_b : tensor<48x32xf32>, tensor<64x32xf32> -> tensor<48x64xf32>
    %minus = arith.negf %G : tensor<48x64xf32>
    %ex = math.exp %minus : tensor<48x64xf32>
    %d = arith.addf %one, %ex : tensor<48x64xf32>
    %S = arith.divf %G, %d : tensor<48x64xf32>
    %H = arith.mulf %S, %U : tensor<48x64xf32>
    tile.store %H, %h[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?x72xf32>
  }
  tile.return
}
