// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of loads, stores and copies refuses what breaks it.

// load_c1
func.func @load_c1(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected one index per view dimension, got 1 for rank 2}}
  %v = hopper.load %x[%i] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c2
func.func @load_c2(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected along to name dimensions of a view of rank 2 in increasing order, got 1, 0}}
  %v = hopper.load %x[%i, %i] along [1, 0] : !tile.view<?x64xf32> -> !hopper.fragment<8x64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c2_name
func.func @load_c2_name(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected along to name dimensions of a view of rank 2 in increasing order, got 2}}
  %v = hopper.load %x[%i, %i] along [2] : !tile.view<?x64xf32> -> !hopper.fragment<64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c2_rank
func.func @load_c2_rank(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected one entry of along per dimension of the tile, got 1 for rank 2}}
  %v = hopper.load %x[%i, %i] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<8x64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c3
func.func @load_c3(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected the view's element type 'f32', got 'bf16'}}
  %v = hopper.load %x[%i, %i] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<64xbf16, #hopper.spread<2>>
  return
}

// -----

// load_c3_scalar
func.func @load_c3_scalar(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected neither limit nor rows nor extents for a scalar}}
  %v = hopper.load %x[%i, %i] along [] limit(%i) : !tile.view<?x64xf32> -> f32
  return
}

// -----

// load_c4
func.func @load_c4(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected extents within 16, 64, got 17, 64}}
  %v = hopper.load %x[%i, %i] along [0, 1] extents [17, 64] : !tile.view<?x64xf32> -> !hopper.fragment<16x64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c4_number
func.func @load_c4_number(%x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected extents within 16, 64, got 16}}
  %v = hopper.load %x[%i, %i] along [0, 1] extents [16] : !tile.view<?x64xf32> -> !hopper.fragment<16x64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c5
func.func @load_c5(%x: !tile.view<?x64xf32>, %i: index, %rows: !hopper.shared<16xf32>) {
  // expected-error @+1 {{expected rows to be a vector of 16 i32 or more in one stage, got '!hopper.shared<16xf32>'}}
  %v = hopper.load %x[%i, %i] along [0, 1] rows(%rows : !hopper.shared<16xf32>) : !tile.view<?x64xf32> -> !hopper.fragment<16x64xf32, #hopper.spread<2>>
  return
}

// -----

// load_c5_few
func.func @load_c5_few(%x: !tile.view<?x64xf32>, %i: index, %rows: !hopper.shared<8xi32>) {
  // expected-error @+1 {{expected rows to be a vector of 9 i32 or more in one stage, got '!hopper.shared<8xi32>'}}
  %v = hopper.load %x[%i, %i] along [0, 1] rows(%rows : !hopper.shared<8xi32>) extents [9, 64] : !tile.view<?x64xf32> -> !hopper.fragment<16x64xf32, #hopper.spread<2>>
  return
}

// -----

// store_c1
func.func @store_c1(%v: !hopper.fragment<64xf32, #hopper.spread<2>>, %x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected one index per view dimension, got 3 for rank 2}}
  hopper.store %v, %x[%i, %i, %i] along [1] : !hopper.fragment<64xf32, #hopper.spread<2>>, !tile.view<?x64xf32>
  return
}

// -----

// store_c2
func.func @store_c2(%v: !hopper.fragment<64xf32, #hopper.spread<2>>, %x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected along to name dimensions of a view of rank 2 in increasing order, got -1}}
  hopper.store %v, %x[%i, %i] along [-1] : !hopper.fragment<64xf32, #hopper.spread<2>>, !tile.view<?x64xf32>
  return
}

// -----

// store_c3
func.func @store_c3(%v: i32, %x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected the view's element type 'f32', got 'i32'}}
  hopper.store %v, %x[%i, %i] along [] : i32, !tile.view<?x64xf32>
  return
}

// -----

// store_c3_scalar
func.func @store_c3_scalar(%v: f32, %x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected neither limit nor extents for a scalar}}
  hopper.store %v, %x[%i, %i] along [] limit(%i) : f32, !tile.view<?x64xf32>
  return
}

// -----

// store_c4
func.func @store_c4(%v: !hopper.fragment<16x64xf32, #hopper.accumulator<1 x 4>>, %x: !tile.view<?x64xf32>, %i: index) {
  // expected-error @+1 {{expected extents within 16, 64, got 0, 64}}
  hopper.store %v, %x[%i, %i] along [0, 1] extents [0, 64] : !hopper.fragment<16x64xf32, #hopper.accumulator<1 x 4>>, !tile.view<?x64xf32>
  return
}

// -----

// copy_c1
func.func @copy_c1(%w: !tile.view<128x64xbf16>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected one index per view dimension, got 1 for rank 2}}
  hopper.copy %w[%i] along [0, 1] to %s : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c2
func.func @copy_c2(%w: !tile.view<128x64xbf16>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected one entry of along per dimension of the tile, got 1 for rank 2}}
  hopper.copy %w[%i, %i] along [1] to %s : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c3
