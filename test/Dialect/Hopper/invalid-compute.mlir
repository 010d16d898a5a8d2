// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of products, maps, reductions and selections refuses what breaks it.

!acc = !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>
!tile = !hopper.shared<64x64xbf16>

// multiply_c1
func.func @multiply_c1(%acc: !acc, %a: !tile, %b: !tile) {
  // expected-error @+1 {{expected an f32 fragment with an accumulator layout}}
  %p = hopper.multiply %acc, %a, %b : !tile, !tile -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// multiply_c1_shapes
func.func @multiply_c1_shapes(%acc: !acc, %a: !hopper.shared<64x32xbf16>, %b: !hopper.shared<64x32xbf16>) {
  // expected-error @+1 {{expected operands of 64 x K and K x 64, got 64 x 32 and 64 x 32}}
  %p = hopper.multiply %acc, %a, %b : !hopper.shared<64x32xbf16>, !hopper.shared<64x32xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// multiply_c1_left
func.func @multiply_c1_left(%acc: !acc, %a: i32, %b: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected a to be a fragment or a shared tile, got 'i32'}}
  %p = hopper.multiply %acc, %a, %b : i32, !hopper.shared<64x64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// multiply_c1_rank
func.func @multiply_c1_rank(%acc: !acc, %a: !hopper.shared<64x64xbf16>, %b: !hopper.shared<64xbf16>) {
  // expected-error @+1 {{expected operands of rank 2}}
  %p = hopper.multiply %acc, %a, %b : !hopper.shared<64x64xbf16>, !hopper.shared<64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// multiply_c2
func.func @multiply_c2(%acc: !acc, %a: !hopper.shared<64x64xf32>, %b: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected bf16 operands with K a multiple of 16, got 'f32', 'bf16' and K = 64}}
  %p = hopper.multiply %acc, %a, %b : !hopper.shared<64x64xf32>, !hopper.shared<64x64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// multiply_c2_depth
func.func @multiply_c2_depth(%acc: !acc, %a: !hopper.shared<64x24xbf16>, %b: !hopper.shared<24x64xbf16>) {
  // expected-error @+1 {{expected bf16 operands with K a multiple of 16, got 'bf16', 'bf16' and K = 24}}
  %p = hopper.multiply %acc, %a, %b : !hopper.shared<64x24xbf16>, !hopper.shared<24x64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<2 x 2>>
!left = !hopper.fragment<64x64xbf16, #hopper.accumulator<2 x 2>>

// multiply_c3
func.func @multiply_c3(%acc: !acc, %a: !left, %b: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected a register operand in the result's layout, with one column of warps and no transpose}}
  %p = hopper.multiply %acc, %a, %b : !left, !hopper.shared<64x64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.fragment<64x64xbf16, #hopper.accumulator<2 x 1>>

// multiply_c3_layout
func.func @multiply_c3_layout(%acc: !acc, %a: !left, %b: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected a register operand in the result's layout, with one column of warps and no transpose}}
  %p = hopper.multiply %acc, %a, %b : !left, !hopper.shared<64x64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!left = !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>

// multiply_c3_transpose
func.func @multiply_c3_transpose(%acc: !acc, %a: !left, %b: !hopper.shared<64x64xbf16>) {
  // expected-error @+1 {{expected a register operand in the result's layout, with one column of warps and no transpose}}
  %p = hopper.multiply %acc, %a, %b transpose_a : !left, !hopper.shared<64x64xbf16> -> !acc
  return
}

// -----

!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// multiply_c4
func.func @multiply_c4(%acc: !acc, %a: !hopper.shared<64x64xbf16>, %b: !hopper.shared<64x64xbf16, stages = 3>) {
  // expected-error @+1 {{expected a stage exactly where an operand has several}}
  %p = hopper.multiply %acc, %a, %b : !hopper.shared<64x64xbf16>, !hopper.shared<64x64xbf16, stages = 3> -> !acc
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!other = !hopper.fragment<64x64xf32, #hopper.spread<4>>

// map_c1
func.func @map_c1(%x: !other) {
  // expected-error @+1 {{expected operands of the results' shape and layout, or slices of it}}
  %y = hopper.map(%x) : (!other) -> !whole {
  ^bb0(%a: f32):
    hopper.yield %a : f32
  }
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!other = !hopper.fragment<64x64xf32, #hopper.spread<4>>

// map_c1_results
func.func @map_c1_results(%x: !whole) {
  // expected-error @+1 {{expected results of one shape and layout}}
  %y:2 = hopper.map(%x) : (!whole) -> (!whole, !other) {
  ^bb0(%a: f32):
    hopper.yield %a, %a : f32, f32
  }
  return
}

// -----

// map_c1_none
func.func @map_c1_none() {
  // expected-error @+1 {{expected at least one result}}
  hopper.map() : () -> () {
    hopper.yield
  }
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// map_c2
func.func @map_c2(%x: !whole) {
  // expected-error @+1 {{expected one body argument per operand, got 0 for 1}}
  %y = hopper.map(%x) : (!whole) -> !whole {
    %a = arith.constant 0.0 : f32
    hopper.yield %a : f32
  }
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// map_c2_argument
func.func @map_c2_argument(%x: !whole) {
  // expected-error @+1 {{expected a body argument of type 'f32', got 'i32'}}
  %y = hopper.map(%x) : (!whole) -> !whole {
  ^bb0(%a: i32):
    %b = arith.sitofp %a : i32 to f32
    hopper.yield %b : f32
  }
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// map_c2_yield
func.func @map_c2_yield(%x: !whole) {
  // expected-error @+1 {{expected the body to yield 1 values}}
  %y = hopper.map(%x) : (!whole) -> !whole {
  ^bb0(%a: f32):
    hopper.yield %a, %a : f32, f32
  }
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// map_c2_type
func.func @map_c2_type(%x: !whole) {
  // expected-error @+1 {{expected to yield 'f32', got 'bf16'}}
  %y = hopper.map(%x) : (!whole) -> !whole {
  ^bb0(%a: f32):
    %b = arith.truncf %a : f32 to bf16
    hopper.yield %b : bf16
  }
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>

// map_c3
func.func @map_c3(%x: !whole) {
  %y = hopper.map(%x) : (!whole) -> !whole {
  ^bb0(%a: f32):
    // expected-error @+1 {{is not allowed in a map, whose body has scalar ops of arith and math}}
    hopper.barrier
    hopper.yield %a : f32
  }
  return
}

// -----

// coordinate_c1
func.func @coordinate_c1() {
  %y = hopper.map() : () -> !hopper.fragment<64xi32, #hopper.spread<1>> {
    // expected-error @+1 {{expected a dimension of '!hopper.fragment<64xi32, #hopper.spread<1>>', got 1}}
    %i = hopper.coordinate 1
    hopper.yield %i : i32
  }
  return
}

// -----

// lookup_c1
func.func @lookup_c1() {
  %y = hopper.map() : () -> !hopper.fragment<4xf32, #hopper.spread<1>> {
    // expected-error @+1 {{expected a vector with an entry for each index along dimension 0}}
    %f = hopper.lookup dense<[1.0, 0.5]> : tensor<2xf32> at 0 -> f32
    hopper.yield %f : f32
  }
  return
}

// -----

// lookup_c1_dim
func.func @lookup_c1_dim() {
  %y = hopper.map() : () -> !hopper.fragment<2xf32, #hopper.spread<1>> {
    // expected-error @+1 {{expected a vector with an entry for each index along dimension -1}}
    %f = hopper.lookup dense<[1.0, 0.5]> : tensor<2xf32> at -1 -> f32
    hopper.yield %f : f32
  }
  return
}

// -----

// lookup_c2
func.func @lookup_c2() {
  %y = hopper.map() : () -> !hopper.fragment<2xi32, #hopper.spread<1>> {
    // expected-error @+1 {{expected a result of type 'f32', got 'i32'}}
    %f = hopper.lookup dense<[1.0, 0.5]> : tensor<2xf32> at 0 -> i32
    hopper.yield %f : i32
  }
  return
}

// -----

// reshape_c1
func.func @reshape_c1(%x: !hopper.fragment<16x64xf32, #hopper.spread<4>>) {
  // expected-error @+1 {{expected the same elements spread by the same vector}}
  %y = hopper.reshape %x : !hopper.fragment<16x64xf32, #hopper.spread<4>> -> !hopper.fragment<1024xf32, #hopper.spread<2>>
  return
}

// -----

// reduce_c1
func.func @reduce_c1(%x: !hopper.fragment<64xf32, #hopper.spread<2>>) {
  // expected-error @+1 {{expected a dimension of '!hopper.fragment<64xf32, #hopper.spread<2>>', got 1}}
  %y = hopper.reduce add %x along 1 : !hopper.fragment<64xf32, #hopper.spread<2>> -> f32
  return
}

// -----

// reduce_c2
func.func @reduce_c2(%x: !hopper.fragment<64xf32, #hopper.spread<2>>) {
  // expected-error @+1 {{expected a result of type 'f32', got 'bf16'}}
  %y = hopper.reduce add %x along 0 : !hopper.fragment<64xf32, #hopper.spread<2>> -> bf16
  return
}

// -----

!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!columns = !hopper.fragment<64xf32, #hopper.slice<dim = 0, #hopper.accumulator<4 x 1>>>

// reduce_c2_slice
func.func @reduce_c2_slice(%x: !whole) {
  // expected-error @+1 {{without dimension 1, got '!hopper.fragment<64xf32, #hopper.slice<dim = 0, #hopper.accumulator<4 x 1>>>'}}
  %y = hopper.reduce max %x along 1 : !whole -> !columns
  return
}

// -----

!rows = !hopper.fragment<1x32xf32, #hopper.spread<1>>

// top_k_c1
func.func @top_k_c1(%x: !rows) {
  // expected-error @+1 {{expected [R, C] of f32 to values [R, k] and columns [R, k] of i32 spread by 1}}
  %v, %c = hopper.top_k %x : !rows -> !hopper.fragment<1x2xf32, #hopper.spread<2>>, !hopper.fragment<1x2xi32, #hopper.spread<2>>
  return
}

// -----

!rows = !hopper.fragment<1x32xf32, #hopper.spread<1>>

// top_k_c1_count
func.func @top_k_c1_count(%x: !rows) {
  // expected-error @+1 {{expected [R, C] of f32 to values [R, k] and columns [R, k] of i32 spread by 1}}
  %v, %c = hopper.top_k %x : !rows -> !hopper.fragment<1x33xf32, #hopper.spread<1>>, !hopper.fragment<1x33xi32, #hopper.spread<1>>
  return
}
