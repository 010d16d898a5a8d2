// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-rope-append,mmc-split-attention{query-tile=8 max-model-len=1000}))' | FileCheck %s
// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-split-attention))' | FileCheck %s --check-prefix=PLAIN
// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-rope-append,mmc-split-attention{append-by=heads}))' | FileCheck %s --check-prefix=HEADS
// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-rope-append,mmc-split-attention{max-model-len=1000 decode-points=10 decode-part=64}))' | FileCheck %s --check-prefix=PARTS
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-split-attention{decode-part=0}))' 2>&1 | FileCheck %s --check-prefix=BADPART
// BADPART: expected decode-points of at least 0 and a positive decode-part, got 0 and 0
// Softmax attention becomes an append kernel (with the ropes, where they are in the dispatch) and two attention kernels over a paged cache. The
// caches pass through every launch, so each of their values has one consumer.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @layer
  // CHECK-SAME: %[[KC:[a-z_0-9]+]]: tensor<?x2x16xf32, #model.kv>, %[[VC:[a-z_0-9]+]]: tensor<?x2x16xf32, #model.kv>)
  // CHECK: %[[TABLE:.*]]:2 = tile.launch @rope_table_8_theta10000() tied [-1, -1]
  // CHECK: %[[A:.*]]:3 = tile.launch @rope8_append_4x2x16_f32(%{{.*}}, %{{.*}}, %{{.*}}, %[[TABLE]]#0, %[[TABLE]]#1, %[[KC]], %[[VC]]) tied [5, 6, -1]
  // CHECK: %[[P:.*]]:3 = tile.launch @attention_prefill_q8_4x2x16_f32(%[[A]]#2, %[[A]]#0, %[[A]]#1) tied [-1, 1, 2]
  // CHECK: %[[D:.*]]:3 = tile.launch @attention_decode_4x2x16_f32(%[[A]]#2, %[[P]]#0, %[[P]]#1, %[[P]]#2) tied [1, 2, 3]
  // CHECK: model.return %[[D]]#0, %[[D]]#1, %[[D]]#2
  // PARTS-LABEL: model.func @layer
  // PARTS: %[[P:.*]]:3 = tile.launch @attention_prefill
  // PARTS: %[[D:.*]]:5 = tile.launch @attention_decode_p5_4x2x16_f32(%{{.*}}, %[[P]]#1, %[[P]]#2) tied [-1, -1, -1, 1, 2]
  // PARTS-SAME: -> (tensor<?x5x4xf32, #sequences>, tensor<?x5x4xf32, #sequences>, tensor<?x5x4x16xf32, #sequences>,
  // PARTS: %[[O:.*]] = tile.launch @attention_combine_p5_4x16_f32(%[[D]]#0, %[[D]]#1, %[[D]]#2, %[[P]]#0) tied [3]
  // PARTS: model.return %[[O]], %[[D]]#3, %[[D]]#4
  // PLAIN-LABEL: model.func @layer
  // PLAIN-COUNT-2: model.rope
  // PLAIN: tile.launch @append_2x16_f32
  // PLAIN: tile.launch @attention_prefill_q16_4x2x16_f32
  model.func @layer(%q0: tensor<?x4x16xf32, #tokens>, %k0: tensor<?x2x16xf32, #tokens>, %v: tensor<?x2x16xf32, #tokens>, %batch: !model.batch,
                    %kc: tensor<?x2x16xf32, #model.kv>, %vc: tensor<?x2x16xf32, #model.kv>)
      -> (tensor<?x4x16xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>) {
    %q = model.rope %q0, %batch theta 1.0e4 dims 8 : tensor<?x4x16xf32, #tokens>
    %k = model.rope %k0, %batch theta 1.0e4 dims 8 : tensor<?x2x16xf32, #tokens>
    %o, %kc1, %vc1 = model.attention %q, %k, %v, %batch cache(%kc, %vc) scale 0.25 : tensor<?x4x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>,
        tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>
        -> tensor<?x4x16xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>
    model.return %o, %kc1, %vc1 : tensor<?x4x16xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>
  }

  // The angle is formed and reduced in float64.
  // CHECK: tile.kernel @rope_table_8_theta10000(
  // CHECK: arith.mulf {{.*}} : tensor<4xf64>
  // CHECK: math.roundeven {{.*}} : tensor<4xf64>
  // CHECK: arith.truncf {{.*}} : tensor<4xf64> to tensor<4xf32>
  // CHECK: math.cos {{.*}} : tensor<4xf32>

  // 1000 tokens are 16 pages. Keys lie channel-major, values position-major.
  // CHECK: tile.kernel @rope8_append_4x2x16_f32(
  // CHECK-SAME: %k_cache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 16, strides = [1, 1024, 64]>> {tile.access = "readwrite"}
  // CHECK-SAME: %v_cache: !tile.view<?x?x2x16xf32, #tile.paged<page = 64, table = 16, strides = [16, 1024, 1]>> {tile.access = "readwrite"}
  // CHECK: tile.store {{.*}}, %k_cache[%{{.*}}, %{{.*}}, %{{.*}}, %c0] along [3]
  // CHECK: tile.store {{.*}}, %k_cache[%{{.*}}, %{{.*}}, %{{.*}}, %c4] along [3]
  // CHECK: tile.store {{.*}}, %k_cache[%{{.*}}, %{{.*}}, %{{.*}}, %c8] along [3]
  // CHECK: tile.store {{.*}}, %v_cache

  // CHECK: tile.kernel @attention_prefill_q8_4x2x16_f32(
  // CHECK-SAME: #tile.work<prefill, 8>
  // CHECK: scf.for %[[J:.*]] = %c0 to %{{.*}} step %c64 iter_args({{.*}}) -> (tensor<16xf32>, tensor<16xf32>, tensor<16x16xf32>) {
  // CHECK: tile.load %k_cache[%slot, %[[J]], %kv_head, %c0] along [1, 3] limit(
  // CHECK: %[[S:.*]] = tile.dot
  // CHECK: %[[M:.*]] = arith.select %{{.*}}, %[[S]]
  // CHECK: tile.reduce max %[[M]]
  // CHECK: math.exp
  // CHECK: tile.dot %{{.*}} acc(
  // CHECK: arith.divf
  // CHECK: tile.kernel @attention_decode_4x2x16_f32(
  // CHECK-SAME: #tile.work<decode>

  // By heads: no table, the angles are formed in the kernel. Each point rotates a query head; the first two append a key and a value as well.
  // HEADS-NOT: @rope_table
  // HEADS: tile.kernel @rope8_append_4x2x16_f32(
  // HEADS-SAME: domain(%row in #tile.extent<tokens>, %head in #tile.extent<fixed, 4>)
  // HEADS: math.roundeven {{.*}} : tensor<4xf64>
  // HEADS: %[[C:.*]] = math.cos
  // HEADS: %[[S:.*]] = math.sin
  // HEADS: tile.store {{.*}}, %q_rotated[%row, %head, %c0]
  // HEADS: %[[NEXT:.*]] = arith.addi %head, %c1
  // HEADS: %[[END:.*]] = arith.minsi %c2, %[[NEXT]]
  // HEADS: scf.for %[[H:.*]] = %head to %[[END]] step %c1 {
  // HEADS: arith.mulf %{{.*}}, %[[C]]
  // HEADS: tile.store {{.*}}, %k_cache[%{{.*}}, %{{.*}}, %[[H]], %c0] along [3]
  // HEADS: tile.store {{.*}}, %v_cache[%{{.*}}, %{{.*}}, %[[H]], %c0] along [3]
  // HEADS: tile.kernel @attention_prefill
}

// A part is a whole number of blocks; one that is empty stores nothing, since its loop has no trip.
// PARTS: tile.kernel @attention_decode_p5_4x2x16_f32
// PARTS-SAME: domain(%sequence in #tile.extent<work, {{[0-9]+}}>, %kv_head in #tile.extent<fixed, 2>, %part in #tile.extent<fixed, 5>)
// PARTS: %[[BEGIN:.*]] = arith.muli %part, %[[SPAN:.*]] : index
// PARTS: %[[STOP:.*]] = arith.minsi
// PARTS: scf.for %{{.*}} = %[[BEGIN]] to %[[STOP]] step %[[SPAN]] {
// PARTS: scf.for %{{.*}} = %[[BEGIN]] to %[[STOP]] step %c64
// PARTS: tile.store %{{.*}}, %largest[%sequence, %part,
// PARTS: tile.store %{{.*}}, %sum[%sequence, %part,
// PARTS: tile.store %{{.*}}, %values[%sequence, %part,
