// RMS norm of one row per point, alone and behind a residual: D = 72, eps = 1e-5.
tile.kernel @rms_norm(
    %x: !tile.view<?x72xf32> {tile.access = "read"}, %gain: !tile.view<72xf32> {tile.access = "read"},
    %y: !tile.view<?x72xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %width = arith.constant 72.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x72xf32> -> tensor<72xf32>
  %g = tile.load %gain[%c0] along [0] : !tile.view<72xf32> -> tensor<72xf32>
  %squares = arith.mulf %v, %v : tensor<72xf32>
  %sum = tile.reduce add %squares along 0 : tensor<72xf32> -> f32
  %mean = arith.divf %sum, %width : f32
  %shifted = arith.addf %mean, %eps : f32
  %q = math.rsqrt %shifted : f32
  %Q = tile.broadcast %q to [] : f32 -> tensor<72xf32>
  %scaled = arith.mulf %v, %Q : tensor<72xf32>
  %out = arith.mulf %scaled, %g : tensor<72xf32>
  tile.store %out, %y[%r, %c0] along [1] : tensor<72xf32>, !tile.view<?x72xf32>
  tile.return
}

// s = alpha * a + beta * b is kept for the next residual, and y = norm(s) * gain.
tile.kernel @residual_rms_norm(
    %a: !tile.view<?x72xf32> {tile.access = "read"}, %b: !tile.view<?x72xf32> {tile.access = "read"},
    %alpha: !tile.view<f32> {tile.access = "read"}, %beta: !tile.view<f32> {tile.access = "read"}, %gain: !tile.view<72xf32> {tile.access = "read"},
    %s: !tile.view<?x72xf32> {tile.access = "write"}, %y: !tile.view<?x72xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %width = arith.constant 72.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %va = tile.load %a[%r, %c0] along [1] : !tile.view<?x72xf32> -> tensor<72xf32>
  %vb = tile.load %b[%r, %c0] along [1] : !tile.view<?x72xf32> -> tensor<72xf32>
  %ka = tile.load %alpha[] along [] : !tile.view<f32> -> f32
  %kb = tile.load %beta[] along [] : !tile.view<f32> -> f32
  %Ka = tile.broadcast %ka to [] : f32 -> tensor<72xf32>
  %Kb = tile.broadcast %kb to [] : f32 -> tensor<72xf32>
  %pa = arith.mulf %va, %Ka : tensor<72xf32>
  %pb = arith.mulf %vb, %Kb : tensor<72xf32>
  %v = arith.addf %pa, %pb : tensor<72xf32>
  tile.store %v, %s[%r, %c0] along [1] : tensor<72xf32>, !tile.view<?x72xf32>
  %g = tile.load %gain[%c0] along [0] : !tile.view<72xf32> -> tensor<72xf32>
  %squares = arith.mulf %v, %v : tensor<72xf32>
  %sum = tile.reduce add %squares along 0 : tensor<72xf32> -> f32
  %mean = arith.divf %sum, %width : f32
  %shifted = arith.addf %mean, %eps : f32
  %q = math.rsqrt %shifted : f32
  %Q = tile.broadcast %q to [] : f32 -> tensor<72xf32>
  %scaled = arith.mulf %v, %Q : tensor<72xf32>
  %out = arith.mulf %scaled, %g : tensor<72xf32>
  tile.store %out, %y[%r, %c0] along [1] : tensor<72xf32>, !tile.view<?x72xf32>
  tile.return
}
