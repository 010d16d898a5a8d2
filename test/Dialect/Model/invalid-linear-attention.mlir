// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of the linear recurrence, one violation each.

// linear_attention_c1
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x9xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected q and k [tokens, H, K] and v [tokens, H, V]}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x9xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c2: absent
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected a rate with decay head}}
  %y, %s1 = model.linear_attention additive, head %q, %k, %v, %batch state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c2: present
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>, %r: tensor<2xf32>) {
  // expected-error @+1 {{'model.linear_attention' op expected no rate with decay none}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch rate %r state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2xf32>, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c2: head
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>, %r: tensor<3xf32>) {
  // expected-error @+1 {{'model.linear_attention' op expected a rate [H] = [2] with decay head, got 'tensor<3xf32>'}}
  %y, %s1 = model.linear_attention additive, head %q, %k, %v, %batch rate %r state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<3xf32>, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c2: token
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>, %r: tensor<2xf32>) {
  // expected-error @+1 {{'model.linear_attention' op expected a row tensor rate with decay token}}
  %y, %s1 = model.linear_attention additive, token %q, %k, %v, %batch rate %r state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2xf32>, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c2: channel
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>, %r: tensor<?x2xf32, #t>) {
  // expected-error @+1 {{'model.linear_attention' op expected a rate of type 'tensor<?x2x8xf32, #model.rows<tokens>>'}}
  %y, %s1 = model.linear_attention additive, channel %q, %k, %v, %batch rate %r state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<?x2xf32, #t>, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c3
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>, %b: tensor<?x3xf32, #t>) {
  // expected-error @+1 {{'model.linear_attention' op expected a beta of type 'tensor<?x2xf32, #model.rows<tokens>>'}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch beta %b state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<?x3xf32, #t>, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c4: shape
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x4x8xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected a state [H, K, V] = [2, 8, 4], got}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x4x8xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x4x8xf32, #s>)
  model.return
}

// -----

// linear_attention_c4: new state
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected the new state to have the type of the state}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xbf16, #s>)
  model.return
}

// -----

// linear_attention_c5
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected a result of type 'tensor<?x2x4xf32, #model.rows<tokens>>'}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x8xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c6
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %k: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected a finite scale}}
  %y, %s1 = model.linear_attention additive, none %q, %k, %v, %batch state %s {scale = 0x7FF0000000000000 : f64} : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c1: rows
#r = #model.rows<routes>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #r>, %v: tensor<?x2x4xf32, #r>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected q, k and v over tokens, got 'tensor<?x2x8xf32, #model.rows<routes>>'}}
  %y, %s1 = model.linear_attention additive, none %q, %q, %v, %batch state %s : (tensor<?x2x8xf32, #r>, tensor<?x2x8xf32, #r>, tensor<?x2x4xf32, #r>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xf32, #r>, tensor<2x8x4xf32, #s>)
  model.return
}

// -----

// linear_attention_c5: element
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%q: tensor<?x2x8xf32, #t>, %v: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x8x4xf32, #s>) {
  // expected-error @+1 {{'model.linear_attention' op expected an f32 result, got 'tensor<?x2x4xbf16, #model.rows<tokens>>'}}
  %y, %s1 = model.linear_attention additive, none %q, %q, %v, %batch state %s : (tensor<?x2x8xf32, #t>, tensor<?x2x8xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x8x4xf32, #s>) -> (tensor<?x2x4xbf16, #t>, tensor<2x8x4xf32, #s>)
  model.return
}
