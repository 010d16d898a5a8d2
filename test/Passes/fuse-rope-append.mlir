// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-rope-append))' | FileCheck %s
// The ropes of queries and keys join the attention, with their rounding; a rope that something else reads stays apart.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @both
  // CHECK: model.dispatch -> tensor<?x4x8xf32, #tokens>, tensor<?x2x8xbf16, #{{.*}}>, tensor<?x2x8xbf16, #{{.*}}> {
  // CHECK-NEXT: model.rope
  // CHECK-NEXT: arith.truncf
  // CHECK-NEXT: model.rope
  // CHECK-NEXT: arith.truncf
  // CHECK-NEXT: model.attention
  // CHECK-NOT: model.dispatch
  model.func @both(%q0: tensor<?x4x8xbf16, #tokens>, %k0: tensor<?x2x8xbf16, #tokens>, %v: tensor<?x2x8xbf16, #tokens>, %batch: !model.batch,
                   %kc: tensor<?x2x8xbf16, #model.kv>, %vc: tensor<?x2x8xbf16, #model.kv>)
      -> (tensor<?x4x8xf32, #tokens>, tensor<?x2x8xbf16, #model.kv>, tensor<?x2x8xbf16, #model.kv>) {
    %qr = model.rope %q0, %batch theta 1.0e4 dims 8 : tensor<?x4x8xbf16, #tokens>
    %q = arith.truncf %qr : tensor<?x4x8xf32, #tokens> to tensor<?x4x8xbf16, #tokens>
    %kr = model.rope %k0, %batch theta 1.0e4 dims 8 : tensor<?x2x8xbf16, #tokens>
    %k = arith.truncf %kr : tensor<?x2x8xf32, #tokens> to tensor<?x2x8xbf16, #tokens>
    %o, %kc1, %vc1 = model.attention %q, %k, %v, %batch cache(%kc, %vc) scale 0.25 : tensor<?x4x8xbf16, #tokens>, tensor<?x2x8xbf16, #tokens>,
        tensor<?x2x8xbf16, #tokens>, tensor<?x2x8xbf16, #model.kv>, tensor<?x2x8xbf16, #model.kv>
        -> tensor<?x4x8xf32, #tokens>, tensor<?x2x8xbf16, #model.kv>, tensor<?x2x8xbf16, #model.kv>
    model.return %o, %kc1, %vc1 : tensor<?x4x8xf32, #tokens>, tensor<?x2x8xbf16, #model.kv>, tensor<?x2x8xbf16, #model.kv>
  }

  // CHECK-LABEL: model.func @shared
  // CHECK: model.dispatch -> tensor<?x4x8xf32, #tokens> {
  // CHECK-NEXT: model.rope
  // CHECK: model.dispatch
  // CHECK-NEXT: model.attention
  model.func @shared(%q0: tensor<?x4x8xf32, #tokens>, %k: tensor<?x2x8xf32, #tokens>, %v: tensor<?x2x8xf32, #tokens>, %batch: !model.batch,
                     %kc: tensor<?x2x8xf32, #model.kv>, %vc: tensor<?x2x8xf32, #model.kv>)
      -> (tensor<?x4x8xf32, #tokens>, tensor<?x4x8xf32, #tokens>, tensor<?x2x8xf32, #model.kv>, tensor<?x2x8xf32, #model.kv>) {
    %q = model.rope %q0, %batch theta 1.0e4 dims 8 : tensor<?x4x8xf32, #tokens>
    %o, %kc1, %vc1 = model.attention %q, %k, %v, %batch cache(%kc, %vc) scale 0.25 : tensor<?x4x8xf32, #tokens>, tensor<?x2x8xf32, #tokens>,
        tensor<?x2x8xf32, #tokens>, tensor<?x2x8xf32, #model.kv>, tensor<?x2x8xf32, #model.kv>
        -> tensor<?x4x8xf32, #tokens>, tensor<?x2x8xf32, #model.kv>, tensor<?x2x8xf32, #model.kv>
    model.return %o, %q, %kc1, %vc1 : tensor<?x4x8xf32, #tokens>, tensor<?x4x8xf32, #tokens>, tensor<?x2x8xf32, #model.kv>, tensor<?x2x8xf32, #model.kv>
  }
}
