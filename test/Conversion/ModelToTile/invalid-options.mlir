// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-split-attention{page-tokens=96}))' 2>&1 | FileCheck %s --check-prefix=PAGE
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-split-attention{query-tile=0}))' 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-split-attention{max-model-len=0}))' 2>&1 | FileCheck %s --check-prefix=LENGTH
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-split-lightning-attention{block=48}))' 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-tile-linear{row-block=0}))' 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-split-attention{append-by=pages}))' 2>&1 | FileCheck %s --check-prefix=APPEND
// RUN: not %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-tile-permute{points=tokens}))' 2>&1 | FileCheck %s --check-prefix=POINTS
// Options that no kernel can have are refused.

// PAGE: error: mmc-split-attention expected page-tokens of at most 64 or a multiple of 64, got 96
// TILE: error: mmc-split-attention expected a positive query-tile, got 0
// LENGTH: error: mmc-split-attention expected a positive max-model-len, got 0
// APPEND: error: mmc-split-attention expected append-by rows or heads, got pages
// POINTS: error: mmc-tile-permute expected points all or experts, got tokens
// BLOCK: error: mmc-split-lightning-attention expected a block of 32, 64, 128 or 256 rows, got 48
// ROWS: error: mmc-tile-linear expected a positive row-block, got 0
model.program @p {
}
