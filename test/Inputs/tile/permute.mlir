// Sorts the routes (token, j) of 2 experts per token by expert, in token order: source[p] is the token of permuted row p, position[token, j] its
// row, offsets[e] the first row of expert e (5 experts; offsets[5] is the number of routes).
tile.kernel @permute(
    %experts: !tile.view<?x2xi32> {tile.access = "read"},
    %offsets: !tile.view<6xi32> {tile.access = "write"}, %source: !tile.view<?xi32> {tile.access = "write"},
    %position: !tile.view<?x2xi32> {tile.access = "write"}, %tokens: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  scf.for %e = %c0 to %c6 step %c1 {
    tile.store %zero, %offsets[%e] along [] : i32, !tile.view<6xi32>
  }
  scf.for %t = %c0 to %tokens step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %expert = tile.load %experts[%t, %j] along [] : !tile.view<?x2xi32> -> i32
      %e = arith.index_cast %expert : i32 to index
      %count = tile.load %offsets[%e] along [] : !tile.view<6xi32> -> i32
      %more = arith.addi %count, %one : i32
      tile.store %more, %offsets[%e] along [] : i32, !tile.view<6xi32>
    }
  }
  // Exclusive prefix sums in place.
  %routes = scf.for %e = %c0 to %c6 step %c1 iter_args(%before = %zero) -> i32 {
    %count = tile.load %offsets[%e] along [] : !tile.view<6xi32> -> i32
    tile.store %before, %offsets[%e] along [] : i32, !tile.view<6xi32>
    %after = arith.addi %before, %count : i32
    scf.yield %after : i32
  }
  // Placing moves each offset to the end of its expert, which is the start of the next one.
  scf.for %t = %c0 to %tokens step %c1 {
    %token = arith.index_cast %t : index to i32
    scf.for %j = %c0 to %c2 step %c1 {
      %expert = tile.load %experts[%t, %j] along [] : !tile.view<?x2xi32> -> i32
      %e = arith.index_cast %expert : i32 to index
      %place = tile.load %offsets[%e] along [] : !tile.view<6xi32> -> i32
      %row = arith.index_cast %place : i32 to index
      tile.store %token, %source[%row] along [] : i32, !tile.view<?xi32>
      tile.store %place, %position[%t, %j] along [] : i32, !tile.view<?x2xi32>
      %next = arith.addi %place, %one : i32
      tile.store %next, %offsets[%e] along [] : i32, !tile.view<6xi32>
    }
  }
  %last = scf.for %e = %c0 to %c5 step %c1 iter_args(%start = %zero) -> i32 {
    %end = tile.load %offsets[%e] along [] : !tile.view<6xi32> -> i32
    tile.store %start, %offsets[%e] along [] : i32, !tile.view<6xi32>
    scf.yield %end : i32
  }
  tile.return
}
