// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches))' | FileCheck %s
// Every compute op gets a dispatch; rounding goes with its producer, widening with each consumer, reshapes and names of data stay outside.

#tokens = #model.rows<tokens>
#routes = #model.rows<routes>

model.program @p {
  // CHECK-LABEL: model.func @casts
  // CHECK: model.weight "w" {{.*}}model.dispatch -> tensor<?x8xbf16, #tokens> {
  // CHECK-NEXT: %[[Y:.*]] = model.linear %x, %{{.*}} : tensor<?x4xbf16, #tokens>, tensor<8x4xbf16>
  // CHECK-NEXT: %[[B:.*]] = arith.truncf %[[Y]]
  // CHECK-NEXT: model.yield %[[B]]
  // CHECK-NEXT: }
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens> {
  // CHECK-NEXT: %[[W:.*]] = arith.extf
  // CHECK-NEXT: %[[S:.*]] = model.silu %[[W]]
  // CHECK-NEXT: model.yield %[[S]]
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens> {
  // CHECK-NEXT: arith.extf
  // CHECK-NEXT: model.sigmoid
  model.func @casts(%x: tensor<?x4xbf16, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>) {
    %w = model.weight "w" : tensor<8x4xbf16>
    %y = model.linear %x, %w : tensor<?x4xbf16, #tokens>, tensor<8x4xbf16>
    %b = arith.truncf %y : tensor<?x8xf32, #tokens> to tensor<?x8xbf16, #tokens>
    %f = arith.extf %b : tensor<?x8xbf16, #tokens> to tensor<?x8xf32, #tokens>
    %s = model.silu %f : tensor<?x8xf32, #tokens>
    %t = model.sigmoid %f : tensor<?x8xf32, #tokens>
    model.return %s, %t : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
  }

  // A result that is used rounded and unrounded leaves the dispatch in both forms.
  // CHECK-LABEL: model.func @both_forms
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens>, tensor<?x8xbf16, #tokens> {
  // CHECK-NEXT: %[[S:.*]] = model.silu
  // CHECK-NEXT: %[[B:.*]] = arith.truncf %[[S]]
  // CHECK-NEXT: model.yield %[[S]], %[[B]]
  model.func @both_forms(%x: tensor<?x8xf32, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x8xbf16, #tokens>) {
    %s = model.silu %x : tensor<?x8xf32, #tokens>
    %b = arith.truncf %s : tensor<?x8xf32, #tokens> to tensor<?x8xbf16, #tokens>
    model.return %s, %b : tensor<?x8xf32, #tokens>, tensor<?x8xbf16, #tokens>
  }

  // A cast that belongs to no compute op is a dispatch of its own; an op without users goes.
  // CHECK-LABEL: model.func @lone_cast
  // CHECK: model.split_heads
  // CHECK-NOT: model.silu
  // CHECK: model.dispatch -> tensor<?x2x4xbf16, #tokens> {
  // CHECK-NEXT: arith.truncf
  model.func @lone_cast(%x: tensor<?x8xf32, #tokens>) -> tensor<?x2x4xbf16, #tokens> {
    %h = model.split_heads %x : tensor<?x8xf32, #tokens> -> tensor<?x2x4xf32, #tokens>
    %b = arith.truncf %h : tensor<?x2x4xf32, #tokens> to tensor<?x2x4xbf16, #tokens>
    %dead = model.silu %x : tensor<?x8xf32, #tokens>
    model.return %b : tensor<?x2x4xbf16, #tokens>
  }

  // A dispatch on routes says how many a token has.
  // CHECK-LABEL: model.func @routes
  // CHECK: model.permute
  // CHECK: model.dispatch -> tensor<?x8xf32, #{{.*}}> attributes {top_k = 2 : i64} {
  // CHECK-NEXT: model.gather_routes
  model.func @routes(%x: tensor<?x8xf32, #tokens>, %e: tensor<?x2xi32, #tokens>) -> tensor<?x8xf32, #routes> {
    %offsets, %source, %position = model.permute %e : tensor<?x2xi32, #tokens> -> tensor<5xi32>, tensor<?xi32, #routes>, tensor<?x2xi32, #tokens>
    %g = model.gather_routes %x, %source : tensor<?x8xf32, #tokens>, tensor<?xi32, #routes>
    model.return %g : tensor<?x8xf32, #routes>
  }
}
