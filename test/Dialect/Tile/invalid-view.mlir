// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of a view refuses what breaks it.

// view_c1
// expected-error @+1 {{view expected dimension 1 to be static}}
tile.kernel @view_c1(%x: !tile.view<4x?xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c1_zero
// expected-error @+1 {{view expected positive dimensions, got 0 for dimension 1}}
tile.kernel @view_c1_zero(%x: !tile.view<?x0xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c1_paged
// expected-error @+1 {{view expected dimension 2 to be static}}
tile.kernel @view_c1_paged(%x: !tile.view<?x?x?x8xf32, #tile.paged<page = 4, table = 2, strides = [8, 32, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c2
// expected-error @+1 {{view expected elements of integer or float type of whole bytes, got 'i1'}}
tile.kernel @view_c2(%x: !tile.view<?xi1> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c2_tensor
// expected-error @+1 {{view expected elements of integer or float type of whole bytes, got 'index'}}
tile.kernel @view_c2_tensor(%x: !tile.view<?xindex> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c3
// expected-error @+1 {{view expected a layout of #tile.strided, #tile.panels or #tile.paged, got "packed"}}
tile.kernel @view_c3(%x: !tile.view<?xf32, "packed"> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c4
// expected-error @+1 {{view expected one stride per dimension, got 1 strides for rank 2}}
tile.kernel @view_c4(%x: !tile.view<?x4xf32, #tile.strided<[4]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c4_negative
// expected-error @+1 {{view expected strides of at least 0, got -4}}
tile.kernel @view_c4_negative(%x: !tile.view<?x4xf32, #tile.strided<[-4, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c4_offset
// expected-error @+1 {{view expected an offset of at least 0, got -1}}
tile.kernel @view_c4_offset(%x: !tile.view<?x4xf32, #tile.strided<[4, 1], offset = -1>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c5
// expected-error @+1 {{view expected panels of positive n and k, got n = 0, k = 1}}
tile.kernel @view_c5(%x: !tile.view<8x4xf32, #tile.panels<n = 0, k = 1>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c5_rank
// expected-error @+1 {{view in panels expected rank 2 or more, got 1}}
tile.kernel @view_c5_rank(%x: !tile.view<8xf32, #tile.panels<n = 4, k = 1>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c5_dynamic
// expected-error @+1 {{view in panels expected its last two dimensions to be static}}
tile.kernel @view_c5_dynamic(%x: !tile.view<?x4xf32, #tile.panels<n = 4, k = 1>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c6_rank
// expected-error @+1 {{paged view expected rank 4 (slot, position, head, channel), got 3}}
tile.kernel @view_c6_rank(%x: !tile.view<?x4x8xf32, #tile.paged<page = 4, table = 2, strides = [8, 32, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c6_page
// expected-error @+1 {{paged view expected positive page and table, got page = 0, table = 2}}
tile.kernel @view_c6_page(%x: !tile.view<?x?x2x8xf32, #tile.paged<page = 0, table = 2, strides = [8, 32, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c6_strides
// expected-error @+1 {{paged view expected 3 strides (position, head, channel), got 2}}
tile.kernel @view_c6_strides(%x: !tile.view<?x?x2x8xf32, #tile.paged<page = 4, table = 2, strides = [8, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c6_beyond
// expected-error @+1 {{paged view expected elements below 64 within a page, got one at 64}}
tile.kernel @view_c6_beyond(%x: !tile.view<?x?x2x8xf32, #tile.paged<page = 4, table = 2, strides = [8, 33, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// view_c6_negative
// expected-error @+1 {{paged view expected strides of at least 0, got -1}}
tile.kernel @view_c6_negative(%x: !tile.view<?x?x2x8xf32, #tile.paged<page = 4, table = 2, strides = [8, -1, 1]>> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}
