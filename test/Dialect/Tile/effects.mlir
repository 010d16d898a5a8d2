// RUN: %mmc-opt %s --pass-pipeline="builtin.module(any(cse,canonicalize))" --split-input-file | FileCheck %s

// Loads are merged and dropped like values, but never across a store; launches that update memory stay.

// CHECK-LABEL: tile.kernel @equal_loads_merge
tile.kernel @equal_loads_merge(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  // CHECK: %[[A:.*]] = tile.load
  // CHECK-NOT: tile.load
  // CHECK: arith.addf %[[A]], %[[A]]
  %a = tile.load %x[%r] along [] : !tile.view<?xf32> -> f32
  %b = tile.load %x[%r] along [] : !tile.view<?xf32> -> f32
  %unused = tile.load %y[%r] along [] : !tile.view<?xf32> -> f32
  %s = arith.addf %a, %b : f32
  tile.store %s, %y[%r] along [] : f32, !tile.view<?xf32>
  tile.return
}

// -----

// CHECK-LABEL: tile.kernel @store_between_loads
tile.kernel @store_between_loads(%x: !tile.view<?xf32> {tile.access = "readwrite"}, %y: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  // CHECK: %[[A:.*]] = tile.load
  // CHECK: tile.store %[[A]]
  // CHECK: %[[B:.*]] = tile.load
  // CHECK: tile.store %[[B]]
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%r] along [] : !tile.view<?xf32> -> f32
  tile.store %a, %x[%c0] along [] : f32, !tile.view<?xf32>
  %b = tile.load %x[%r] along [] : !tile.view<?xf32> -> f32
  tile.store %b, %y[%r] along [] : f32, !tile.view<?xf32>
  tile.return
}

// -----

// CHECK-LABEL: tile.kernel @gather_over_store
tile.kernel @gather_over_store(%x: !tile.view<?xf32> {tile.access = "readwrite"}, %y: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  // CHECK: tile.gather
  // CHECK: tile.store
  // CHECK: tile.gather
  // CHECK: tile.store
  %c0 = arith.constant 0 : index
  %rows = tile.iota 0 : tensor<4xi32>
  %a = tile.gather %x rows %rows[%r] along [0] : !tile.view<?xf32>, tensor<4xi32> -> tensor<4xf32>
  tile.store %a, %x[%c0] along [0] : tensor<4xf32>, !tile.view<?xf32>
  %b = tile.gather %x rows %rows[%r] along [0] : !tile.view<?xf32>, tensor<4xi32> -> tensor<4xf32>
  tile.store %b, %y[%r] along [0] : tensor<4xf32>, !tile.view<?xf32>
  tile.return
}

// -----

tile.kernel @copy(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  tile.return
}
tile.kernel @step(%s: !tile.view<?xf32> {tile.access = "readwrite"}) domain(%r in #tile.extent<tokens>) {
  tile.return
}

// CHECK-LABEL: func.func @launches
func.func @launches(%x: tensor<?xf32>, %s: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK-NOT: tile.launch @copy
  // CHECK-COUNT-2: tile.launch @step
  %unused = tile.launch @copy(%x) tied [-1] : (tensor<?xf32>) -> tensor<?xf32>
  %s1 = tile.launch @step(%s) tied [0] : (tensor<?xf32>) -> tensor<?xf32>
  %s2 = tile.launch @step(%s1) tied [0] : (tensor<?xf32>) -> tensor<?xf32>
  return %s1 : tensor<?xf32>
}
