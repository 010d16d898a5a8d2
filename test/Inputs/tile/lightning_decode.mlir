// Lightning attention for sequences with one new token: the block program of lightning_prefill.mlir with one row and no loop. Every element sees the
// same operations in the same order, hence the answer is bitwise that of a prefill block with m = 1.
tile.kernel @lightning_decode(
    %q: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1]>> {tile.access = "read"},
    %k: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 16>> {tile.access = "read"},
    %v: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 32>> {tile.access = "read"},
    %rate: !tile.view<2xf32> {tile.access = "read"}, %state: !tile.view<?x2x16x16xf32> {tile.access = "readwrite"},
    %o: !tile.view<?x2x16xf32> {tile.access = "write"}, %sequences: !tile.ragged {tile.work = #tile.work<decode>})
    domain(%s in #tile.extent<work, 6>, %h in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %slot, %row, %rows, %position = tile.point %sequences[%s]
  %g = tile.load %rate[%h] along [] : !tile.view<2xf32> -> f32
  %ng = arith.negf %g : f32
  %d = math.exp %ng : f32
  %D = tile.broadcast %d to [] : f32 -> tensor<1x16xf32>
  %SD = tile.broadcast %d to [] : f32 -> tensor<16x16xf32>
  %S = tile.load %state[%slot, %h, %c0, %c0] along [2, 3] : !tile.view<?x2x16x16xf32> -> tensor<16x16xf32>
  %Q = tile.load %q[%row, %h, %c0] along [0, 2] : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1]>> -> tensor<1x16xf32>
  %K = tile.load %k[%row, %h, %c0] along [0, 2] : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 16>> -> tensor<1x16xf32>
  %V = tile.load %v[%row, %h, %c0] along [0, 2] : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 32>> -> tensor<1x16xf32>
  %P = tile.dot %Q, %K transpose_b : tensor<1x16xf32>, tensor<1x16xf32> -> tensor<1x1xf32>
  %O1 = tile.dot %P, %V : tensor<1x1xf32>, tensor<1x16xf32> -> tensor<1x16xf32>
  %Qd = arith.mulf %Q, %D : tensor<1x16xf32>
  %O2 = tile.dot %Qd, %S acc(%O1) : tensor<1x16xf32>, tensor<16x16xf32> -> tensor<1x16xf32>
  tile.store %O2, %o[%row, %h, %c0] along [0, 2] : tensor<1x16xf32>, !tile.view<?x2x16xf32>
  %Sd = arith.mulf %S, %SD : tensor<16x16xf32>
  %S1 = tile.dot %K, %V acc(%Sd) transpose_a : tensor<1x16xf32>, tensor<1x16xf32> -> tensor<16x16xf32>
  tile.store %S1, %state[%slot, %h, %c0, %c0] along [2, 3] : tensor<16x16xf32>, !tile.view<?x2x16x16xf32>
  tile.return
}
