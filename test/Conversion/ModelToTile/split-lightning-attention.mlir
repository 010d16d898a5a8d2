// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(model.program(mmc-split-lightning-attention{block=32}))' | FileCheck %s
// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(model.program(mmc-split-lightning-attention{block=32 prefill-points=9 segment-tokens=100 max-step-tokens=250}))' | FileCheck %s --check-prefix=SEGMENTS
// RUN: not %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(model.program(mmc-split-lightning-attention{segment-tokens=0}))' 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: expected prefill-points of at least 0, positive segment-tokens and max-step-tokens, got 0, 0 and 16384
// The recurrence becomes a prefill kernel with the block loop and a decode kernel without, launched in a row on one output and one state.

#tokens = #model.rows<tokens>

// CHECK-LABEL: model.program @head_decay
model.program @head_decay {
  // The parts of an interleaved product are views of it: nothing is copied.
  // CHECK-LABEL: model.func @layer
  // CHECK-SAME: (%[[U:.*]]: tensor<?x96xbf16, #tokens>, %{{.*}}: !model.batch, %{{.*}}: tensor<2xf32>, %[[S0:.*]]: tensor<2x16x16xf32, #model.state>)
  // CHECK: %[[P:.*]]:2 = tile.launch @lightning_prefill_c32_2x16x16_bf16(%[[U]], %[[U]], %[[U]], %{{.*}}, %[[S0]]) tied [-1, 4]
  // CHECK: %[[D:.*]]:2 = tile.launch @lightning_decode_2x16x16_bf16(%[[U]], %[[U]], %[[U]], %{{.*}}, %[[P]]#0, %[[P]]#1) tied [4, 5]
  // CHECK: model.return %[[D]]#0, %[[D]]#1
  // Four segments would give nine points, but the largest step has room for three.
  // SEGMENTS-LABEL: model.func @layer
  // SEGMENTS: %[[L:.*]]:2 = tile.launch @lightning_segments3_c32_2x16x16_bf16(%[[U:.*]], %[[U]], %{{.*}}, %[[S0:.*]]) tied [-1, 3]
  // SEGMENTS-SAME: -> (tensor<?x3x2x16x16xf32, #sequences>, tensor<2x16x16xf32, #model.state>)
  // SEGMENTS: %[[P:.*]]:2 = tile.launch @lightning_prefill_s3_c32_2x16x16_bf16(%[[U]], %[[U]], %[[U]], %{{.*}}, %[[L]]#0, %[[L]]#1) tied [-1, 5]
  // SEGMENTS: tile.launch @lightning_decode_2x16x16_bf16(%[[U]], %[[U]], %[[U]], %{{.*}}, %[[P]]#0, %[[P]]#1) tied [4, 5]
  model.func @layer(%u: tensor<?x96xbf16, #tokens>, %batch: !model.batch, %rate: tensor<2xf32>, %s0: tensor<2x16x16xf32, #model.state>)
      -> (tensor<?x2x16xbf16, #tokens>, tensor<2x16x16xf32, #model.state>) {
    %q, %k, %v = model.split_heads %u : tensor<?x96xbf16, #tokens> -> tensor<?x2x16xbf16, #tokens>, tensor<?x2x16xbf16, #tokens>, tensor<?x2x16xbf16, #tokens>
    %o, %s1 = model.dispatch -> tensor<?x2x16xbf16, #tokens>, tensor<2x16x16xf32, #model.state> {
      %y, %s = model.linear_attention additive, head %q, %k, %v, %batch rate %rate state %s0
          : (tensor<?x2x16xbf16, #tokens>, tensor<?x2x16xbf16, #tokens>, tensor<?x2x16xbf16, #tokens>, !model.batch, tensor<2xf32>, tensor<2x16x16xf32, #model.state>)
          -> (tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>)
      %b = arith.truncf %y : tensor<?x2x16xf32, #tokens> to tensor<?x2x16xbf16, #tokens>
      model.yield %b, %s : tensor<?x2x16xbf16, #tokens>, tensor<2x16x16xf32, #model.state>
    }
    model.return %o, %s1 : tensor<?x2x16xbf16, #tokens>, tensor<2x16x16xf32, #model.state>
  }
  // CHECK: tile.kernel @lightning_prefill_c32_2x16x16_bf16(
  // CHECK-SAME: %q: !tile.view<?x2x16xbf16, #tile.strided<[96, 48, 1]>> {tile.access = "read"}
  // CHECK-SAME: %k: !tile.view<?x2x16xbf16, #tile.strided<[96, 48, 1], offset = 16>> {tile.access = "read"}
  // CHECK-SAME: %v: !tile.view<?x2x16xbf16, #tile.strided<[96, 48, 1], offset = 32>> {tile.access = "read"}
  // CHECK-SAME: %rate: !tile.view<2xf32>
  // CHECK-SAME: %state: !tile.view<?x2x16x16xf32> {tile.access = "readwrite"}
  // CHECK-SAME: %o: !tile.view<?x2x16xbf16> {tile.access = "write"}
  // CHECK-SAME: %sequences: !tile.ragged {tile.work = #tile.work<prefill>}) domain(%sequence in #tile.extent<work, 6>, %head in #tile.extent<fixed, 2>)
  // The mask is selected on the exponent's side, before the loop.
  // CHECK: arith.maxsi
  // CHECK: math.exp {{.*}} : tensor<32x32xf32>
  // CHECK: arith.select {{.*}} tensor<32x32xf32>
  // CHECK: scf.for %[[T:.*]] = %c0 to %rows step %c32 iter_args(%[[S:.*]] = %{{.*}}) -> (tensor<16x16xf32>) {
  // CHECK: %[[P:.*]] = tile.dot %{{.*}}, %{{.*}} transpose_b : tensor<32x16xf32>, tensor<32x16xf32> -> tensor<32x32xf32>
  // CHECK: %[[PM:.*]] = arith.mulf %[[P]]
  // CHECK: %[[O1:.*]] = tile.dot %[[PM]], %{{.*}} : tensor<32x32xf32>, tensor<32x16xf32>
  // CHECK: tile.dot %{{.*}}, %[[S]] acc(%[[O1]])
  // CHECK: tile.store %{{.*}}, %o[{{.*}}] along [0, 2] limit(
  // CHECK: tile.dot %{{.*}} acc(%{{.*}}) transpose_a
  // CHECK: scf.yield
  // CHECK: tile.store %{{.*}}, %state[%slot, %head, %c0, %c0] along [2, 3]

  // CHECK: tile.kernel @lightning_decode_2x16x16_bf16(
  // CHECK-SAME: %o: !tile.view<?x2x16xbf16> {tile.access = "readwrite"}
  // CHECK-SAME: #tile.work<decode>
  // CHECK-NOT: scf.for
  // CHECK: tile.dot {{.*}} : tensor<1x16xf32>, tensor<1x16xf32> -> tensor<1x1xf32>
  // CHECK: tile.return
}

// -----

#tokens = #model.rows<tokens>

// Without decay there is nothing to exponentiate.
// CHECK-LABEL: model.program @no_decay
model.program @no_decay {
  // CHECK: tile.launch @lightning_prefill_c32_nodecay_2x16x8_f32
  // CHECK: tile.launch @lightning_decode_nodecay_2x16x8_f32
  // CHECK-NOT: math.exp
  model.func @layer(%q: tensor<?x2x16xf32, #tokens>, %k: tensor<?x2x16xf32, #tokens>, %v: tensor<?x2x8xf32, #tokens>, %batch: !model.batch,
                    %s0: tensor<2x16x8xf32, #model.state>) -> (tensor<?x2x8xf32, #tokens>, tensor<2x16x8xf32, #model.state>) {
    %o, %s1 = model.dispatch -> tensor<?x2x8xf32, #tokens>, tensor<2x16x8xf32, #model.state> {
      %y, %s = model.linear_attention additive, none %q, %k, %v, %batch state %s0 {scale = 0.25}
          : (tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>, tensor<?x2x8xf32, #tokens>, !model.batch, tensor<2x16x8xf32, #model.state>)
          -> (tensor<?x2x8xf32, #tokens>, tensor<2x16x8xf32, #model.state>)
      model.yield %y, %s : tensor<?x2x8xf32, #tokens>, tensor<2x16x8xf32, #model.state>
    }
    model.return %o, %s1 : tensor<?x2x8xf32, #tokens>, tensor<2x16x8xf32, #model.state>
  }
}
