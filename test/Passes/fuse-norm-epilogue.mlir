// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-norm-epilogue))' | FileCheck %s
// Elementwise consumers join the norm that they follow, and only where nothing else needs it.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @gated
  // CHECK: model.dispatch -> tensor<?x8xbf16, #tokens> {
  // CHECK-NEXT: %[[N:.*]] = model.rms_norm %x
  // CHECK-NEXT: %[[W:.*]] = arith.extf
  // CHECK-NEXT: %[[G:.*]] = arith.mulf %[[W]], %[[N]]
  // CHECK-NEXT: %[[B:.*]] = arith.truncf %[[G]]
  // CHECK-NEXT: model.yield %[[B]]
  // CHECK-NOT: model.dispatch
  model.func @gated(%x: tensor<?x8xbf16, #tokens>) -> tensor<?x8xbf16, #tokens> {
    %gain = model.weight "gain" : tensor<8xbf16>
    %gate = model.slice %x from 0 : tensor<?x8xbf16, #tokens> -> tensor<?x8xbf16, #tokens>
    %n = model.rms_norm %x, %gain eps 1.0e-5 : tensor<?x8xbf16, #tokens>, tensor<8xbf16>
    %wide = arith.extf %gate : tensor<?x8xbf16, #tokens> to tensor<?x8xf32, #tokens>
    %y = arith.mulf %wide, %n : tensor<?x8xf32, #tokens>
    %b = arith.truncf %y : tensor<?x8xf32, #tokens> to tensor<?x8xbf16, #tokens>
    model.return %b : tensor<?x8xbf16, #tokens>
  }

  // CHECK-LABEL: model.func @shared
  // CHECK-COUNT-2: model.dispatch
  model.func @shared(%x: tensor<?x8xf32, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>) {
    %gain = model.weight "gain" : tensor<8xf32>
    %n = model.rms_norm %x, %gain eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    %y = arith.mulf %x, %n : tensor<?x8xf32, #tokens>
    model.return %n, %y : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
  }
}
