// Router: logits of 5 experts from a row of width 32, softmax, the 2 best, renormalised.
tile.kernel @route(
    %x: !tile.view<?x32xf32> {tile.access = "read"}, %w: !tile.view<5x32xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %weights: !tile.view<?x2xf32> {tile.access = "write"}, %experts: !tile.view<?x2xi32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%r, %c0] along [0, 1] : !tile.view<?x32xf32> -> tensor<1x32xf32>
  %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<5x32xf32, #tile.panels<n = 64, k = 1>> -> tensor<5x32xf32>
  %L = tile.dot %X, %W transpose_b : tensor<1x32xf32>, tensor<5x32xf32> -> tensor<1x5xf32>
  %max = tile.reduce max %L along 1 : tensor<1x5xf32> -> tensor<1xf32>
  %Max = tile.broadcast %max to [0] : tensor<1xf32> -> tensor<1x5xf32>
  %shifted = arith.subf %L, %Max : tensor<1x5xf32>
  %e = math.exp %shifted : tensor<1x5xf32>
  %sum = tile.reduce add %e along 1 : tensor<1x5xf32> -> tensor<1xf32>
  %Sum = tile.broadcast %sum to [0] : tensor<1xf32> -> tensor<1x5xf32>
  %p = arith.divf %e, %Sum : tensor<1x5xf32>
  %best, %columns = tile.top_k %p : tensor<1x5xf32> -> tensor<1x2xf32>, tensor<1x2xi32>
  %total = tile.reduce add %best along 1 : tensor<1x2xf32> -> tensor<1xf32>
  %Total = tile.broadcast %total to [0] : tensor<1xf32> -> tensor<1x2xf32>
  %normal = arith.divf %best, %Total : tensor<1x2xf32>
  tile.store %normal, %weights[%r, %c0] along [0, 1] : tensor<1x2xf32>, !tile.view<?x2xf32>
  tile.store %columns, %experts[%r, %c0] along [0, 1] : tensor<1x2xi32>, !tile.view<?x2xi32>
  tile.return
}
