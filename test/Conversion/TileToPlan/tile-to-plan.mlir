// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(mmc-tile-to-plan{max-num-seqs=2 max-num-batched-tokens=4 max-model-len=256})' | FileCheck %s
// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(mmc-tile-to-plan{max-num-seqs=2 max-num-batched-tokens=4 max-model-len=256})' | FileCheck %s --check-prefix=ITEM
// Launches get argument records, results get buffers that share bytes where their lifetimes allow, states get pools, @main is cut into body and
// head, and each class of tokens and sequences gets an entry point.

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// CHECK-LABEL: plan.module @small {dtype = "float32", max_model_len = 256 : i64, max_num_batched_tokens = 4 : i64, max_num_seqs = 2 : i64
model.program @small attributes {vocabulary = 100 : i64} {
  // ITEM-DAG: plan.buffer @stream : tensor<?x8xf32> rows "tokens"
  // ITEM-DAG: plan.pool @layer_state slots of tensor<2x4x4xf32> layers 3
  // ITEM-DAG: plan.work_list @prefill prefill tile 0
  // ITEM-DAG: plan.weight @_layer__gain "{layer}.gain.weight" : tensor<8xf32> layers [0, 1, 2]
  // ITEM-DAG: plan.constant @rates : tensor<3x2xf32> by_layer = #model.lightning_rates<layers = 3, heads = 2, form = original>
  model.table @rates : tensor<3x2xf32> = #model.lightning_rates<layers = 3, heads = 2, form = original>

  tile.kernel @norm(%x: !tile.view<?x8xf32> {tile.access = "read"}, %g: !tile.view<8xf32> {tile.access = "read"},
                    %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) grain 4 {
    tile.return
  }
  tile.kernel @recur(%x: !tile.view<?x8xf32> {tile.access = "read"}, %rate: !tile.view<2xf32> {tile.access = "read"},
                     %s: !tile.view<?x2x4x4xf32> {tile.access = "readwrite"}, %y: !tile.view<?x8xf32> {tile.access = "write"},
                     %list: !tile.ragged {tile.work = #tile.work<prefill>})
      domain(%i in #tile.extent<work, 4>, %h in #tile.extent<fixed, 2>) {
    tile.return
  }
  tile.kernel @embed(%ids: !tile.view<?xi32> {tile.access = "read"}, %table: !tile.view<100x8xf32> {tile.access = "read"},
                     %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    tile.return
  }
  tile.kernel @select(%x: !tile.view<?x8xf32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"},
                      %rows: !tile.view<?xi32> {tile.step = #tile.step<output_rows>}) domain(%r in #tile.extent<outputs>) {
    tile.return
  }
  tile.kernel @logits(%x: !tile.view<?x8xf32> {tile.access = "read"}, %w: !tile.view<100x8xf32, #tile.panels<n = 16, k = 1, pad = 64>> {tile.access = "read"},
                      %y: !tile.view<?x100xf32> {tile.access = "write"}, %count: index {tile.step = #tile.step<output_count>})
      domain(%p in #tile.extent<fixed, 2>) {
    tile.return
  }

  // CHECK: plan.program @layer {
  // CHECK-NEXT: plan.launch @cpu::@norm [#plan.bind<buffer, @stream>, #plan.bind<weight, @_layer__gain>, #plan.bind<buffer, @[[N:.*]], written>] domain [#plan.extent<tokens>] grain 4
  // CHECK-NEXT: plan.launch @cpu::@recur [#plan.bind<buffer, @[[N]]>, #plan.bind<constant, @rates>, #plan.bind<pool, @layer_state, written>, #plan.bind<buffer, @stream, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>, #plan.extent<fixed, 2>]
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #model.state>)
      -> (tensor<?x8xf32, #tokens>, tensor<2x4x4xf32, #model.state>) {
    %g = model.weight "{layer}.gain.weight"[%layer] : tensor<8xf32>
    %r = model.row @rates[%layer] : tensor<2xf32>
    %n = tile.launch @norm(%x, %g) tied [-1] : (tensor<?x8xf32, #tokens>, tensor<8xf32>) -> tensor<?x8xf32, #tokens>
    %y, %s1 = tile.launch @recur(%n, %r, %s) tied [-1, 2]
        : (tensor<?x8xf32, #tokens>, tensor<2xf32>, tensor<2x4x4xf32, #model.state>) -> (tensor<?x8xf32, #tokens>, tensor<2x4x4xf32, #model.state>)
    model.return %y, %s1 : tensor<?x8xf32, #tokens>, tensor<2x4x4xf32, #model.state>
  }

  // CHECK: plan.program @body {
  // CHECK-NEXT: plan.launch @cpu::@embed [#plan.bind<token_ids>, #plan.bind<weight, @{{.*}}>, #plan.bind<buffer, @stream, written>]
  // CHECK-NEXT: plan.stack [@layer] [0, 0, 0]
  // CHECK: plan.program @head {
  // CHECK-NEXT: plan.launch @cpu::@select [#plan.bind<buffer, @stream>, #plan.bind<buffer, @[[O:.*]], written>, #plan.bind<output_rows>] domain [#plan.extent<outputs>]
  // CHECK-NEXT: plan.launch @cpu::@logits [#plan.bind<buffer, @[[O]]>, #plan.bind<weight, @{{.*}}>, #plan.bind<logits, written>, #plan.bind<output_count>] domain [#plan.extent<fixed, 2>]
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch, %states: tensor<3x2x4x4xf32, #model.state>)
      -> (tensor<?x100xf32, #outputs>, tensor<3x2x4x4xf32, #model.state>) {
    %e = model.weight "embed.weight" : tensor<100x8xf32>
    %x = tile.launch @embed(%ids, %e) tied [-1] : (tensor<?xi32, #tokens>, tensor<100x8xf32>) -> tensor<?x8xf32, #tokens>
    %y, %s1 = model.stack %x, %batch states(%states) [[3, @layer]]
        : (tensor<?x8xf32, #tokens>, !model.batch, tensor<3x2x4x4xf32, #model.state>) -> (tensor<?x8xf32, #tokens>, tensor<3x2x4x4xf32, #model.state>)
    %o = tile.launch @select(%y) tied [-1] : (tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #outputs>
    %l = tile.launch @logits(%o, %e) tied [-1] : (tensor<?x8xf32, #outputs>, tensor<100x8xf32>) -> tensor<?x100xf32, #outputs>
    model.return %l, %s1 : tensor<?x100xf32, #outputs>, tensor<3x2x4x4xf32, #model.state>
  }
  // The layer's temporary and the head's selected rows never live together: with one token both lie behind the stream's 64 bytes.
  // CHECK: plan.entry tokens 1 sequences 1 context 256 outputs 1 arena 128 offsets [0, 64, 64]
  // CHECK-NEXT: plan.entry tokens 2 sequences 1
  // CHECK-NEXT: plan.entry tokens 2 sequences 2
  // CHECK-NEXT: plan.entry tokens 4 sequences 1
  // CHECK-NEXT: plan.entry tokens 4 sequences 2 context 256 outputs 4 arena 256 offsets [0, 128, 128]
}

// -----

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// A layer whose last launch reads the layer's input cannot run in place.
model.program @reads_input {
  tile.kernel @add(%x: !tile.view<?x8xf32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    tile.return
  }
  tile.kernel @embed(%ids: !tile.view<?xi32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    tile.return
  }
  tile.kernel @head(%x: !tile.view<?x8xf32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<outputs>) {
    tile.return
  }
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #tokens> {
    // expected-error @+1 {{reads the layer's input when its output is being written; the plan keeps both in one buffer}}
    %y = tile.launch @add(%x) tied [-1] : (tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #tokens>
    model.return %y : tensor<?x8xf32, #tokens>
  }
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x8xf32, #outputs> {
    %x = tile.launch @embed(%ids) tied [-1] : (tensor<?xi32, #tokens>) -> tensor<?x8xf32, #tokens>
    %y = model.stack %x, %batch [[1, @layer]] : (tensor<?x8xf32, #tokens>, !model.batch) -> tensor<?x8xf32, #tokens>
    %l = tile.launch @head(%y) tied [-1] : (tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #outputs>
    model.return %l : tensor<?x8xf32, #outputs>
  }
}

// -----

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// Weights that lie one below the other are one weight of the plan, with as many checkpoint tensors.
// CHECK-LABEL: plan.module @joined
model.program @joined {
  tile.kernel @product(%x: !tile.view<?x8xf32> {tile.access = "read"}, %w: !tile.view<12x8xf32> {tile.access = "read"},
                       %y: !tile.view<?x12xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    tile.return
  }
  tile.kernel @back(%x: !tile.view<?x12xf32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    tile.return
  }
  tile.kernel @embed(%ids: !tile.view<?xi32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    tile.return
  }
  tile.kernel @head(%x: !tile.view<?x8xf32> {tile.access = "read"}, %y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%r in #tile.extent<outputs>) {
    tile.return
  }
  // CHECK: plan.launch @cpu::@product [#plan.bind<buffer, @stream>, #plan.bind<weight, @_layer__q>,
  // CHECK: plan.weight @_layer__q "{layer}.q.weight" : tensor<12x8xf32> layers [0] above ["{layer}.k.weight"] heights [8, 4]
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #tokens> {
    %q = model.weight "{layer}.q.weight"[%layer] : tensor<8x8xf32>
    %k = model.weight "{layer}.k.weight"[%layer] : tensor<4x8xf32>
    %w = model.concat %q, %k : tensor<8x8xf32>, tensor<4x8xf32>
    %p = tile.launch @product(%x, %w) tied [-1] : (tensor<?x8xf32, #tokens>, tensor<12x8xf32>) -> tensor<?x12xf32, #tokens>
    %y = tile.launch @back(%p) tied [-1] : (tensor<?x12xf32, #tokens>) -> tensor<?x8xf32, #tokens>
    model.return %y : tensor<?x8xf32, #tokens>
  }
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x8xf32, #outputs> {
    %x = tile.launch @embed(%ids) tied [-1] : (tensor<?xi32, #tokens>) -> tensor<?x8xf32, #tokens>
    %y = model.stack %x, %batch [[1, @layer]] : (tensor<?x8xf32, #tokens>, !model.batch) -> tensor<?x8xf32, #tokens>
    %l = tile.launch @head(%y) tied [-1] : (tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #outputs>
    model.return %l : tensor<?x8xf32, #outputs>
  }
}
