// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(model.program(mmc-rotate-norms))' | FileCheck %s
// The norm of a layer's input stands at the end of the layer before; a layer that adds its input again keeps its norm.

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// CHECK-LABEL: model.program @post_norm
model.program @post_norm {
  // CHECK: model.func @layer(%[[X:[a-z0-9_]+]]: tensor<?x8xf32, #tokens>, %{{.*}}: !model.batch, %[[L:[a-z0-9_]+]]: index)
  // CHECK: %[[W:[a-z0-9_]+]] = model.weight "l.{layer}.w"[%[[L]]]
  // CHECK: %[[P:[a-z0-9_]+]] = model.linear %[[X]], %[[W]]
  // CHECK: %[[Y:[a-z0-9_]+]] = model.residual %[[X]], %[[P]]
  // CHECK: %[[G:[a-z0-9_]+]] = model.weight "l.{layer}.g"[%[[L]]] next_else "g" : tensor<8xf32>
  // CHECK: %[[N:[a-z0-9_]+]] = model.rms_norm %[[Y]], %[[G]] eps
  // CHECK: model.return %[[N]]
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #tokens> {
    %g = model.weight "l.{layer}.g"[%layer] : tensor<8xf32>
    %w = model.weight "l.{layer}.w"[%layer] : tensor<8x8xf32>
    %one = arith.constant 1.0 : f32
    %n = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    %p = model.linear %n, %w : tensor<?x8xf32, #tokens>, tensor<8x8xf32>
    %y = model.residual %n, %p scale %one, %one : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    model.return %y : tensor<?x8xf32, #tokens>
  }
  // CHECK: model.func @main
  // CHECK: %[[E:[a-z0-9_]+]] = model.embedding
  // CHECK: %[[G0:[a-z0-9_]+]] = model.weight "l.0.g" : tensor<8xf32>
  // CHECK: %[[N0:[a-z0-9_]+]] = model.rms_norm %[[E]], %[[G0]] eps 1.000000e-05
  // CHECK: %[[S:[a-z0-9_]+]] = model.stack %[[N0]], %{{.*}} {{\[\[}}2, @layer]]
  // CHECK-NOT: model.rms_norm
  // CHECK: %[[O:[a-z0-9_]+]] = model.select_rows %[[S]]
  // CHECK-NOT: model.rms_norm
  // CHECK: model.return %[[O]]
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x8xf32, #outputs> {
    %t = model.weight "t" : tensor<10x8xf32>
    %g = model.weight "g" : tensor<8xf32>
    %x = model.embedding %ids, %t : tensor<?xi32, #tokens>, tensor<10x8xf32>
    %y = model.stack %x, %batch [[2, @layer]] : (tensor<?x8xf32, #tokens>, !model.batch) -> tensor<?x8xf32, #tokens>
    %s = model.select_rows %y, %batch : tensor<?x8xf32, #tokens>
    %o = model.rms_norm %s, %g eps 1.0e-5 : tensor<?x8xf32, #outputs>, tensor<8xf32>
    model.return %o : tensor<?x8xf32, #outputs>
  }
}

// -----

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// CHECK-LABEL: model.program @pre_norm
model.program @pre_norm {
  // CHECK: model.func @layer(%[[X:[a-z0-9_]+]]: tensor<?x8xf32, #tokens>, %{{.*}}: !model.batch, %{{.*}}: index)
  // CHECK: %[[N:[a-z0-9_]+]] = model.rms_norm %[[X]]
  // CHECK-NEXT: %[[Y:[a-z0-9_]+]] = arith.addf %[[X]], %[[N]]
  // CHECK-NEXT: model.return %[[Y]]
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #tokens> {
    %g = model.weight "l.{layer}.g"[%layer] : tensor<8xf32>
    %n = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    %y = arith.addf %x, %n : tensor<?x8xf32, #tokens>
    model.return %y : tensor<?x8xf32, #tokens>
  }
  // CHECK: model.select_rows
  // CHECK: model.rms_norm
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x8xf32, #outputs> {
    %t = model.weight "t" : tensor<10x8xf32>
    %x = model.embedding %ids, %t : tensor<?xi32, #tokens>, tensor<10x8xf32>
    %g = model.weight "g" : tensor<8xf32>
    %y = model.stack %x, %batch [[2, @layer]] : (tensor<?x8xf32, #tokens>, !model.batch) -> tensor<?x8xf32, #tokens>
    %s = model.select_rows %y, %batch : tensor<?x8xf32, #tokens>
    %o = model.rms_norm %s, %g eps 1.0e-5 : tensor<?x8xf32, #outputs>, tensor<8xf32>
    model.return %o : tensor<?x8xf32, #outputs>
  }
}

// -----

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// The last norm has another epsilon: one norm cannot stand for both.
// CHECK-LABEL: model.program @differ
model.program @differ {
  // CHECK: model.func @layer
  // CHECK: model.rms_norm
  // CHECK: model.func @main
  // CHECK: model.rms_norm %{{.*}} eps 9.9
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #tokens> {
    %g = model.weight "l.{layer}.g"[%layer] : tensor<8xf32>
    %n = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    model.return %n : tensor<?x8xf32, #tokens>
  }
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x8xf32, #outputs> {
    %t = model.weight "t" : tensor<10x8xf32>
    %x = model.embedding %ids, %t : tensor<?xi32, #tokens>, tensor<10x8xf32>
    %g = model.weight "g" : tensor<8xf32>
    %y = model.stack %x, %batch [[2, @layer]] : (tensor<?x8xf32, #tokens>, !model.batch) -> tensor<?x8xf32, #tokens>
    %s = model.select_rows %y, %batch : tensor<?x8xf32, #tokens>
    %o = model.rms_norm %s, %g eps 1.0e-6 : tensor<?x8xf32, #outputs>, tensor<8xf32>
    model.return %o : tensor<?x8xf32, #outputs>
  }
}
