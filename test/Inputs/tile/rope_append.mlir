// Rotates the first 8 of 16 channels of 2 query heads and 1 key head (halves: channel i with i + 4), copies the others, and writes key and value of
// the row to the cache at its slot and position. q, k and v lie side by side in one product u [T, 64].
tile.kernel @rope_append(
    %q: !tile.view<?x2x16xf32, #tile.strided<[64, 16, 1]>> {tile.access = "read"},
    %k: !tile.view<?x1x16xf32, #tile.strided<[64, 16, 1], offset = 32>> {tile.access = "read"},
    %v: !tile.view<?x1x16xf32, #tile.strided<[64, 16, 1], offset = 48>> {tile.access = "read"},
    %cos: !tile.view<?x4xf32> {tile.access = "read"}, %sin: !tile.view<?x4xf32> {tile.access = "read"},
    %positions: !tile.view<?xi32> {tile.step = #tile.step<row_positions>}, %slots: !tile.view<?xi32> {tile.step = #tile.step<row_slots>},
    %kcache: !tile.view<?x?x1x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>> {tile.access = "readwrite"},
    %vcache: !tile.view<?x?x1x16xf32, #tile.paged<page = 64, table = 4, strides = [16, 1024, 1]>> {tile.access = "readwrite"},
    %qr: !tile.view<?x2x16xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %p32 = tile.load %positions[%r] along [] : !tile.view<?xi32> -> i32
  %s32 = tile.load %slots[%r] along [] : !tile.view<?xi32> -> i32
  %position = arith.index_cast %p32 : i32 to index
  %slot = arith.index_cast %s32 : i32 to index
  %c = tile.load %cos[%r, %c0] along [1] : !tile.view<?x4xf32> -> tensor<4xf32>
  %s = tile.load %sin[%r, %c0] along [1] : !tile.view<?x4xf32> -> tensor<4xf32>
  scf.for %h = %c0 to %c2 step %c1 {
    %x1 = tile.load %q[%r, %h, %c0] along [2] : !tile.view<?x2x16xf32, #tile.strided<[64, 16, 1]>> -> tensor<4xf32>
    %x2 = tile.load %q[%r, %h, %c4] along [2] : !tile.view<?x2x16xf32, #tile.strided<[64, 16, 1]>> -> tensor<4xf32>
    %rest = tile.load %q[%r, %h, %c8] along [2] : !tile.view<?x2x16xf32, #tile.strided<[64, 16, 1]>> -> tensor<8xf32>
    %x1c = arith.mulf %x1, %c : tensor<4xf32>
    %x2s = arith.mulf %x2, %s : tensor<4xf32>
    %y1 = arith.subf %x1c, %x2s : tensor<4xf32>
    %x2c = arith.mulf %x2, %c : tensor<4xf32>
    %x1s = arith.mulf %x1, %s : tensor<4xf32>
    %y2 = arith.addf %x2c, %x1s : tensor<4xf32>
    tile.store %y1, %qr[%r, %h, %c0] along [2] : tensor<4xf32>, !tile.view<?x2x16xf32>
    tile.store %y2, %qr[%r, %h, %c4] along [2] : tensor<4xf32>, !tile.view<?x2x16xf32>
    tile.store %rest, %qr[%r, %h, %c8] along [2] : tensor<8xf32>, !tile.view<?x2x16xf32>
  }
  %k1 = tile.load %k[%r, %c0, %c0] along [2] : !tile.view<?x1x16xf32, #tile.strided<[64, 16, 1], offset = 32>> -> tensor<4xf32>
  %k2 = tile.load %k[%r, %c0, %c4] along [2] : !tile.view<?x1x16xf32, #tile.strided<[64, 16, 1], offset = 32>> -> tensor<4xf32>
  %krest = tile.load %k[%r, %c0, %c8] along [2] : !tile.view<?x1x16xf32, #tile.strided<[64, 16, 1], offset = 32>> -> tensor<8xf32>
  %k1c = arith.mulf %k1, %c : tensor<4xf32>
  %k2s = arith.mulf %k2, %s : tensor<4xf32>
  %kr1 = arith.subf %k1c, %k2s : tensor<4xf32>
  %k2c = arith.mulf %k2, %c : tensor<4xf32>
  %k1s = arith.mulf %k1, %s : tensor<4xf32>
  %kr2 = arith.addf %k2c, %k1s : tensor<4xf32>
  tile.store %kr1, %kcache[%slot, %position, %c0, %c0] along [3] : tensor<4xf32>, !tile.view<?x?x1x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>>
  tile.store %kr2, %kcache[%slot, %position, %c0, %c4] along [3] : tensor<4xf32>, !tile.view<?x?x1x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>>
  tile.store %krest, %kcache[%slot, %position, %c0, %c8] along [3] : tensor<8xf32>, !tile.view<?x?x1x16xf32, #tile.paged<page = 64, table = 4, strides = [1, 1024, 64]>>
  %V = tile.load %v[%r, %c0, %c0] along [2] : !tile.view<?x1x16xf32, #tile.strided<[64, 16, 1], offset = 48>> -> tensor<16xf32>
  tile.store %V, %vcache[%slot, %position, %c0, %c0] along [3] : tensor<16xf32>, !tile.view<?x?x1x16xf32, #tile.paged<page = 64, table = 4, strides = [16, 1024, 1]>>
  tile.return
}
