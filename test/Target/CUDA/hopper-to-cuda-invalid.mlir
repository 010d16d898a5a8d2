// RUN: split-file %s %t
// RUN: not %mmc-translate --hopper-to-cuda %t/results.mlir 2>&1 | FileCheck %s --check-prefix=RESULTS
// RUN: not %mmc-translate --hopper-to-cuda %t/unsigned.mlir 2>&1 | FileCheck %s --check-prefix=UNSIGNED
// RUN: not %mmc-translate --hopper-to-cuda %t/none.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not %mmc-translate %t/none.mlir 2>&1 | FileCheck %s --check-prefix=USAGE
// What has no text in CUDA is refused at its place, and nothing is printed.

//--- results.mlir
// RESULTS-NOT: MMC_KERNEL
// RESULTS: error: 'hopper.map' op expected one result, since one loop is printed for it
// RESULTS-NOT: MMC_KERNEL
!row = !hopper.fragment<64xf32, #hopper.spread<1>>
hopper.kernel @results() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  %a:2 = hopper.map() : () -> (!row, !row) {
    %one = arith.constant 1.0 : f32
    hopper.yield %one, %one : f32, f32
  }
  hopper.return
}

//--- unsigned.mlir
// UNSIGNED-NOT: MMC_KERNEL
// UNSIGNED: error: has no text in CUDA
// UNSIGNED-NOT: MMC_KERNEL
hopper.kernel @unsigned(%y: !tile.view<?xi32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  %c4 = arith.constant 4 : i32
  %i = arith.index_cast %p : index to i32
  %q = arith.divui %i, %c4 : i32
  hopper.store %q, %y[%p] along [] : i32, !tile.view<?xi32>
  hopper.return
}

//--- none.mlir
// NONE: mmc-translate: {{.*}}none.mlir has no hopper.kernel, expected one or more
// NONE-NEXT: fix: convert tile kernels first, by mmc-opt --mmc-convert-tile-to-hopper
// USAGE: usage: mmc-translate --hopper-to-cuda FILE.mlir
module {
}