func.func @copy_c3(%w: !tile.view<128x64xf32>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected the view's element type 'f32', got 'bf16'}}
  hopper.copy %w[%i, %i] along [0, 1] to %s : !tile.view<128x64xf32>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c3_rank
func.func @copy_c3_rank(%w: !tile.view<128x64xbf16>, %i: index, %s: !hopper.shared<64xbf16>) {
  // expected-error @+1 {{expected a shared tile of rank 2, got '!hopper.shared<64xbf16>'}}
  hopper.copy %w[%i, %i] along [1] to %s : !tile.view<128x64xbf16>, !hopper.shared<64xbf16>
  return
}

// -----

// copy_c4
func.func @copy_c4(%w: !tile.view<128x64xbf16>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected extents within 64, 64, got 64, 65}}
  hopper.copy %w[%i, %i] along [0, 1] extents [64, 65] to %s : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c5
func.func @copy_c5(%w: !tile.view<128x64xbf16>, %i: index, %rows: !hopper.shared<64xi32, stages = 2>, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected rows to be a vector of 64 i32 or more in one stage}}
  hopper.copy %w[%i, %i] along [0, 1] rows(%rows : !hopper.shared<64xi32, stages = 2>) to %s : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c6
func.func @copy_c6(%w: !tile.view<128x64xbf16>, %i: index, %s: !hopper.shared<64x64xbf16, stages = 3>) {
  // expected-error @+1 {{expected a stage exactly where the tile has several, got none for 3 stages}}
  hopper.copy %w[%i, %i] along [0, 1] to %s : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16, stages = 3>
  return
}

// -----

// copy_c6_single
func.func @copy_c6_single(%w: !tile.view<128x64xbf16>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected a stage exactly where the tile has several, got one for 1 stages}}
  hopper.copy %w[%i, %i] along [0, 1] to %s stage %i : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c7
func.func @copy_c7(%w: !tile.view<64x128xbf16, #tile.strided<[1, 64]>>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected contiguous rows that begin at multiples of 16 bytes}}
  hopper.copy %w[%i, %i] along [0, 1] to %s : !tile.view<64x128xbf16, #tile.strided<[1, 64]>>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c8
hopper.kernel @copy_c8(%w: !tile.view<?x64xbf16> {tile.access = "read"}, %l: !tile.view<?xi32> {tile.access = "readwrite"}) domain(%p in #tile.extent<fixed, 1>)
    threads 128 blocks 1 {
  %s = hopper.alloc : !hopper.shared<64x64xbf16>
  // expected-error @+1 {{expected either rows or a list that is a vector of i32 that the kernel only reads}}
  hopper.copy %w[%p, %p] along [0, 1] list(%l[%p] : !tile.view<?xi32>) to %s : !tile.view<?x64xbf16>, !hopper.shared<64x64xbf16>
  hopper.return
}

// -----

// copy_c8_both
hopper.kernel @copy_c8_both(%w: !tile.view<?x64xbf16> {tile.access = "read"}, %l: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>)
    threads 128 blocks 1 {
  %s = hopper.alloc : !hopper.shared<64x64xbf16>
  %r = hopper.alloc : !hopper.shared<64xi32>
  // expected-error @+1 {{expected either rows or a list that is a vector of i32 that the kernel only reads}}
  hopper.copy %w[%p, %p] along [0, 1] rows(%r : !hopper.shared<64xi32>) list(%l[%p] : !tile.view<?xi32>) to %s : !tile.view<?x64xbf16>, !hopper.shared<64x64xbf16>
  hopper.return
}

// -----

// copy_c7_stride
func.func @copy_c7_stride(%w: !tile.view<128x60xbf16>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected contiguous rows that begin at multiples of 16 bytes}}
  hopper.copy %w[%i, %i] along [0, 1] to %s : !tile.view<128x60xbf16>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c7_offset
func.func @copy_c7_offset(%w: !tile.view<128x64xbf16, #tile.strided<[64, 1], offset = 4>>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected contiguous rows that begin at multiples of 16 bytes}}
  hopper.copy %w[%i, %i] along [0, 1] to %s : !tile.view<128x64xbf16, #tile.strided<[64, 1], offset = 4>>, !hopper.shared<64x64xbf16>
  return
}

// -----

// copy_c7_paged
func.func @copy_c7_paged(%w: !tile.view<?x?x2x12xbf16, #tile.paged<page = 4, table = 2, strides = [24, 12, 1]>>, %i: index, %s: !hopper.shared<16x16xbf16>) {
  // expected-error @+1 {{expected contiguous rows that begin at multiples of 16 bytes}}
  hopper.copy %w[%i, %i, %i, %i] along [1, 3] to %s : !tile.view<?x?x2x12xbf16, #tile.paged<page = 4, table = 2, strides = [24, 12, 1]>>, !hopper.shared<16x16xbf16>
  return
}

// -----

// copy_c7_panels
func.func @copy_c7_panels(%w: !tile.view<64x64xbf16, #tile.panels<n = 16, k = 2, pad = 64>>, %i: index, %s: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected contiguous rows that begin at multiples of 16 bytes}}
  hopper.copy %w[%i, %i] along [0, 1] to %s : !tile.view<64x64xbf16, #tile.panels<n = 16, k = 2, pad = 64>>, !hopper.shared<64x64xbf16>
  return
}
