// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of tensor copies refuses what breaks it.

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c1
hopper.kernel @tensor_copy_c1(%w: !tile.view<64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected one index per view dimension, got 1 for rank 2}}
      hopper.tensor_copy %w[%p] along [0, 1] to %s stage %stage : !tile.view<64x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c2
hopper.kernel @tensor_copy_c2(%w: !tile.view<64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected along to name dimensions of a view of rank 2 in increasing order}}
      hopper.tensor_copy %w[%p, %p] along [1, 0] to %s stage %stage : !tile.view<64x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c3
hopper.kernel @tensor_copy_c3(%w: !tile.view<64x64xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected the view's element type 'f32', got 'bf16'}}
      hopper.tensor_copy %w[%p, %p] along [0, 1] to %s stage %stage : !tile.view<64x64xf32>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128>

// tensor_copy_c4
hopper.kernel @tensor_copy_c4(%w: !tile.view<64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  // expected-error @+1 {{expected to stand in a hopper.fill}}
  hopper.tensor_copy %w[%p, %p] along [0, 1] to %s : !tile.view<64x64xbf16>, !tile
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c5: somebody writes it
hopper.kernel @tensor_copy_c5_written(%w: !tile.view<64x64xbf16> {tile.access = "read_write"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected a view that is an argument of the kernel and only read}}
      hopper.tensor_copy %w[%p, %p] along [0, 1] to %s stage %stage : !tile.view<64x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>
!paged = !tile.view<?x?x2x64xbf16, #tile.paged<page = 64, table = 4, strides = [128, 64, 1]>>

// tensor_copy_c5: a page table is between
hopper.kernel @tensor_copy_c5_paged(%w: !paged {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected a view with strides, got}}
      hopper.tensor_copy %w[%p, %p, %p, %p] along [1, 3] to %s stage %stage : !paged, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c5: a row begins anywhere
hopper.kernel @tensor_copy_c5_rows(%w: !tile.view<64x68xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected a view with rows and an offset that are multiples of 16 bytes}}
      hopper.tensor_copy %w[%p, %p] along [0, 1] to %s stage %stage : !tile.view<64x68xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c5: columns of the tile are rows of the view
hopper.kernel @tensor_copy_c5_columns(%w: !tile.view<64x64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected a view with contiguous rows along the tile's last dimension}}
      hopper.tensor_copy %w[%p, %p, %p] along [0, 1] to %s stage %stage : !tile.view<64x64x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<264x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c6
hopper.kernel @tensor_copy_c6(%w: !tile.view<512x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected a tile with a swizzle and at most 256 rows}}
      hopper.tensor_copy %w[%p, %p] along [0, 1] to %s stage %stage : !tile.view<512x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// tensor_copy_c7
hopper.kernel @tensor_copy_c7(%w: !tile.view<64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      // expected-error @+1 {{expected a stage exactly where the tile has several, got none for 2 stages}}
      hopper.tensor_copy %w[%p, %p] along [0, 1] to %s : !tile.view<64x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}

// -----

!tile = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

// roles_c6
hopper.kernel @roles_c6(%w: !tile.view<64x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %s = hopper.alloc : !tile
  %ring = hopper.ring : !hopper.ring<2>
  hopper.roles fill 128 registers 40 {
    // expected-note @+1 {{another fill of the ring is here}}
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      hopper.tensor_copy %w[%p, %p] along [0, 1] to %s stage %stage : !tile.view<64x64xbf16>, !tile
    }
    // expected-error @+1 {{expected the fills of a ring to agree on whether they have copies and whether they have tensor copies}}
    hopper.fill %ring : !hopper.ring<2> {
    ^bb0(%stage: index):
      hopper.copy %w[%p, %p] along [0, 1] to %s stage %stage : !tile.view<64x64xbf16>, !tile
    }
  } compute registers 216 {
  }
  hopper.return
}
