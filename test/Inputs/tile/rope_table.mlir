// Cosines and sines of the step's rows, 4 angles each (rotary dimension 8, base 10000): angles are formed and reduced to [-pi, pi] in f64, since an
// f32 angle loses all accuracy at long positions.
tile.kernel @rope_table(
    %positions: !tile.view<?xi32> {tile.step = #tile.step<row_positions>},
    %cos: !tile.view<?x4xf32> {tile.access = "write"}, %sin: !tile.view<?x4xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %inverse = arith.constant dense<[1.0, 0.1, 0.01, 0.001]> : tensor<4xf64>
  %turns = arith.constant dense<0.15915494309189535> : tensor<4xf64>
  %high = arith.constant dense<6.283185307179586> : tensor<4xf64>
  %low = arith.constant dense<2.4492935982947064e-16> : tensor<4xf64>
  %p = tile.load %positions[%r] along [] : !tile.view<?xi32> -> i32
  %pf = arith.sitofp %p : i32 to f64
  %P = tile.broadcast %pf to [] : f64 -> tensor<4xf64>
  %angle = arith.mulf %P, %inverse : tensor<4xf64>
  %t = arith.mulf %angle, %turns : tensor<4xf64>
  %n = math.roundeven %t : tensor<4xf64>
  %nh = arith.mulf %n, %high : tensor<4xf64>
  %r1 = arith.subf %angle, %nh : tensor<4xf64>
  %nl = arith.mulf %n, %low : tensor<4xf64>
  %r2 = arith.subf %r1, %nl : tensor<4xf64>
  %reduced = arith.truncf %r2 : tensor<4xf64> to tensor<4xf32>
  %c = math.cos %reduced : tensor<4xf32>
  %s = math.sin %reduced : tensor<4xf32>
  tile.store %c, %cos[%r, %c0] along [1] : tensor<4xf32>, !tile.view<?x4xf32>
  tile.store %s, %sin[%r, %c0] along [1] : tensor<4xf32>, !tile.view<?x4xf32>
  tile.return
}
