// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of a launch refuses what breaks it.

// launch_c1
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<tokens>) {
  tile.return
}
func.func @launch_c1(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{expected one entry of tied per result, got 0 for 1}}
  %r = tile.launch @k(%a, %b) tied [] : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

// launch_c1_range
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<tokens>) {
  tile.return
}
func.func @launch_c1_range(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{expected tied to name one of 2 operands, got 2}}
  %r = tile.launch @k(%a, %b) tied [2] : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

// launch_c1_twice
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<tokens>) {
  tile.return
}
func.func @launch_c1_twice(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{expected at most one result tied to operand 1}}
  %r:2 = tile.launch @k(%a, %b) tied [1, 1] : (tensor<?xf32>, tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

// launch_c2
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<tokens>) {
  tile.return
}
func.func @launch_c2(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{expected result 0 to have the type of operand 1, 'tensor<?xf32>', got 'tensor<4xf32>'}}
  %r = tile.launch @k(%a, %b) tied [1] : (tensor<?xf32>, tensor<?xf32>) -> tensor<4xf32>
  return
}

// -----

// launch_c3
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<tokens>) {
  tile.return
}
func.func @launch_c3(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{expected @missing to name a tile.kernel}}
  %r = tile.launch @missing(%a, %b) tied [1] : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

// launch_c4
// expected-note @+1 {{the kernel is here}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "readwrite"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<tokens>) {
  tile.return
}
func.func @launch_c4(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{expected 2 operands and untied results for the kernel's bound arguments, got 1}}
  %r = tile.launch @k(%a) tied [0] : (tensor<?xf32>) -> tensor<?xf32>
  return
}
