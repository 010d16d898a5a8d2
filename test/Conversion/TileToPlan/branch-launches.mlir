// RUN: %mmc-opt %s --pass-pipeline='builtin.module(mmc-branch-launches)' | FileCheck %s
// Neighbours over sequences that prefill and that decode get branches where all that either writes is told apart by rows or slots of their own.

// CHECK-LABEL: plan.module @m
plan.module @m {} {
  plan.buffer @x : tensor<?x64xf32> rows "tokens"
  plan.buffer @y : tensor<?x64xf32> rows "tokens"
  plan.buffer @z : tensor<?x64xf32> rows "tokens"
  plan.buffer @apart : tensor<?x64xf32> rows "tokens"
  plan.pool @state slots of tensor<64xf32> layers 1
  plan.work_list @prefill prefill tile 0
  plan.work_list @decode decode tile 0

  // Blocks of rows up to the record's end; the state of the record's slot.
  // CHECK-LABEL: plan.program @own
  // CHECK: @prefill {{.*}} domain [#plan.extent<work, @prefill>] branch 1
  // CHECK: @decode {{.*}} domain [#plan.extent<work, @decode>] branch 2
  // CHECK: @norm {{.*}} domain [#plan.extent<tokens>]{{$}}
  plan.program @own {
    plan.launch @cuda::@prefill [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
    plan.launch @cuda::@norm [#plan.bind<buffer, @y>, #plan.bind<buffer, @x, written>] domain [#plan.extent<tokens>]
  }

  // A row beyond the record's may be written; so may another slot.
  // CHECK-LABEL: plan.program @beyond
  // CHECK-NOT: branch
  plan.program @beyond {
    plan.launch @cuda::@prefill_beyond [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
    plan.launch @cuda::@norm [#plan.bind<buffer, @y>, #plan.bind<buffer, @x, written>] domain [#plan.extent<tokens>]
    plan.launch @cuda::@prefill [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
    plan.launch @cuda::@decode_first_slot [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
  }

  // Two launches on a branch; the first one's buffer lies apart from what the other branch touches.
  // CHECK-LABEL: plan.program @chain
  // CHECK: @prefill {{.*}} branch 1
  // CHECK: @decode {{.*}}@apart{{.*}} branch 2
  // CHECK: @decode {{.*}} branch 2
  plan.program @chain {
    plan.launch @cuda::@prefill [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @apart, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @apart>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
  }

  // A part of a record's rows, from a place that is not before them.
  // CHECK-LABEL: plan.program @part
  // CHECK: @prefill_part {{.*}} branch 1
  // CHECK: @decode {{.*}} branch 2
  plan.program @part {
    plan.launch @cuda::@prefill_part [#plan.bind<buffer, @x>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>, #plan.extent<fixed, 4>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
  }

  // One from a place that may be before them.
  // CHECK-LABEL: plan.program @before
  // CHECK-NOT: branch
  plan.program @before {
    plan.launch @cuda::@prefill_before [#plan.bind<buffer, @x>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>, #plan.extent<fixed, 4>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
  }

  // The same sequences; a launch between the two; buffers that share bytes, @x and @z.
  // CHECK-LABEL: plan.program @unlike
  // CHECK-NOT: branch
  plan.program @unlike {
    plan.launch @cuda::@prefill [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
    plan.launch @cuda::@prefill [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
    plan.launch @cuda::@norm [#plan.bind<buffer, @y>, #plan.bind<buffer, @x, written>] domain [#plan.extent<tokens>]
    plan.launch @cuda::@decode [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @y, written>, #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>]
    plan.launch @cuda::@prefill [#plan.bind<buffer, @x>, #plan.bind<pool, @state, written>, #plan.bind<buffer, @z, written>, #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>]
  }

  // CHECK-LABEL: plan.executable
  plan.executable @cuda for "cuda" {
    tile.kernel @prefill(%x: !tile.view<?x64xf32> {tile.access = "read"}, %s: !tile.view<?x64xf32> {tile.access = "readwrite"}, %y: !tile.view<?x64xf32> {tile.access = "write"}, %list: !tile.ragged {tile.work = #tile.work<prefill>}) domain(%i in #tile.extent<work, 3>) {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %slot, %row, %rows, %position = tile.point %list[%i]
      %state = tile.load %s[%slot, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      tile.store %state, %s[%slot, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      scf.for %at = %c0 to %rows step %c16 {
        %left = arith.subi %rows, %at : index
        %block = arith.minsi %c16, %left : index
        %first = arith.addi %row, %at : index
        %v = tile.load %x[%first, %c0] along [0, 1] limit(%block) : !tile.view<?x64xf32> -> tensor<16x64xf32>
        tile.store %v, %y[%first, %c0] along [0, 1] limit(%block) : tensor<16x64xf32>, !tile.view<?x64xf32>
      }
      tile.return
    }
    tile.kernel @prefill_beyond(%x: !tile.view<?x64xf32> {tile.access = "read"}, %s: !tile.view<?x64xf32> {tile.access = "readwrite"}, %y: !tile.view<?x64xf32> {tile.access = "write"}, %list: !tile.ragged {tile.work = #tile.work<prefill>}) domain(%i in #tile.extent<work, 3>) {
      %c0 = arith.constant 0 : index
      %slot, %row, %rows, %position = tile.point %list[%i]
      %state = tile.load %s[%slot, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      tile.store %state, %s[%slot, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      %v = tile.load %x[%row, %c0] along [0, 1] limit(%rows) : !tile.view<?x64xf32> -> tensor<16x64xf32>
      tile.store %v, %y[%row, %c0] along [0, 1] : tensor<16x64xf32>, !tile.view<?x64xf32>
      tile.return
    }
    tile.kernel @prefill_part(%x: !tile.view<?x64xf32> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"}, %list: !tile.ragged {tile.work = #tile.work<prefill>}) domain(%i in #tile.extent<work, 2>, %part in #tile.extent<fixed, 4>) {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c3 = arith.constant 3 : index
      %slot, %row, %rows, %position = tile.point %list[%i]
      %more = arith.addi %rows, %c3 : index
      %span = arith.divsi %more, %c16 : index
      %begin = arith.muli %part, %span : index
      %next = arith.addi %begin, %span : index
      %end = arith.minsi %rows, %next : index
      scf.for %at = %begin to %end step %c16 {
        %left = arith.subi %end, %at : index
        %block = arith.minsi %c16, %left : index
        %first = arith.addi %row, %at : index
        %v = tile.load %x[%first, %c0] along [0, 1] limit(%block) : !tile.view<?x64xf32> -> tensor<16x64xf32>
        tile.store %v, %y[%first, %c0] along [0, 1] limit(%block) : tensor<16x64xf32>, !tile.view<?x64xf32>
      }
      tile.return
    }
    tile.kernel @prefill_before(%x: !tile.view<?x64xf32> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"}, %list: !tile.ragged {tile.work = #tile.work<prefill>}) domain(%i in #tile.extent<work, 2>, %part in #tile.extent<fixed, 4>) {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c3 = arith.constant 3 : index
      %slot, %row, %rows, %position = tile.point %list[%i]
      %more = arith.addi %rows, %c3 : index
      %span = arith.divsi %more, %c16 : index
      %begin = arith.subi %part, %span : index
      %next = arith.addi %begin, %span : index
      %end = arith.minsi %rows, %next : index
      scf.for %at = %begin to %end step %c16 {
        %left = arith.subi %end, %at : index
        %block = arith.minsi %c16, %left : index
        %first = arith.addi %row, %at : index
        %v = tile.load %x[%first, %c0] along [0, 1] limit(%block) : !tile.view<?x64xf32> -> tensor<16x64xf32>
        tile.store %v, %y[%first, %c0] along [0, 1] limit(%block) : tensor<16x64xf32>, !tile.view<?x64xf32>
      }
      tile.return
    }
    tile.kernel @decode(%x: !tile.view<?x64xf32> {tile.access = "read"}, %s: !tile.view<?x64xf32> {tile.access = "readwrite"}, %y: !tile.view<?x64xf32> {tile.access = "readwrite"}, %list: !tile.ragged {tile.work = #tile.work<decode>}) domain(%i in #tile.extent<work, 3>) {
      %c0 = arith.constant 0 : index
      %slot, %row, %rows, %position = tile.point %list[%i]
      %state = tile.load %s[%slot, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      tile.store %state, %s[%slot, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      %v = tile.load %x[%row, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      tile.store %v, %y[%row, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      tile.return
    }
    tile.kernel @decode_first_slot(%x: !tile.view<?x64xf32> {tile.access = "read"}, %s: !tile.view<?x64xf32> {tile.access = "readwrite"}, %y: !tile.view<?x64xf32> {tile.access = "readwrite"}, %list: !tile.ragged {tile.work = #tile.work<decode>}) domain(%i in #tile.extent<work, 3>) {
      %c0 = arith.constant 0 : index
      %slot, %row, %rows, %position = tile.point %list[%i]
      %state = tile.load %s[%c0, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      tile.store %state, %s[%c0, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      %v = tile.load %x[%row, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      tile.store %v, %y[%row, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      tile.return
    }
    tile.kernel @norm(%x: !tile.view<?x64xf32> {tile.access = "read"}, %y: !tile.view<?x64xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
      tile.return
    }
  }
  plan.entry tokens 2 sequences 2 context 64 outputs 2 arena 1536 offsets [0, 512, 256, 1024]
  plan.program @body {
  }
  plan.program @head {
  }
}
