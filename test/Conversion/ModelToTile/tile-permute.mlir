// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-tile-permute))' | FileCheck %s
// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-tile-permute{points=experts}))' | FileCheck %s --check-prefix=EXPERTS
// The sorting of routes is one work point of scalar loops, or one per expert; the program learns how many routes a token has.

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

  // A point counts the choices of experts before its own, then places its own ones in the order of their numbers.
  // EXPERTS: tile.kernel @permute_4_top3(
  // EXPERTS-SAME: domain(%expert in #tile.extent<fixed, 5>)
  // EXPERTS: %[[BEFORE:.*]] = scf.for %{{.*}} = %c0 to %token_count step %c85 iter_args(%{{.*}} = %{{.*}}) -> (f32) {
  // EXPERTS: tile.load %experts[{{.*}}] along [0, 1] limit({{.*}} -> tensor<85x3xi32>
  // EXPERTS: arith.cmpi slt, %{{.*}} : tensor<85x3xi32>
  // EXPERTS: tile.reduce add
  // EXPERTS: %[[INT:.*]] = arith.fptosi %[[BEFORE]]
  // EXPERTS: tile.store %{{.*}}, %offsets[%expert] along []
  // EXPERTS: scf.for %[[FIRST:.*]] = %c0 to %token_count step %c85 iter_args(%[[PLACE:.*]] = %{{.*}}) -> (index) {
  // EXPERTS: arith.cmpi eq, %{{.*}} : tensor<85x3xi32>
  // EXPERTS: scf.for %[[I:.*]] = %c0 to %[[COUNT:.*]] step %c1
  // EXPERTS: tile.reduce max
  // EXPERTS: %[[TOKEN:.*]] = arith.addi %[[FIRST]], %{{.*}}
  // EXPERTS: %[[ROUTE:.*]] = arith.addi %[[PLACE]], %[[I]]
  // EXPERTS: tile.store %{{.*}}, %source[%[[ROUTE]]] along []
  // EXPERTS: tile.store %{{.*}}, %position[%[[TOKEN]], %{{.*}}] along []
  // EXPERTS: arith.addi %[[PLACE]], %[[COUNT]]
}
