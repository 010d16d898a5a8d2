// The weighted sum of a token's 2 expert rows in a fixed order, fused with the residual: out = alpha * x + beta * sum; width 32.
tile.kernel @combine(
    %y: !tile.view<?x32xf32> {tile.access = "read"}, %weights: !tile.view<?x2xf32> {tile.access = "read"},
    %position: !tile.view<?x2xi32> {tile.access = "read"}, %x: !tile.view<?x32xf32> {tile.access = "read"},
    %alpha: !tile.view<f32> {tile.access = "read"}, %beta: !tile.view<f32> {tile.access = "read"},
    %out: !tile.view<?x32xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p0 = tile.load %position[%r, %c0] along [] : !tile.view<?x2xi32> -> i32
  %i0 = arith.index_cast %p0 : i32 to index
  %w0 = tile.load %weights[%r, %c0] along [] : !tile.view<?x2xf32> -> f32
  %W0 = tile.broadcast %w0 to [] : f32 -> tensor<32xf32>
  %y0 = tile.load %y[%i0, %c0] along [1] : !tile.view<?x32xf32> -> tensor<32xf32>
  %s0 = arith.mulf %W0, %y0 : tensor<32xf32>
  %p1 = tile.load %position[%r, %c1] along [] : !tile.view<?x2xi32> -> i32
  %i1 = arith.index_cast %p1 : i32 to index
  %w1 = tile.load %weights[%r, %c1] along [] : !tile.view<?x2xf32> -> f32
  %W1 = tile.broadcast %w1 to [] : f32 -> tensor<32xf32>
  %y1 = tile.load %y[%i1, %c0] along [1] : !tile.view<?x32xf32> -> tensor<32xf32>
  %m1 = arith.mulf %W1, %y1 : tensor<32xf32>
  %s1 = arith.addf %s0, %m1 : tensor<32xf32>
  %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x32xf32> -> tensor<32xf32>
  %a = tile.load %alpha[] along [] : !tile.view<f32> -> f32
  %b = tile.load %beta[] along [] : !tile.view<f32> -> f32
  %A = tile.broadcast %a to [] : f32 -> tensor<32xf32>
  %B = tile.broadcast %b to [] : f32 -> tensor<32xf32>
  %av = arith.mulf %A, %v : tensor<32xf32>
  %bs = arith.mulf %B, %s1 : tensor<32xf32>
  %z = arith.addf %av, %bs : tensor<32xf32>
  tile.store %z, %out[%r, %c0] along [1] : tensor<32xf32>, !tile.view<?x32xf32>
  tile.return
}
