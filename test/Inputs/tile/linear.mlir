// Dense products with f32 weights in panels: plain, with an epilogue of every kind of input, and with two weights. K = 72; N = 100 leaves a tail of
// 36 columns in the second panel.
tile.kernel @linear(
    %x: !tile.view<?x72xf32> {tile.access = "read"}, %w: !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %y: !tile.view<?x100xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %n0 = arith.muli %p, %c64 : index
  scf.for %r = %c0 to %rows step %c48 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x72xf32> -> tensor<48x72xf32>
    %W = tile.load %w[%n0, %c0] along [0, 1] : !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x72xf32>
    %Y = tile.dot %X, %W transpose_b : tensor<48x72xf32>, tensor<64x72xf32> -> tensor<48x64xf32>
    tile.store %Y, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?x100xf32>
  }
  tile.return
}

// z = alpha * residual + gain * (x w^T), gain by column.
tile.kernel @linear_epilogue(
    %x: !tile.view<?x72xf32> {tile.access = "read"}, %w: !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %residual: !tile.view<?x100xf32> {tile.access = "read"}, %gain: !tile.view<100xf32> {tile.access = "read"},
    %alpha: !tile.view<f32> {tile.access = "read"},
    %y: !tile.view<?x100xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %n0 = arith.muli %p, %c64 : index
  scf.for %r = %c0 to %rows step %c48 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x72xf32> -> tensor<48x72xf32>
    %W = tile.load %w[%n0, %c0] along [0, 1] : !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x72xf32>
    %Y = tile.dot %X, %W transpose_b : tensor<48x72xf32>, tensor<64x72xf32> -> tensor<48x64xf32>
    %R = tile.load %residual[%r, %n0] along [0, 1] limit(%m) : !tile.view<?x100xf32> -> tensor<48x64xf32>
    %g = tile.load %gain[%n0] along [0] : !tile.view<100xf32> -> tensor<64xf32>
    %G = tile.broadcast %g to [1] : tensor<64xf32> -> tensor<48x64xf32>
    %a = tile.load %alpha[] along [] : !tile.view<f32> -> f32
    %A = tile.broadcast %a to [] : f32 -> tensor<48x64xf32>
    %AR = arith.mulf %A, %R : tensor<48x64xf32>
    %GY = arith.mulf %G, %Y : tensor<48x64xf32>
    %Z = arith.addf %AR, %GY : tensor<48x64xf32>
    tile.store %Z, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?x100xf32>
  }
  tile.return
}

// The gated MLP's first half: silu(x wg^T) * (x wu^T).
tile.kernel @linear_swiglu(
    %x: !tile.view<?x72xf32> {tile.access = "read"}, %wg: !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %wu: !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> {tile.access = "read"},
    %y: !tile.view<?x100xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant dense<1.0> : tensor<48x64xf32>
  %n0 = arith.muli %p, %c64 : index
  scf.for %r = %c0 to %rows step %c48 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x72xf32> -> tensor<48x72xf32>
    %Wg = tile.load %wg[%n0, %c0] along [0, 1] : !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x72xf32>
    %G = tile.dot %X, %Wg transpose_b : tensor<48x72xf32>, tensor<64x72xf32> -> tensor<48x64xf32>
    %Wu = tile.load %wu[%n0, %c0] along [0, 1] : !tile.view<100x72xf32, #tile.panels<n = 64, k = 1>> -> tensor<64x72xf32>
    %U = tile.dot %X, %Wu transpose_b : tensor<48x72xf32>, tensor<64x72xf32> -> tensor<48x64xf32>
    %minus = arith.negf %G : tensor<48x64xf32>
    %e = math.exp %minus : tensor<48x64xf32>
    %d = arith.addf %one, %e : tensor<48x64xf32>
    %S = arith.divf %G, %d : tensor<48x64xf32>
    %Z = arith.mulf %S, %U : tensor<48x64xf32>
    tile.store %Z, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?x100xf32>
  }
  tile.return
}
