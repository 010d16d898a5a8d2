// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of fragments and shared tiles refuses what breaks it.

// fragment_c1
// expected-error @+1 {{fragment expected positive dimensions, got 0}}
func.func private @fragment_c1(!hopper.fragment<0x64xf32, #hopper.spread<1>>)

// -----

// fragment_c1_element
// expected-error @+1 {{fragment expected elements of f32, f64, bf16, i32 or i1, got 'i64'}}
func.func private @fragment_c1_element(!hopper.fragment<64xi64, #hopper.spread<1>>)

// -----

// fragment_c2
// expected-error @+1 {{fragment expected a layout of #hopper.spread, #hopper.accumulator or #hopper.slice, got "columns"}}
func.func private @fragment_c2(!hopper.fragment<64xf32, "columns">)

// -----

// fragment_c3
// expected-error @+1 {{spread fragment expected rank 1 or more, got 0}}
func.func private @fragment_c3(!hopper.fragment<f32, #hopper.spread<1>>)

// -----

// fragment_c3_divides
// expected-error @+1 {{spread fragment expected a vector of 1, 2, 4 or 8 that divides 66, got 4}}
func.func private @fragment_c3_divides(!hopper.fragment<8x66xf32, #hopper.spread<4>>)

// -----

// fragment_c3_vector
// expected-error @+1 {{spread fragment expected a vector of 1, 2, 4 or 8 that divides 66, got 3}}
func.func private @fragment_c3_vector(!hopper.fragment<8x66xf32, #hopper.spread<3>>)

// -----

// fragment_c4
// expected-error @+1 {{accumulator fragment expected rank 2, got 1}}
func.func private @fragment_c4(!hopper.fragment<64xf32, #hopper.accumulator<4 x 1>>)

// -----

// fragment_c4_rows
// expected-error @+1 {{accumulator fragment expected multiples of 16 rows and 16 columns for each of 4 x 1 warps, got 32 x 64}}
func.func private @fragment_c4_rows(!hopper.fragment<32x64xf32, #hopper.accumulator<4 x 1>>)

// -----

// fragment_c4_columns
// expected-error @+1 {{accumulator fragment expected multiples of 16 rows and 16 columns for each of 1 x 4 warps, got 32 x 72}}
func.func private @fragment_c4_columns(!hopper.fragment<32x72xf32, #hopper.accumulator<1 x 4>>)

// -----

// fragment_c4_warps
// expected-error @+1 {{accumulator fragment expected multiples of 16 rows and 16 columns for each of 0 x 1 warps, got 32 x 64}}
func.func private @fragment_c4_warps(!hopper.fragment<32x64xf32, #hopper.accumulator<0 x 1>>)

// -----

// fragment_c5
// expected-error @+1 {{slice expected rank 1, got 2}}
func.func private @fragment_c5(!hopper.fragment<64x64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>)

// -----

// fragment_c5_dim
// expected-error @+1 {{slice expected dimension 0 or 1}}
func.func private @fragment_c5_dim(!hopper.fragment<64xf32, #hopper.slice<dim = 2, #hopper.accumulator<4 x 1>>>)

// -----

// fragment_c5_parent
// expected-error @+1 {{slice expected dimension 0 or 1, and a parent that is spread}}
func.func private @fragment_c5_parent(!hopper.fragment<64xf32, #hopper.slice<dim = 1, 4 : i32>>)

// -----

// fragment_c5_size
// expected-error @+1 {{slice expected dimension 0 or 1, and a parent that is spread, with a size}}
func.func private @fragment_c5_size(!hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.spread<4>>>)

// -----

// fragment_c5_unsized
// expected-error @+1 {{or an accumulator, without one, got}}
func.func private @fragment_c5_unsized(!hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>, size = 64>>)

// -----

// fragment_c5_whole
// expected-error @+1 {{spread fragment expected a vector of 1, 2, 4 or 8 that divides 66, got 4}}
func.func private @fragment_c5_whole(!hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.spread<4>, size = 66>>)

// -----

// fragment_c5_rows
// expected-error @+1 {{accumulator fragment expected multiples of 16 rows}}
func.func private @fragment_c5_rows(!hopper.fragment<40xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>)

// -----

// shared_c1
// expected-error @+1 {{shared tile expected rank 1 or 2, got 3}}
func.func private @shared_c1(!hopper.shared<2x16x64xbf16>)

// -----

// shared_c1_size
// expected-error @+1 {{shared tile expected positive dimensions, got 0}}
func.func private @shared_c1_size(!hopper.shared<0x64xbf16>)

// -----

// shared_c1_element
// expected-error @+1 {{shared tile expected elements of f32, bf16 or i32, got 'f64'}}
func.func private @shared_c1_element(!hopper.shared<64xf64>)

// -----

// shared_c2
// expected-error @+1 {{shared tile expected a swizzle of 0, 32, 64 or 128 bytes that divides a row of 128 bytes, got 16}}
func.func private @shared_c2(!hopper.shared<16x64xbf16, swizzle = 16>)

// -----

// shared_c2_row
// expected-error @+1 {{shared tile expected a swizzle of 0, 32, 64 or 128 bytes that divides a row of 96 bytes, got 64}}
func.func private @shared_c2_row(!hopper.shared<16x48xbf16, swizzle = 64>)

// -----

// shared_c2_vector
// expected-error @+1 {{shared vector expected no swizzle, got 128}}
func.func private @shared_c2_vector(!hopper.shared<64xbf16, swizzle = 128>)

// -----

// shared_c3
// expected-error @+1 {{shared tile expected at least 1 stage, got 0}}
func.func private @shared_c3(!hopper.shared<16x64xbf16, stages = 0>)

// -----

// shared_c4
// expected-error @+1 {{shared tile expected rows of a multiple of 16 bytes, and a multiple of 8 of them, got 16 rows of 8 bytes}}
func.func private @shared_c4(!hopper.shared<16x4xbf16>)

// -----

// shared_c4_rows
// expected-error @+1 {{shared tile expected rows of a multiple of 16 bytes, and a multiple of 8 of them, got 12 rows of 128 bytes}}
func.func private @shared_c4_rows(!hopper.shared<12x64xbf16>)
