// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-join-products))' | FileCheck %s
// Products of the same rows become one, by weights one below the other; readers get their channels.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @qkv
  // CHECK: %[[W:[0-9]+]] = model.concat %wq, %wk, %wv : tensor<64x8xf32>, tensor<16x8xf32>, tensor<32x8xf32>
  // CHECK: %[[Y:[0-9]+]] = model.dispatch -> tensor<?x112xf32, #tokens> {
  // CHECK-NEXT: %[[P:.*]] = model.linear %x, %[[W]]
  // CHECK-NEXT: model.yield %[[P]]
  // CHECK: %[[Q:[0-9]+]] = model.slice %[[Y]] from 0 : tensor<?x112xf32, #tokens> -> tensor<?x64xf32, #tokens>
  // CHECK: %[[K:[0-9]+]] = model.slice %[[Y]] from 64 : tensor<?x112xf32, #tokens> -> tensor<?x16xf32, #tokens>
  // CHECK: %[[V:[0-9]+]] = model.slice %[[Y]] from 80 : tensor<?x112xf32, #tokens> -> tensor<?x32xf32, #tokens>
  // CHECK-NOT: model.dispatch
  // CHECK: model.return %[[Q]], %[[K]], %[[V]]
  model.func @qkv(%x: tensor<?x8xf32, #tokens>) -> (tensor<?x64xf32, #tokens>, tensor<?x16xf32, #tokens>, tensor<?x32xf32, #tokens>) {
    %wq = model.weight "wq" : tensor<64x8xf32>
    %q = model.linear %x, %wq : tensor<?x8xf32, #tokens>, tensor<64x8xf32>
    %wk = model.weight "wk" : tensor<16x8xf32>
    %k = model.linear %x, %wk : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %wv = model.weight "wv" : tensor<32x8xf32>
    %v = model.linear %x, %wv : tensor<?x8xf32, #tokens>, tensor<32x8xf32>
    model.return %q, %k, %v : tensor<?x64xf32, #tokens>, tensor<?x16xf32, #tokens>, tensor<?x32xf32, #tokens>
  }

  // Activations go along. The gate, which nobody rounded before, is stored as the other one is, and widened by its reader.
  // CHECK-LABEL: model.func @activated
  // CHECK: %[[Y:[0-9]+]] = model.dispatch -> tensor<?x192xbf16, #tokens> {
  // CHECK-NEXT: %[[P:.*]] = model.linear
  // CHECK-NEXT: %[[A:.*]] = model.slice %[[P]] from 0
  // CHECK-NEXT: %[[S:.*]] = model.silu %[[A]]
  // CHECK-NEXT: %[[SB:.*]] = arith.truncf %[[S]]
  // CHECK-NEXT: %[[B:.*]] = model.slice %[[P]] from 128
  // CHECK-NEXT: %[[G:.*]] = model.sigmoid %[[B]]
  // CHECK-NEXT: %[[GB:.*]] = arith.truncf %[[G]]
  // CHECK-NEXT: %[[C:.*]] = model.concat %[[SB]], %[[GB]]
  // CHECK-NEXT: model.yield %[[C]]
  // CHECK: %[[U:[0-9]+]] = model.slice %[[Y]] from 0
  // CHECK: %[[GATE:[0-9]+]] = model.slice %[[Y]] from 128
  // CHECK: model.dispatch
  // CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[GATE]]
  // CHECK-NEXT: arith.mulf %[[WIDE]], %x_0
  model.func @activated(%x: tensor<?x8xbf16, #tokens>, %z: tensor<?x64xf32, #tokens>) -> (tensor<?x128xbf16, #tokens>, tensor<?x64xf32, #tokens>) {
    %wu = model.weight "wu" : tensor<128x8xbf16>
    %p = model.linear %x, %wu : tensor<?x8xbf16, #tokens>, tensor<128x8xbf16>
    %s = model.silu %p : tensor<?x128xf32, #tokens>
    %u = arith.truncf %s : tensor<?x128xf32, #tokens> to tensor<?x128xbf16, #tokens>
    %wg = model.weight "wg" : tensor<64x8xbf16>
    %g = model.linear %x, %wg : tensor<?x8xbf16, #tokens>, tensor<64x8xbf16>
    %gate = model.sigmoid %g : tensor<?x64xf32, #tokens>
    %h = arith.mulf %gate, %z : tensor<?x64xf32, #tokens>
    model.return %u, %h : tensor<?x128xbf16, #tokens>, tensor<?x64xf32, #tokens>
  }

  // silu(gate) * up stays for fuse-epilogue.
  // CHECK-LABEL: model.func @swiglu
  // CHECK-NOT: model.concat
  // CHECK-LABEL: model.func @other_rows
  model.func @swiglu(%x: tensor<?x8xf32, #tokens>) -> tensor<?x64xf32, #tokens> {
    %w1 = model.weight "w1" : tensor<64x8xf32>
    %w3 = model.weight "w3" : tensor<64x8xf32>
    %g = model.linear %x, %w1 : tensor<?x8xf32, #tokens>, tensor<64x8xf32>
    %u = model.linear %x, %w3 : tensor<?x8xf32, #tokens>, tensor<64x8xf32>
    %s = model.silu %g : tensor<?x64xf32, #tokens>
    %h = arith.mulf %s, %u : tensor<?x64xf32, #tokens>
    model.return %h : tensor<?x64xf32, #tokens>
  }

  // Nor are products joined of other rows, by a weight that has a second reader, or of widths that would break the alignment of rows.
  // CHECK-NOT: model.concat
  model.func @other_rows(%x: tensor<?x8xf32, #tokens>, %z: tensor<?x8xf32, #tokens>)
      -> (tensor<?x16xf32, #tokens>, tensor<?x16xf32, #tokens>, tensor<?x16xf32, #tokens>, tensor<?x24xf32, #tokens>) {
    %w1 = model.weight "w1" : tensor<16x8xf32>
    %w2 = model.weight "w2" : tensor<16x8xf32>
    %w3 = model.weight "w3" : tensor<24x8xf32>
    %a = model.linear %x, %w1 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %b = model.linear %z, %w2 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %c = model.linear %x, %w2 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %d = model.linear %x, %w3 : tensor<?x8xf32, #tokens>, tensor<24x8xf32>
    model.return %a, %b, %c, %d : tensor<?x16xf32, #tokens>, tensor<?x16xf32, #tokens>, tensor<?x16xf32, #tokens>, tensor<?x24xf32, #tokens>
  }
}
