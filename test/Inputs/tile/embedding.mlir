// Rows of an embedding table: 50 entries of width 40.
tile.kernel @embedding(
    %ids: !tile.view<?xi32> {tile.access = "read"}, %table: !tile.view<50x40xf32> {tile.access = "read"},
    %y: !tile.view<?x40xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %i = tile.load %ids[%r] along [] : !tile.view<?xi32> -> i32
  %id = arith.index_cast %i : i32 to index
  %v = tile.load %table[%id, %c0] along [1] : !tile.view<50x40xf32> -> tensor<40xf32>
  tile.store %v, %y[%r, %c0] along [1] : tensor<40xf32>, !tile.view<?x40xf32>
  tile.return
}
