// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of kernels and of what stands in their bodies refuses what breaks it.

// kernel_c1
// expected-error @+1 {{'hopper.kernel' op expected no results, got 1}}
"hopper.kernel"() <{sym_name = "kernel_c1", function_type = () -> f32, domain = [#tile.extent<fixed, 1>], threads = 32 : i64, blocks = 1 : i64}> ({
^bb0(%p: index):
  hopper.return
}) : () -> ()

// -----

// kernel_c2
// expected-error @+1 {{expected threads to be a multiple of 32 up to 1024, got 48}}
hopper.kernel @kernel_c2() domain(%p in #tile.extent<fixed, 1>) threads 48 blocks 1 {
  hopper.return
}

// -----

// kernel_c2_many
// expected-error @+1 {{expected threads to be a multiple of 32 up to 1024, got 1056}}
hopper.kernel @kernel_c2_many() domain(%p in #tile.extent<fixed, 1>) threads 1056 blocks 1 {
  hopper.return
}

// -----

// kernel_c2_blocks
// expected-error @+1 {{expected a positive number of blocks, got 0}}
hopper.kernel @kernel_c2_blocks() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 0 {
  hopper.return
}

// -----

// kernel_c3
// expected-error @+1 {{expected 0 arguments and one point per work dimension, of which there is at least one, in the entry block, got 0 values}}
hopper.kernel @kernel_c3() domain() threads 32 blocks 1 {
  hopper.return
}

// -----

// kernel_c3_points
// expected-error @+1 {{expected 0 arguments and one point per work dimension, of which there is at least one, in the entry block, got 2 values}}
"hopper.kernel"() <{sym_name = "kernel_c3_points", function_type = () -> (), domain = [#tile.extent<fixed, 1>], threads = 32 : i64, blocks = 1 : i64}> ({
^bb0(%p: index, %q: index):
  hopper.return
}) : () -> ()

// -----

// kernel_c4
func.func private @f()
hopper.kernel @kernel_c4() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  // expected-error @+1 {{'func.call' op is not allowed in a hopper.kernel, whose body has ops of arith, math and hopper, scf.for, and scf.if without results}}
  func.call @f() : () -> ()
  hopper.return
}

// -----

// kernel_c4_nested
hopper.kernel @kernel_c4_nested() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  // expected-error @+1 {{'hopper.kernel' op is not allowed in a hopper.kernel}}
  hopper.kernel @inner() domain(%q in #tile.extent<fixed, 1>) threads 32 blocks 1 {
    hopper.return
  }
  hopper.return
}

// -----

// kernel_c4_results
hopper.kernel @kernel_c4_results() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  %which = arith.constant true
  // expected-error @+1 {{'scf.if' op is not allowed in a hopper.kernel}}
  %r = scf.if %which -> index {
    scf.yield %p : index
  } else {
    scf.yield %p : index
  }
  hopper.return
}

// -----

// kernel_c5
hopper.kernel @kernel_c5() domain(%p in #tile.extent<fixed, 1>) threads 96 blocks 1 {
  // expected-error @+1 {{expected accumulators over the kernel's 3 warps, got #hopper.accumulator<4 x 1>}}
  %z = hopper.map() : () -> !hopper.fragment<64x16xf32, #hopper.accumulator<4 x 1>> {
    %c = arith.constant 0.0 : f32
    hopper.yield %c : f32
  }
  hopper.return
}

// -----

// kernel_c5_slice
hopper.kernel @kernel_c5_slice() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  // expected-error @+1 {{expected accumulators over the kernel's 1 warps, got #hopper.accumulator<1 x 2>}}
  %z = hopper.map() : () -> !hopper.fragment<32xf32, #hopper.slice<dim = 0, #hopper.accumulator<1 x 2>>> {
    %c = arith.constant 0.0 : f32
    hopper.yield %c : f32
  }
  hopper.return
}

// -----

// kernel_c6
// expected-error @+1 {{expected shared tiles of at most 232448 bytes together, got 262144}}
hopper.kernel @kernel_c6() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  %a = hopper.alloc : !hopper.shared<128x128xbf16, stages = 4>
  %b = hopper.alloc : !hopper.shared<128x128xbf16, stages = 4>
  hopper.return
}

// -----

// kernel_c7
hopper.kernel @kernel_c7() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 serial {
  // expected-error @+1 {{is not allowed in a serial kernel, which has neither fragments nor shared tiles}}
  %a = hopper.alloc : !hopper.shared<16xf32>
  hopper.return
}

// -----

// distribute_c1
hopper.kernel @distribute_c1() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %p step %c1 {
    // expected-error @+1 {{expected to stand in the kernel's body itself, or a role's, not in a loop}}
    hopper.distribute %j = %c0 to %p step %c1 {
    }
  }
  hopper.return
}

// -----

// distribute_c1_argument
hopper.kernel @distribute_c1_argument() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  // expected-error @+1 {{expected one body argument of type index}}
  "hopper.distribute"(%p, %p, %p) ({
  ^bb0:
    hopper.yield
  }) : (index, index, index) -> ()
  hopper.return
}

// -----

// alloc_c1
hopper.kernel @alloc_c1() domain(%p in #tile.extent<fixed, 1>) threads 32 blocks 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %p step %c1 {
    // expected-error @+1 {{expected to stand in the kernel's body}}
    %a = hopper.alloc : !hopper.shared<16xf32>
  }
  hopper.return
}
