// Lightning attention over the prefill chunks of a step: 2 heads of 16 channels, q, k and v interleaved by head in one product u [T, 96]; the state is
// [slot, head, key, value]. Blocks of 32 and of 64 rows.
tile.kernel @lightning_prefill_c32(
    %q: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1]>> {tile.access = "read"},
    %k: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 16>> {tile.access = "read"},
    %v: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 32>> {tile.access = "read"},
    %rate: !tile.view<2xf32> {tile.access = "read"}, %state: !tile.view<?x2x16x16xf32> {tile.access = "readwrite"},
    %o: !tile.view<?x2x16xf32> {tile.access = "write"}, %sequences: !tile.ragged {tile.work = #tile.work<prefill>})
    domain(%s in #tile.extent<work, 6>, %h in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %block = arith.constant 32 : index
  %slot, %row, %rows, %position = tile.point %sequences[%s]
  %g = tile.load %rate[%h] along [] : !tile.view<2xf32> -> f32
  %ng = arith.negf %g : f32
  // Decay mask: exp(-g (i - j)) where i >= j, else 0; the exponent is selected before the exponential, which then never overflows.
  %i2 = tile.iota 0 : tensor<32x32xi32>
  %j2 = tile.iota 1 : tensor<32x32xi32>
  %distance = arith.subi %i2, %j2 : tensor<32x32xi32>
  %causal = arith.cmpi sge, %i2, %j2 : tensor<32x32xi32>
  %zeroI2 = arith.constant dense<0> : tensor<32x32xi32>
  %past = arith.select %causal, %distance, %zeroI2 : tensor<32x32xi1>, tensor<32x32xi32>
  %pastF = arith.sitofp %past : tensor<32x32xi32> to tensor<32x32xf32>
  %NG2 = tile.broadcast %ng to [] : f32 -> tensor<32x32xf32>
  %exponent = arith.mulf %NG2, %pastF : tensor<32x32xf32>
  %decay = math.exp %exponent : tensor<32x32xf32>
  %zero2 = arith.constant dense<0.0> : tensor<32x32xf32>
  %M = arith.select %causal, %decay, %zero2 : tensor<32x32xi1>, tensor<32x32xf32>
  // Decay from the block's start to row i, its own included: exp(-g (i + 1)).
  %i1 = tile.iota 0 : tensor<32xi32>
  %one1 = arith.constant dense<1> : tensor<32xi32>
  %after = arith.addi %i1, %one1 : tensor<32xi32>
  %afterF = arith.sitofp %after : tensor<32xi32> to tensor<32xf32>
  %NG1 = tile.broadcast %ng to [] : f32 -> tensor<32xf32>
  %qExponent = arith.mulf %NG1, %afterF : tensor<32xf32>
  %qd = math.exp %qExponent : tensor<32xf32>
  %QD = tile.broadcast %qd to [0] : tensor<32xf32> -> tensor<32x16xf32>
  %zero1 = arith.constant dense<0> : tensor<32xi32>
  %S0 = tile.load %state[%slot, %h, %c0, %c0] along [2, 3] : !tile.view<?x2x16x16xf32> -> tensor<16x16xf32>
  %Sn = scf.for %t = %c0 to %rows step %block iter_args(%S = %S0) -> (tensor<16x16xf32>) {
    %left = arith.subi %rows, %t : index
    %m = arith.minsi %left, %block : index
    %r = arith.addi %row, %t : index
    %Q = tile.load %q[%r, %h, %c0] along [0, 2] limit(%m) : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1]>> -> tensor<32x16xf32>
    %K = tile.load %k[%r, %h, %c0] along [0, 2] limit(%m) : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 16>> -> tensor<32x16xf32>
    %V = tile.load %v[%r, %h, %c0] along [0, 2] limit(%m) : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 32>> -> tensor<32x16xf32>
    // Intra-block left product, then the inter-block right product with the carried state.
    %P = tile.dot %Q, %K transpose_b : tensor<32x16xf32>, tensor<32x16xf32> -> tensor<32x32xf32>
    %Pm = arith.mulf %P, %M : tensor<32x32xf32>
    %O1 = tile.dot %Pm, %V : tensor<32x32xf32>, tensor<32x16xf32> -> tensor<32x16xf32>
    %Qd = arith.mulf %Q, %QD : tensor<32x16xf32>
    %O2 = tile.dot %Qd, %S acc(%O1) : tensor<32x16xf32>, tensor<16x16xf32> -> tensor<32x16xf32>
    tile.store %O2, %o[%r, %h, %c0] along [0, 2] limit(%m) : tensor<32x16xf32>, !tile.view<?x2x16xf32>
    // State update: S exp(-g m) + (K exp(-g max(m - 1 - i, 0)))^T V.
    %last = arith.subi %m, %c1 : index
    %last32 = arith.index_cast %last : index to i32
    %Last = tile.broadcast %last32 to [] : i32 -> tensor<32xi32>
    %behind = arith.subi %Last, %i1 : tensor<32xi32>
    %remain = arith.maxsi %behind, %zero1 : tensor<32xi32>
    %remainF = arith.sitofp %remain : tensor<32xi32> to tensor<32xf32>
    %kExponent = arith.mulf %NG1, %remainF : tensor<32xf32>
    %w = math.exp %kExponent : tensor<32xf32>
    %W = tile.broadcast %w to [0] : tensor<32xf32> -> tensor<32x16xf32>
    %Kw = arith.mulf %K, %W : tensor<32x16xf32>
    %m32 = arith.index_cast %m : index to i32
    %mF = arith.sitofp %m32 : i32 to f32
    %sExponent = arith.mulf %ng, %mF : f32
    %sd = math.exp %sExponent : f32
    %SD = tile.broadcast %sd to [] : f32 -> tensor<16x16xf32>
    %Sd = arith.mulf %S, %SD : tensor<16x16xf32>
    %S1 = tile.dot %Kw, %V acc(%Sd) transpose_a : tensor<32x16xf32>, tensor<32x16xf32> -> tensor<16x16xf32>
    scf.yield %S1 : tensor<16x16xf32>
  }
  tile.store %Sn, %state[%slot, %h, %c0, %c0] along [2, 3] : tensor<16x16xf32>, !tile.view<?x2x16x16xf32>
  tile.return
}

