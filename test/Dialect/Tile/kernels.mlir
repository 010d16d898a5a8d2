// The hand-written kernels that the interpreter's and the CPU target's tests run are programs that round-trip.

// RUN: %mmc-opt %mmc-inputs/tile/attention.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/combine.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/embedding.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/experts_down.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/experts_up.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/lightning_decode.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/lightning_prefill.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/linear.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/linear_bf16.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/permute.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/rms_norm.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/rope_append.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/rope_table.mlir | %mmc-opt -o /dev/null
// RUN: %mmc-opt %mmc-inputs/tile/route.mlir | %mmc-opt -o /dev/null
