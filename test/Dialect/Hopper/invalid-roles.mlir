// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of rings and roles refuses what breaks it.

// ring_c1
// expected-error @+1 {{ring expected 2 stages or more, got 1}}
func.func @ring_c1(%ring: !hopper.ring<1>) {
  return
}

// -----

// ring_c1_place
hopper.kernel @ring_c1_place() domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %p step %c1 {
    // expected-error @+1 {{expected to stand in the kernel's body}}
    %r = hopper.ring : !hopper.ring<2>
  }
  hopper.return
}

// -----

// fill_c1
func.func @fill_c1(%ring: !hopper.ring<2>) {
  // expected-error @+1 {{expected one body argument of type index}}
  hopper.fill %ring : !hopper.ring<2> {
    hopper.yield
  }
  return
}

// -----

// fill_c1_body
func.func @fill_c1_body(%ring: !hopper.ring<2>) {
  hopper.fill %ring : !hopper.ring<2> {
  ^bb0(%stage: index):
    // expected-error @+1 {{is not allowed in a hopper.fill, whose body has copies and arithmetic}}
    hopper.barrier
    hopper.yield
  }
  return
}

// -----

// roles_c1
func.func @roles_c1() {
  // expected-error @+1 {{expected to stand in the kernel's body itself}}
  hopper.roles fill 128 registers 40 {
  } compute registers 216 {
  }
  return
}

// -----

// roles_c1_beside
hopper.kernel @roles_c1_beside() domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  // expected-error @+1 {{is not allowed beside hopper.roles, where allocs, rings and arithmetic stand}}
  hopper.barrier
  hopper.roles fill 128 registers 40 {
  } compute registers 216 {
  }
  hopper.return
}

// -----

// roles_c2
hopper.kernel @roles_c2() domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  // expected-error @+1 {{expected both sides to be whole warpgroups, at most 1024 threads together, got 32 and 128}}
  hopper.roles fill 32 registers 40 {
  } compute registers 216 {
  }
  hopper.return
}

// -----

// roles_c3
hopper.kernel @roles_c3() domain(%p in #tile.extent<fixed, 1>) threads 256 blocks 1 {
  // expected-error @+1 {{expected registers to be a multiple of 8 from 24 to 256, got 100}}
  hopper.roles fill 128 registers 40 {
  } compute registers 100 {
  }
  hopper.return
}

// -----

// roles_c3_sum
hopper.kernel @roles_c3_sum() domain(%p in #tile.extent<fixed, 1>) threads 256 blocks 1 {
  // expected-error @+1 {{expected at most 65536 registers in all threads of all blocks, got 66560}}
  hopper.roles fill 128 registers 40 {
  } compute registers 240 {
  }
  hopper.return
}

// -----

// roles_c4
hopper.kernel @roles_c4() domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  hopper.roles fill 128 registers 40 {
    // expected-error @+1 {{is not allowed on the filling side of hopper.roles}}
    hopper.barrier
  } compute registers 216 {
  }
  hopper.return
}

// -----

// roles_c4_compute
hopper.kernel @roles_c4_compute() domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %r = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
  } compute registers 216 {
    // expected-error @+1 {{is not allowed on the computing side of hopper.roles}}
    hopper.fill %r : !hopper.ring<2> {
    ^bb0(%stage: index):
      hopper.yield
    }
  }
  hopper.return
}

// -----

// roles_c5
hopper.kernel @roles_c5() domain(%p in #tile.extent<fixed, 4>) threads 128 blocks 1 {
  %r = hopper.ring : !hopper.ring<2>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.roles fill 128 registers 40 {
  } compute registers 216 {
    // expected-error @+1 {{got one that is acquired 1 times and released 0 times}}
    scf.for %i = %c0 to %p step %c1 {
      %stage = hopper.acquire %r : !hopper.ring<2>
    }
    hopper.release %r : !hopper.ring<2>
  }
  hopper.return
}

// -----

// roles_c5_more
hopper.kernel @roles_c5_more() domain(%p in #tile.extent<fixed, 4>) threads 128 blocks 1 {
  %r = hopper.ring : !hopper.ring<2>
  // expected-error @+1 {{got one that is acquired 1 times and released 2 times}}
  hopper.roles fill 128 registers 40 {
  } compute registers 216 {
    %stage = hopper.acquire %r : !hopper.ring<2>
    hopper.release %r : !hopper.ring<2>
    hopper.release %r : !hopper.ring<2>
  }
  hopper.return
}

// -----

// kernel_c9
hopper.kernel @kernel_c9() domain(%p in #tile.extent<fixed, 4>) threads 128 blocks 1 {
  %r = hopper.ring : !hopper.ring<2>
  // expected-error @+1 {{expected to stand in a hopper.roles, whose sides know where they are in a ring}}
  %stage = hopper.acquire %r : !hopper.ring<2>
  hopper.return
}