tile.kernel @lightning_prefill_c64(
    %q: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1]>> {tile.access = "read"},
    %k: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 16>> {tile.access = "read"},
    %v: !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 32>> {tile.access = "read"},
    %rate: !tile.view<2xf32> {tile.access = "read"}, %state: !tile.view<?x2x16x16xf32> {tile.access = "readwrite"},
    %o: !tile.view<?x2x16xf32> {tile.access = "write"}, %sequences: !tile.ragged {tile.work = #tile.work<prefill>})
    domain(%s in #tile.extent<work, 6>, %h in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %block = arith.constant 64 : index
  %slot, %row, %rows, %position = tile.point %sequences[%s]
  %g = tile.load %rate[%h] along [] : !tile.view<2xf32> -> f32
  %ng = arith.negf %g : f32
  // Decay mask: exp(-g (i - j)) where i >= j, else 0; the exponent is selected before the exponential, which then never overflows.
  %i2 = tile.iota 0 : tensor<64x64xi32>
  %j2 = tile.iota 1 : tensor<64x64xi32>
  %distance = arith.subi %i2, %j2 : tensor<64x64xi32>
  %causal = arith.cmpi sge, %i2, %j2 : tensor<64x64xi32>
  %zeroI2 = arith.constant dense<0> : tensor<64x64xi32>
  %past = arith.select %causal, %distance, %zeroI2 : tensor<64x64xi1>, tensor<64x64xi32>
  %pastF = arith.sitofp %past : tensor<64x64xi32> to tensor<64x64xf32>
  %NG2 = tile.broadcast %ng to [] : f32 -> tensor<64x64xf32>
  %exponent = arith.mulf %NG2, %pastF : tensor<64x64xf32>
  %decay = math.exp %exponent : tensor<64x64xf32>
  %zero2 = arith.constant dense<0.0> : tensor<64x64xf32>
  %M = arith.select %causal, %decay, %zero2 : tensor<64x64xi1>, tensor<64x64xf32>
  // Decay from the block's start to row i, its own included: exp(-g (i + 1)).
  %i1 = tile.iota 0 : tensor<64xi32>
  %one1 = arith.constant dense<1> : tensor<64xi32>
  %after = arith.addi %i1, %one1 : tensor<64xi32>
  %afterF = arith.sitofp %after : tensor<64xi32> to tensor<64xf32>
  %NG1 = tile.broadcast %ng to [] : f32 -> tensor<64xf32>
  %qExponent = arith.mulf %NG1, %afterF : tensor<64xf32>
  %qd = math.exp %qExponent : tensor<64xf32>
  %QD = tile.broadcast %qd to [0] : tensor<64xf32> -> tensor<64x16xf32>
  %zero1 = arith.constant dense<0> : tensor<64xi32>
  %S0 = tile.load %state[%slot, %h, %c0, %c0] along [2, 3] : !tile.view<?x2x16x16xf32> -> tensor<16x16xf32>
  %Sn = scf.for %t = %c0 to %rows step %block iter_args(%S = %S0) -> (tensor<16x16xf32>) {
    %left = arith.subi %rows, %t : index
    %m = arith.minsi %left, %block : index
    %r = arith.addi %row, %t : index
    %Q = tile.load %q[%r, %h, %c0] along [0, 2] limit(%m) : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1]>> -> tensor<64x16xf32>
    %K = tile.load %k[%r, %h, %c0] along [0, 2] limit(%m) : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 16>> -> tensor<64x16xf32>
    %V = tile.load %v[%r, %h, %c0] along [0, 2] limit(%m) : !tile.view<?x2x16xf32, #tile.strided<[96, 48, 1], offset = 32>> -> tensor<64x16xf32>
    // Intra-block left product, then the inter-block right product with the carried state.
    %P = tile.dot %Q, %K transpose_b : tensor<64x16xf32>, tensor<64x16xf32> -> tensor<64x64xf32>
    %Pm = arith.mulf %P, %M : tensor<64x64xf32>
    %O1 = tile.dot %Pm, %V : tensor<64x64xf32>, tensor<64x16xf32> -> tensor<64x16xf32>
    %Qd = arith.mulf %Q, %QD : tensor<64x16xf32>
    %O2 = tile.dot %Qd, %S acc(%O1) : tensor<64x16xf32>, tensor<16x16xf32> -> tensor<64x16xf32>
    tile.store %O2, %o[%r, %h, %c0] along [0, 2] limit(%m) : tensor<64x16xf32>, !tile.view<?x2x16xf32>
    // State update: S exp(-g m) + (K exp(-g max(m - 1 - i, 0)))^T V.
    %last = arith.subi %m, %c1 : index
    %last32 = arith.index_cast %last : index to i32
    %Last = tile.broadcast %last32 to [] : i32 -> tensor<64xi32>
    %behind = arith.subi %Last, %i1 : tensor<64xi32>
    %remain = arith.maxsi %behind, %zero1 : tensor<64xi32>
    %remainF = arith.sitofp %remain : tensor<64xi32> to tensor<64xf32>
    %kExponent = arith.mulf %NG1, %remainF : tensor<64xf32>
    %w = math.exp %kExponent : tensor<64xf32>
    %W = tile.broadcast %w to [0] : tensor<64xf32> -> tensor<64x16xf32>
    %Kw = arith.mulf %K, %W : tensor<64x16xf32>
    %m32 = arith.index_cast %m : index to i32
    %mF = arith.sitofp %m32 : i32 to f32
    %sExponent = arith.mulf %ng, %mF : f32
    %sd = math.exp %sExponent : f32
    %SD = tile.broadcast %sd to [] : f32 -> tensor<16x16xf32>
    %Sd = arith.mulf %S, %SD : tensor<16x16xf32>
    %S1 = tile.dot %Kw, %V acc(%Sd) transpose_a : tensor<64x16xf32>, tensor<64x16xf32> -> tensor<16x16xf32>
    scf.yield %S1 : tensor<16x16xf32>
  }
  tile.store %Sn, %state[%slot, %h, %c0, %c0] along [2, 3] : tensor<16x16xf32>, !tile.view<?x2x16x16xf32>
  tile.return
}
