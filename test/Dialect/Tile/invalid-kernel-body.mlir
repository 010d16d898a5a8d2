// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of a kernel's body refuses what breaks it.

// kernel_c6
func.func private @f()
tile.kernel @kernel_c6(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{'func.call' op is not allowed in a tile.kernel, whose body has ops of arith, math, scf and tile only}}
  func.call @f() : () -> ()
  tile.return
}

// -----

// kernel_c7
tile.kernel @kernel_c7(%x: !tile.view<?xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = tile.load %x[%p] along [] : !tile.view<?xf32> -> f32
  // expected-error @+1 {{expected a view that may be written, got argument 0, which is only read}}
  tile.store %v, %x[%p] along [] : f32, !tile.view<?xf32>
  tile.return
}

// -----

// kernel_c6_nested
tile.kernel @kernel_c6_nested(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{'tile.kernel' op is not allowed in a tile.kernel}}
  tile.kernel @inner(%y: !tile.view<?x4xf32> {tile.access = "read"}) domain(%q in #tile.extent<fixed, 1>) {
    tile.return
  }
  tile.return
}

// -----

// kernel_c7_view
tile.kernel @kernel_c7_view(%x: !tile.view<?xf32> {tile.access = "readwrite"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}) domain(%p in #tile.extent<fixed, 1>) {
  %which = arith.constant true
  %v = tile.load %x[%p] along [] : !tile.view<?xf32> -> f32
  %z = scf.if %which -> !tile.view<?xf32> {
    scf.yield %x : !tile.view<?xf32>
  } else {
    scf.yield %y : !tile.view<?xf32>
  }
  // expected-error @+1 {{expected view to be an argument of the kernel}}
  tile.store %v, %z[%p] along [] : f32, !tile.view<?xf32>
  tile.return
}
