// RUN: %mmc-opt %s | %mmc-opt | FileCheck %s
// Every op and attribute of the plan dialect survives printing and parsing.

// CHECK-LABEL: plan.module @tiny {max_num_seqs = 2 : i64}
plan.module @tiny {max_num_seqs = 2 : i64} {
  // CHECK: plan.weight @gain "model.layers.{layer}.gain.weight" : tensor<64xf32> layers [0, 1]
  plan.weight @gain "model.layers.{layer}.gain.weight" : tensor<64xf32> layers [0, 1]
  // CHECK: plan.weight @qkv "q.weight" : tensor<96x64xbf16> above ["k.weight", "v.weight"] heights [64, 16, 16]
  plan.weight @qkv "q.weight" : tensor<96x64xbf16> above ["k.weight", "v.weight"] heights [64, 16, 16]
  // CHECK: plan.weight @up "experts.{expert}.w1.weight" : tensor<4x96x64xbf16> panels [16, 2, 64]
  plan.weight @up "experts.{expert}.w1.weight" : tensor<4x96x64xbf16> panels [16, 2, 64]
  // CHECK: plan.constant @alpha : tensor<2xf32> by_layer = dense<{{.*}}> : tensor<2xf64>
  plan.constant @alpha : tensor<2xf32> by_layer = dense<[1.0, 2.0]> : tensor<2xf64>
  // CHECK: plan.pool @state slots of tensor<4x32x32xf32> layers 2
  plan.pool @state slots of tensor<4x32x32xf32> layers 2
  // CHECK: plan.pool @keys pages of tensor<64x2x32xf32> layers 1
  plan.pool @keys pages of tensor<64x2x32xf32> layers 1
  // CHECK: plan.buffer @stream : tensor<?x64xf32> rows "tokens"
  plan.buffer @stream : tensor<?x64xf32> rows "tokens"
  // CHECK: plan.buffer @routed : tensor<?x64xf32> rows "tokens" per 2
  plan.buffer @routed : tensor<?x64xf32> rows "tokens" per 2
  // CHECK: plan.work_list @prefill prefill tile 32
  plan.work_list @prefill prefill tile 32
  // CHECK: plan.program @layer
  plan.program @layer {
    // CHECK: plan.launch @cpu::@norm [#plan.bind<buffer, @stream>, #plan.bind<weight, @gain, offset = 64>, #plan.bind<buffer, @routed, written>, #plan.bind<work_list, @prefill>, #plan.bind<token_count>] domain [#plan.extent<work, @prefill>, #plan.extent<fixed, 4>] grain 2 branch 1
    plan.launch @cpu::@norm [#plan.bind<buffer, @stream>, #plan.bind<weight, @gain, offset = 64>, #plan.bind<buffer, @routed, written>, #plan.bind<work_list, @prefill>, #plan.bind<token_count>] domain [#plan.extent<work, @prefill>, #plan.extent<fixed, 4>] grain 2 branch 1
  }
  plan.program @body {
    // CHECK: plan.stack [@layer] [0, 0]
    plan.stack [@layer] [0, 0]
  }
  plan.program @head {
  }
  // CHECK: plan.executable @cpu for "cpu"
  plan.executable @cpu for "cpu" {
  }
  // CHECK: plan.entry tokens 1 sequences 1 context 128 outputs 1 arena 768 offsets [0, 256]
  plan.entry tokens 1 sequences 1 context 128 outputs 1 arena 768 offsets [0, 256]
}
