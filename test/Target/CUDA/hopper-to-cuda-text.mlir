// RUN: %mmc-translate --hopper-to-cuda %s | FileCheck %s
// What of a kernel's text depends on the program around it: loop values, branches, tables, slices, padding.

!row = !hopper.fragment<64xf32, #hopper.spread<1>>
!whole = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!sums = !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>

// The values of a loop change places, and a scalar follows another: the old ones are kept until all are read. Registers of a first value that nobody
// else reads become the loop's.
// CHECK-LABEL: void exchange(
// CHECK: s64 carried = 0;
// CHECK-NEXT: s64 carried2 = 1;
// CHECK: MMC_NO_UNROLL for (s64 at = 0; at < point0; ++at) {
// CHECK-NEXT: BlockFragment<float, Spread<64, 1, 64>> next;
// CHECK-NEXT: copy(next, xPart);
// CHECK-NEXT: const s64 next2 = carried + 3;
// CHECK-NEXT: copy(xPart, yPart);
// CHECK-NEXT: copy(yPart, next);
// CHECK-NEXT: carried = carried + 2;
// CHECK-NEXT: carried2 = next2;
// CHECK-NEXT: }
// CHECK: store<8>(xPart, {{.*}} return y + (carried2 * 64 + i); });
hopper.kernel @exchange(%x: !tile.view<64xf32> {tile.access = "read"} loc("x"), %y: !tile.view<?x64xf32> {tile.access = "readwrite"} loc("y"))
    domain(%p in #tile.extent<tokens>) threads 64 blocks 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %a = hopper.load %x[%c0] along [0] : !tile.view<64xf32> -> !row
  %b = hopper.load %y[%c0, %c0] along [1] : !tile.view<?x64xf32> -> !row
  %r:4 = scf.for %i = %c0 to %p step %c1 iter_args(%u = %a, %v = %b, %m = %c0, %n = %c1) -> (!row, !row, index, index) {
    %next = arith.addi %m, %c2 : index
    %after = arith.addi %m, %c3 : index
    scf.yield %v, %u, %next, %after : !row, !row, index, index
  }
  hopper.store %r#0, %y[%r#3, %c0] along [1] : !row, !tile.view<?x64xf32>
  hopper.return
}

// Both sides of a branch; numbers that are no literals by their bits; a negated negative number.
// CHECK-LABEL: void branch(
// CHECK: if (point0 < 4) {
// CHECK-NEXT: if (threadIndex() == 0) *(y + point0) = bitCast<float>(0xff800000u);
// CHECK-NEXT: } else {
// CHECK-NEXT: if (threadIndex() == 0) *(y + point0) = -(-2.0f);
// CHECK-NEXT: }
hopper.kernel @branch(%y: !tile.view<?xf32> {tile.access = "write"} loc("y")) domain(%p in #tile.extent<tokens>) threads 32 blocks 1 {
  %c4 = arith.constant 4 : index
  %low = arith.constant 0xFF800000 : f32
  %two = arith.constant -2.0 : f32
  %few = arith.cmpi slt, %p, %c4 : index
  scf.if %few {
    hopper.store %low, %y[%p] along [] : f32, !tile.view<?xf32>
  } else {
    %negated = arith.negf %two : f32
    hopper.store %negated, %y[%p] along [] : f32, !tile.view<?xf32>
  }
  hopper.return
}

// One thread needs no condition before its stores.
// CHECK-LABEL: void serial(
// CHECK-NEXT: if (threadIndex() != 0) return;
// CHECK: *(y + point0) = 1.0f;
hopper.kernel @serial(%y: !tile.view<?xf32> {tile.access = "write"} loc("y")) domain(%p in #tile.extent<tokens>) threads 32 blocks 1 serial {
  %one = arith.constant 1.0 : f32
  hopper.store %one, %y[%p] along [] : f32, !tile.view<?xf32>
  hopper.return
}

// A constant vector lies in constant memory; a row's entry beside a matrix; extents leave the padding out; an accumulator with two users is copied.
// CHECK: MMC_CONSTANT float table[] = {1.0f, 0.5f};
// CHECK-LABEL: void slices(
// CHECK: return table[coordinate<0>({{[a-z]+}}, slot)];
// CHECK: reduce<Max, 1>(largest, wPart, shared.scratch);
// CHECK: return wPart[slot] - beside(difference, largest, slot);
// CHECK: return (coordinate<1>(masked, slot) <= coordinate<0>(masked, slot)) ? difference[slot] : 0.0f;
// CHECK: copy(product, masked);
// CHECK-NEXT: multiply(product, mnMajor(shared.tile2), mnMajor(shared.tile2));
// CHECK: store<8>(product, bounds(60, 64),
// CHECK: store<8>(masked, bounds(64, 64),
hopper.kernel @slices(%w: !tile.view<64x64xf32> {tile.access = "read"} loc("w"), %y: !tile.view<64x64xf32> {tile.access = "write"} loc("y"),
    %z: !tile.view<2xf32> {tile.access = "write"} loc("z")) domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 1 {
  %c0 = arith.constant 0 : index
  %tile = hopper.alloc : !hopper.shared<64x64xbf16>
  hopper.clear %tile : !hopper.shared<64x64xbf16>
  %entries = hopper.map() : () -> !hopper.fragment<2xf32, #hopper.spread<1>> {
    %f = hopper.lookup dense<[1.0, 0.5]> : tensor<2xf32> at 0 -> f32
    hopper.yield %f : f32
  }
  hopper.store %entries, %z[%c0] along [0] : !hopper.fragment<2xf32, #hopper.spread<1>>, !tile.view<2xf32>
  %x = hopper.load %w[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> !whole
  %largest = hopper.reduce max %x along 1 : !whole -> !sums
  %shifted = hopper.map(%x, %largest) : (!whole, !sums) -> !whole {
  ^bb0(%a: f32, %b: f32):
    %c = arith.subf %a, %b : f32
    hopper.yield %c : f32
  }
  %zero = arith.constant 0.0 : f32
  %masked = hopper.map(%shifted) : (!whole) -> !whole {
  ^bb0(%a: f32):
    %i = hopper.coordinate 0
    %j = hopper.coordinate 1
    %past = arith.cmpi sle, %j, %i : i32
    %m = arith.select %past, %a, %zero : f32
    hopper.yield %m : f32
  }
  hopper.barrier
  %p2 = hopper.multiply %masked, %tile, %tile transpose_a : !hopper.shared<64x64xbf16>, !hopper.shared<64x64xbf16> -> !whole
  hopper.store %p2, %y[%c0, %c0] along [0, 1] extents [60, 64] : !whole, !tile.view<64x64xf32>
  hopper.store %masked, %y[%c0, %c0] along [0, 1] : !whole, !tile.view<64x64xf32>
  hopper.return
}
