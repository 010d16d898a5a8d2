// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-tile-permute))' | FileCheck %s
// The sorting of routes is one work point of scalar loops; the program learns how many routes a token has.

#tokens = #model.rows<tokens>
#routes = #model.rows<routes>

// CHECK: model.program @p attributes {routes_per_token = 3 : i64}
model.program @p {
  // CHECK-LABEL: model.func @f
  // CHECK: %[[P:.*]]:3 = tile.launch @permute_4_top3(%{{.*}}) tied [-1, -1, -1]
  // CHECK: model.return %[[P]]#0, %[[P]]#2
  model.func @f(%e: tensor<?x3xi32, #tokens>) -> (tensor<5xi32>, tensor<?x3xi32, #tokens>) {
    %offsets, %source, %position = model.permute %e : tensor<?x3xi32, #tokens> -> tensor<5xi32>, tensor<?xi32, #routes>, tensor<?x3xi32, #tokens>
    model.return %offsets, %position : tensor<5xi32>, tensor<?x3xi32, #tokens>
  }
  // CHECK: tile.kernel @permute_4_top3(
  // CHECK-SAME: domain(%all in #tile.extent<fixed, 1>)
  // zero, count, sum, place, shift
  // CHECK: scf.for %{{.*}} = %c0 to %c5 step
  // CHECK: scf.for %{{.*}} = %c0 to %token_count step
  // CHECK: scf.for %{{.*}} = %c0 to %c3 step
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step
  // CHECK: scf.for %{{.*}} = %c0 to %token_count step
  // CHECK: tile.store %{{.*}}, %source[
  // CHECK: tile.store %{{.*}}, %position[
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step
}
