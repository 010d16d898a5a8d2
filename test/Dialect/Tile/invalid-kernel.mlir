// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of a kernel's signature and domain refuses what breaks it; those of its body are in invalid-kernel-body.mlir.

// kernel_c1
// expected-error @+1 {{expected no results, got 1}}
"tile.kernel"() ({
^bb0(%p: index):
  "tile.return"() : () -> ()
}) {sym_name = "kernel_c1", function_type = () -> index, domain = [#tile.extent<fixed, 1>]} : () -> ()

// -----

// kernel_c2
// expected-error @+1 {{expected argument 0 to be a view, a work list or a count, got 'tensor<4xf32>'}}
tile.kernel @kernel_c2(%x: tensor<4xf32>) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c2_list
// expected-error @+1 {{expected argument 0 of type '!tile.ragged' to have a #tile.work as tile.work}}
tile.kernel @kernel_c2_list(%x: !tile.ragged) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c2_count
// expected-error @+1 {{expected argument 0 of type index to have tile.step of token_count, output_count or sequence_count}}
tile.kernel @kernel_c2_count(%x: index {tile.step = #tile.step<row_slots>}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c2_step
// expected-error @+1 {{expected argument 0 to have a #tile.step as tile.step, got "tokens"}}
tile.kernel @kernel_c2_step(%x: index {tile.step = "tokens"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c3
// expected-error @+1 {{expected argument 0 to have tile.access = "read", "write" or "readwrite"}}
tile.kernel @kernel_c3(%x: !tile.view<?xf32>) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c3_field
// expected-error @+1 {{expected argument 0 of type '!tile.view<?xf32>' to be a rank-1 view of i32 for step field row_slots}}
tile.kernel @kernel_c3_field(%x: !tile.view<?xf32> {tile.step = #tile.step<row_slots>}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c3_written
// expected-error @+1 {{expected argument 0 to be only read, as a step field, got tile.access = "write"}}
tile.kernel @kernel_c3_written(%x: !tile.view<?xi32> {tile.step = #tile.step<row_slots>, tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  tile.return
}

// -----

// kernel_c4
// expected-error @+1 {{expected at least one work dimension}}
tile.kernel @kernel_c4(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain() {
  tile.return
}

// -----

// kernel_c4_values
// expected-error @+1 {{expected 0 arguments and 2 points in the entry block, got 1 values}}
"tile.kernel"() ({
^bb0(%p: index):
  "tile.return"() : () -> ()
}) {sym_name = "kernel_c4_values", function_type = () -> (), domain = [#tile.extent<fixed, 1>, #tile.extent<tokens>]} : () -> ()

// -----

// kernel_c4_types
// expected-error @+1 {{expected entry block argument 0 to have the signature's type 'index', got 'f32'}}
"tile.kernel"() ({
^bb0(%n: f32, %p: index):
  "tile.return"() : () -> ()
}) {sym_name = "kernel_c4_types", function_type = (index) -> (), domain = [#tile.extent<fixed, 1>]} : () -> ()

// -----

// kernel_c4_points
// expected-error @+1 {{expected points of type index, got 'i32'}}
"tile.kernel"() ({
^bb0(%p: i32):
  "tile.return"() : () -> ()
}) {sym_name = "kernel_c4_points", function_type = () -> (), domain = [#tile.extent<fixed, 1>]} : () -> ()

// -----

// kernel_c5
// expected-error @+1 {{expected work dimension 0 to have a positive fixed extent, got 0}}
tile.kernel @kernel_c5(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 0>) {
  tile.return
}

// -----

// kernel_c5_work
// expected-error @+1 {{expected work dimension 1 to name an argument that is a work list, got argument 0}}
tile.kernel @kernel_c5_work(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in #tile.extent<tokens>, %q in #tile.extent<work, 0>) {
  tile.return
}

// -----

// kernel_c5_value
// expected-error @+1 {{expected work dimension 0 to have no value besides its kind, got 3}}
tile.kernel @kernel_c5_value(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in #tile.extent<tokens, 3>) {
  tile.return
}

// -----

// kernel_c5_attribute
// expected-error @+1 {{expected work dimension 0 to be a #tile.extent, got 7 : i64}}
tile.kernel @kernel_c5_attribute(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in 7 : i64) {
  tile.return
}

// -----

// kernel_c8
// expected-error @+1 {{expected a positive grain, got 0}}
tile.kernel @kernel_c8(%x: !tile.view<?x4xf32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) grain 0 {
  tile.return
}
