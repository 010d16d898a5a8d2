// A dense product of bf16 activations with bf16 weights in panels of pairs along K, with a residual, rounded to bf16. K = 72, N = 100.
tile.kernel @linear_bf16(
    %x: !tile.view<?x72xbf16> {tile.access = "read"}, %w: !tile.view<100x72xbf16, #tile.panels<n = 64, k = 2>> {tile.access = "read"},
    %residual: !tile.view<?x100xbf16> {tile.access = "read"},
    %y: !tile.view<?x100xbf16> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %n0 = arith.muli %p, %c64 : index
  scf.for %r = %c0 to %rows step %c48 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x72xbf16> -> tensor<48x72xbf16>
    %W = tile.load %w[%n0, %c0] along [0, 1] : !tile.view<100x72xbf16, #tile.panels<n = 64, k = 2>> -> tensor<64x72xbf16>
    %Y = tile.dot %X, %W transpose_b : tensor<48x72xbf16>, tensor<64x72xbf16> -> tensor<48x64xf32>
    %R = tile.load %residual[%r, %n0] along [0, 1] limit(%m) : !tile.view<?x100xbf16> -> tensor<48x64xbf16>
    %Rf = arith.extf %R : tensor<48x64xbf16> to tensor<48x64xf32>
    %Z = arith.addf %Y, %Rf : tensor<48x64xf32>
    %Zb = arith.truncf %Z : tensor<48x64xf32> to tensor<48x64xbf16>
    tile.store %Zb, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xbf16>, !tile.view<?x100xbf16>
  }
  tile.return
}
