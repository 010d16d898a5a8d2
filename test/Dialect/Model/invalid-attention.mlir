// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of softmax attention, one violation each.

// attention_c1
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x3x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected q [tokens, H, D], k [tokens, Hkv, D] and v [tokens, Hkv, Dv]}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x3x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c1: rank
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x16xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected q, k and v [tokens, heads, channels], got 'tensor<?x16xf32, #model.rows<tokens>>'}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x16xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c2
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x3x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected the heads of q to be a multiple of those of k, got 3 and 2}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x3x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c3: keys
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x3x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected k_cache [positions, 2, 8], got}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x3x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x3x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c3: values
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<5x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected v_cache [positions, 2, 8], got}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<5x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<5x2x8xf32, #k>
  model.return
}

// -----

// attention_c4: caches
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected the new caches to have the types of the caches}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xbf16, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c4: result
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected a result of type 'tensor<?x4x8xf32, #model.rows<tokens>>'}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x9xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c4: element
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected an f32 result}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xbf16, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c5: window
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected a window that is not negative, got -1}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 1.0 {window = -1 : i64} : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}

// -----

// attention_c5: scale
#t = #model.rows<tokens>
#k = #model.kv
model.func @f(%q: tensor<?x4x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x8xf32, #t>, %batch: !model.batch, %c: tensor<?x2x8xf32, #k>, %d: tensor<?x2x8xf32, #k>) {
  // expected-error @+1 {{'model.attention' op expected a finite scale}}
  %y, %c1, %d1 = model.attention %q, %k, %v, %batch cache(%c, %d) scale 0x7FF0000000000000 : tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k> -> tensor<?x4x8xf32, #t>, tensor<?x2x8xf32, #k>, tensor<?x2x8xf32, #k>
  model.return
}
