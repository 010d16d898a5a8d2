// Causal softmax attention with 4 query heads on 2 key-value heads of 16 channels, over a paged cache (K channel-major, V position-major in pages of 64
// positions, 4 pages per slot), with an online softmax. Prefill tiles have 16 rows x 2 heads of a group, decode one row.
tile.kernel @attention_prefill(
    %q: !tile.view<?x4x16xf32> {tile.access = "read"},
    %kcache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>> {tile.access = "read"},
    %vcache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [16, 1024, 1]>> {tile.access = "read"},
    %o: !tile.view<?x4x16xf32> {tile.access = "write"}, %work: !tile.ragged {tile.work = #tile.work<prefill, 16>})
    domain(%t in #tile.extent<work, 4>, %g in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %slot, %row, %rows, %position = tile.point %work[%t]
  %h = arith.muli %g, %c2 : index
  %Q3 = tile.load %q[%row, %h, %c0] along [0, 1, 2] limit(%rows) : !tile.view<?x4x16xf32> -> tensor<16x2x16xf32>
  %Q2 = tile.reshape %Q3 : tensor<16x2x16xf32> -> tensor<32x16xf32>
  %scale = arith.constant dense<0.25> : tensor<32x16xf32>
  %Q = arith.mulf %Q2, %scale : tensor<32x16xf32>
  // Position of each of the rows x 2 queries, as a column.
  %i = tile.iota 0 : tensor<32xi32>
  %two = arith.constant dense<2> : tensor<32xi32>
  %inTile = arith.divsi %i, %two : tensor<32xi32>
  %position32 = arith.index_cast %position : index to i32
  %first = tile.broadcast %position32 to [] : i32 -> tensor<32xi32>
  %at = arith.addi %first, %inTile : tensor<32xi32>
  %At = tile.broadcast %at to [0] : tensor<32xi32> -> tensor<32x64xi32>
  %column = tile.iota 1 : tensor<32x64xi32>
  %hidden = arith.constant dense<0xFF800000> : tensor<32x64xf32>
  %end = arith.addi %position, %rows : index
  %m0 = arith.constant dense<0xFF800000> : tensor<32xf32>
  %l0 = arith.constant dense<0.0> : tensor<32xf32>
  %O0 = arith.constant dense<0.0> : tensor<32x16xf32>
  %mn, %ln, %On = scf.for %j = %c0 to %end step %c64 iter_args(%m = %m0, %l = %l0, %O = %O0) -> (tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>) {
    %left = arith.subi %end, %j : index
    %n = arith.minsi %left, %c64 : index
    %K = tile.load %kcache[%slot, %j, %g, %c0] along [1, 3] limit(%n) : !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>> -> tensor<64x16xf32>
    %V = tile.load %vcache[%slot, %j, %g, %c0] along [1, 3] limit(%n) : !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [16, 1024, 1]>> -> tensor<64x16xf32>
    %S = tile.dot %Q, %K transpose_b : tensor<32x16xf32>, tensor<64x16xf32> -> tensor<32x64xf32>
    %j32 = arith.index_cast %j : index to i32
    %J = tile.broadcast %j32 to [] : i32 -> tensor<32x64xi32>
    %key = arith.addi %J, %column : tensor<32x64xi32>
    %seen = arith.cmpi sle, %key, %At : tensor<32x64xi32>
    %Sm = arith.select %seen, %S, %hidden : tensor<32x64xi1>, tensor<32x64xf32>
    %mj = tile.reduce max %Sm along 1 : tensor<32x64xf32> -> tensor<32xf32>
    %m1 = arith.maximumf %m, %mj : tensor<32xf32>
    %M1 = tile.broadcast %m1 to [0] : tensor<32xf32> -> tensor<32x64xf32>
    %x = arith.subf %Sm, %M1 : tensor<32x64xf32>
    %P = math.exp %x : tensor<32x64xf32>
    %dm = arith.subf %m, %m1 : tensor<32xf32>
    %a = math.exp %dm : tensor<32xf32>
    %la = arith.mulf %l, %a : tensor<32xf32>
    %lj = tile.reduce add %P along 1 : tensor<32x64xf32> -> tensor<32xf32>
    %l1 = arith.addf %la, %lj : tensor<32xf32>
    %A = tile.broadcast %a to [0] : tensor<32xf32> -> tensor<32x16xf32>
    %Oa = arith.mulf %O, %A : tensor<32x16xf32>
    %O1 = tile.dot %P, %V acc(%Oa) : tensor<32x64xf32>, tensor<64x16xf32> -> tensor<32x16xf32>
    scf.yield %m1, %l1, %O1 : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>
  }
  %L = tile.broadcast %ln to [0] : tensor<32xf32> -> tensor<32x16xf32>
  %R2 = arith.divf %On, %L : tensor<32x16xf32>
  %R3 = tile.reshape %R2 : tensor<32x16xf32> -> tensor<16x2x16xf32>
  tile.store %R3, %o[%row, %h, %c0] along [0, 1, 2] limit(%rows) : tensor<16x2x16xf32>, !tile.view<?x4x16xf32>
  tile.return
}

tile.kernel @attention_decode(
    %q: !tile.view<?x4x16xf32> {tile.access = "read"},
    %kcache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>> {tile.access = "read"},
    %vcache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [16, 1024, 1]>> {tile.access = "read"},
    %o: !tile.view<?x4x16xf32> {tile.access = "write"}, %work: !tile.ragged {tile.work = #tile.work<decode>})
    domain(%t in #tile.extent<work, 4>, %g in #tile.extent<fixed, 2>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %slot, %row, %rows, %position = tile.point %work[%t]
  %h = arith.muli %g, %c2 : index
  %Q3 = tile.load %q[%row, %h, %c0] along [0, 1, 2] limit(%rows) : !tile.view<?x4x16xf32> -> tensor<1x2x16xf32>
  %Q2 = tile.reshape %Q3 : tensor<1x2x16xf32> -> tensor<2x16xf32>
  %scale = arith.constant dense<0.25> : tensor<2x16xf32>
  %Q = arith.mulf %Q2, %scale : tensor<2x16xf32>
  // Position of each of the rows x 2 queries, as a column.
  %i = tile.iota 0 : tensor<2xi32>
  %two = arith.constant dense<2> : tensor<2xi32>
  %inTile = arith.divsi %i, %two : tensor<2xi32>
  %position32 = arith.index_cast %position : index to i32
  %first = tile.broadcast %position32 to [] : i32 -> tensor<2xi32>
  %at = arith.addi %first, %inTile : tensor<2xi32>
  %At = tile.broadcast %at to [0] : tensor<2xi32> -> tensor<2x64xi32>
  %column = tile.iota 1 : tensor<2x64xi32>
  %hidden = arith.constant dense<0xFF800000> : tensor<2x64xf32>
  %end = arith.addi %position, %rows : index
  %m0 = arith.constant dense<0xFF800000> : tensor<2xf32>
  %l0 = arith.constant dense<0.0> : tensor<2xf32>
  %O0 = arith.constant dense<0.0> : tensor<2x16xf32>
  %mn, %ln, %On = scf.for %j = %c0 to %end step %c64 iter_args(%m = %m0, %l = %l0, %O = %O0) -> (tensor<2xf32>, tensor<2xf32>, tensor<2x16xf32>) {
    %left = arith.subi %end, %j : index
    %n = arith.minsi %left, %c64 : index
    %K = tile.load %kcache[%slot, %j, %g, %c0] along [1, 3] limit(%n) : !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>> -> tensor<64x16xf32>
    %V = tile.load %vcache[%slot, %j, %g, %c0] along [1, 3] limit(%n) : !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 4, strides = [16, 1024, 1]>> -> tensor<64x16xf32>
    %S = tile.dot %Q, %K transpose_b : tensor<2x16xf32>, tensor<64x16xf32> -> tensor<2x64xf32>
    %j32 = arith.index_cast %j : index to i32
    %J = tile.broadcast %j32 to [] : i32 -> tensor<2x64xi32>
    %key = arith.addi %J, %column : tensor<2x64xi32>
    %seen = arith.cmpi sle, %key, %At : tensor<2x64xi32>
    %Sm = arith.select %seen, %S, %hidden : tensor<2x64xi1>, tensor<2x64xf32>
    %mj = tile.reduce max %Sm along 1 : tensor<2x64xf32> -> tensor<2xf32>
    %m1 = arith.maximumf %m, %mj : tensor<2xf32>
    %M1 = tile.broadcast %m1 to [0] : tensor<2xf32> -> tensor<2x64xf32>
    %x = arith.subf %Sm, %M1 : tensor<2x64xf32>
    %P = math.exp %x : tensor<2x64xf32>
    %dm = arith.subf %m, %m1 : tensor<2xf32>
    %a = math.exp %dm : tensor<2xf32>
    %la = arith.mulf %l, %a : tensor<2xf32>
    %lj = tile.reduce add %P along 1 : tensor<2x64xf32> -> tensor<2xf32>
    %l1 = arith.addf %la, %lj : tensor<2xf32>
    %A = tile.broadcast %a to [0] : tensor<2xf32> -> tensor<2x16xf32>
    %Oa = arith.mulf %O, %A : tensor<2x16xf32>
    %O1 = tile.dot %P, %V acc(%Oa) : tensor<2x64xf32>, tensor<64x16xf32> -> tensor<2x16xf32>
    scf.yield %m1, %l1, %O1 : tensor<2xf32>, tensor<2xf32>, tensor<2x16xf32>
  }
  %L = tile.broadcast %ln to [0] : tensor<2xf32> -> tensor<2x16xf32>
  %R2 = arith.divf %On, %L : tensor<2x16xf32>
  %R3 = tile.reshape %R2 : tensor<2x16xf32> -> tensor<1x2x16xf32>
  tile.store %R3, %o[%row, %h, %c0] along [0, 1, 2] limit(%rows) : tensor<1x2x16xf32>, !tile.view<?x4x16xf32>
  tile.return
}
