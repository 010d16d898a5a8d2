// RUN: %mmc-opt %mmc-inputs/models/hybrid.mlir --mmc-model-to-tile | FileCheck %s
// RUN: %mmc-opt %mmc-inputs/models/hybrid.mlir --mmc-model-to-tile='disable=FuseEpilogue,FuseMoEDispatch,FusePrologue,FuseRopeAppend' | FileCheck %s --check-prefix=UNFUSED
// RUN: %mmc-opt %mmc-inputs/models/hybrid.mlir --mmc-model-to-tile='dtype=bfloat16 recurrence-block=128 page-tokens=32' | FileCheck %s --check-prefix=BF16
// RUN: %mmc-opt %mmc-inputs/models/hybrid.mlir --mmc-model-to-tile='target=cuda dtype=bfloat16' | FileCheck %s --check-prefix=CUDA
// RUN: not %mmc-opt %mmc-inputs/models/hybrid.mlir --mmc-model-to-tile='disable=TileLinear' 2>&1 | FileCheck %s --check-prefix=MANDATORY
// RUN: not %mmc-opt %mmc-inputs/models/hybrid.mlir --mmc-model-to-tile='dtype=float16' 2>&1 | FileCheck %s --check-prefix=DTYPE
// The kernels of a whole model: fused, with nothing fused, in bfloat16, and for CUDA. Only optional passes can be disabled.

// CHECK-LABEL: model.func @lightning
// CHECK: tile.launch @rms_norm_64_f32
// CHECK: tile.launch @linear_silu_192x64_f32
// CHECK: tile.launch @lightning_prefill_c64_4x16x16_f32
// CHECK: tile.launch @lightning_decode_4x16x16_f32
// CHECK: tile.launch @rms_norm_64_f32_1
// CHECK: tile.launch @linear_sigmoid_mul_64x64_f32
// CHECK: tile.launch @linear_residual_64x64_f32
// CHECK: tile.launch @rms_norm_64_f32
// CHECK: tile.launch @route_6x64_top2_f32
// CHECK: tile.launch @permute_6_top2
// CHECK: tile.launch @experts_swiglu_80x64_f32
// CHECK: tile.launch @experts_64x80_f32
// CHECK: tile.launch @combine_residual_64_f32
// CHECK-NOT: tile.launch
// CHECK-LABEL: model.func @softmax
// CHECK: tile.launch @rms_norm_64_f32
// CHECK-COUNT-3: tile.launch @linear_
// CHECK: tile.launch @rope_table_8_theta10000000
// CHECK: tile.launch @rope8_append_4x2x16_f32
// CHECK: tile.launch @attention_prefill_q16_4x2x16_f32
// CHECK: tile.launch @attention_decode_4x2x16_f32
// CHECK: tile.launch @linear_residual_64x64_f32
// CHECK-COUNT-6: tile.launch
// CHECK-NOT: tile.launch
// CHECK-LABEL: model.func @main
// CHECK: tile.launch @embedding_64_f32
// CHECK: model.stack
// CHECK: tile.launch @select_rows_rms_norm_64_f32
// CHECK: tile.launch @linear_300x64_f32

// UNFUSED-LABEL: model.func @lightning
// UNFUSED: tile.launch @linear_192x64_f32
// UNFUSED: tile.launch @silu_192_f32
// UNFUSED: tile.launch @mul_64_f32
// UNFUSED: tile.launch @gather_routes_64_f32
// UNFUSED: tile.launch @experts_80x64_f32
// UNFUSED: tile.launch @experts_80x64_f32
// UNFUSED: tile.launch @silu_80_f32
// UNFUSED: tile.launch @mul_80_f32
// UNFUSED: tile.launch @combine_64_f32
// UNFUSED: tile.launch @residual_64_f32
// UNFUSED-LABEL: model.func @softmax
// UNFUSED-COUNT-1: tile.launch @rope_table
// UNFUSED: tile.launch @rope8_4x16_f32
// UNFUSED: tile.launch @rope8_2x16_f32
// UNFUSED: tile.launch @append_2x16_f32

// BF16: tile.launch @lightning_prefill_c128_4x16x16_bf16
// BF16: tile.kernel @attention_prefill_q16_4x2x16_bf16
// BF16-SAME: #tile.paged<page = 32, table = 1024
// BF16: tile.load %k_cache{{.*}} -> tensor<32x16xbf16>

// For CUDA a layer has as few launches as can be: products of the same rows are one, and norms go with what reads or follows them.
// CUDA-LABEL: model.func @lightning
// CUDA-NOT: tile.launch
// CUDA: %[[W:[0-9]+]] = model.concat %qkv_proj, %output_gate : tensor<192x64xbf16>, tensor<64x64xbf16>
// CUDA: %[[P:[0-9]+]] = tile.launch @linear_silu_sigmoid_256x64_bf16(%{{.*}}, %[[W]])
// CUDA: tile.launch @lightning_segments16_c64_4x16x16_bf16(%[[P]],
// CUDA-NEXT: tile.launch @lightning_prefill_s16_c64_4x16x16_bf16(%[[P]],
// CUDA: tile.launch @lightning_decode_4x16x16_bf16(%[[P]],
// CUDA: tile.launch @rms_norm_mul_64_bf16(
// CUDA: tile.launch @linear_residual_64x64_bf16
// CUDA: %{{.*}}:3 = tile.launch @rms_norm_route_6x64_top2_bf16(
// CUDA: tile.launch @permute_6_top2
// CUDA: tile.launch @experts_swiglu_80x64_bf16
// CUDA: tile.launch @experts_64x80_bf16
// CUDA: %input_layernorm = model.weight "model.layers.{layer}.input_layernorm.weight"[%layer] next_else "model.norm.weight"
// CUDA-SAME: tile.launch @combine_residual_rms_norm_64_bf16
// CUDA-NOT: tile.launch
// CUDA-LABEL: model.func @softmax
// CUDA-NOT: tile.launch
// CUDA: model.concat %q_proj, %k_proj, %v_proj :
// CUDA: tile.launch @linear_128x64_bf16
// CUDA-NEXT: tile.launch @rope8_append_4x2x16_bf16
// CUDA: tile.launch @attention_prefill_q16_4x2x16_bf16
// CUDA: tile.launch @attention_decode_p64_4x2x16_bf16
// CUDA-NEXT: tile.launch @attention_combine_p64_4x16_bf16
// CUDA: tile.launch @linear_residual_64x64_bf16
// CUDA-COUNT-5: tile.launch
// CUDA-NOT: tile.launch
// CUDA-LABEL: model.func @main

// MANDATORY: expected the name of an optional pass (RotateNorms, JoinProducts, FuseEpilogue, FuseMoEDispatch, FusePrologue, FuseRopeAppend, FuseNormEpilogue, FuseRouter, BranchLaunches) to disable, got TileLinear
// DTYPE: expected dtype float32 or bfloat16, got float16
