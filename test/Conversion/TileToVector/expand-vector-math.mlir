// RUN: %mmc-opt %s --pass-pipeline='builtin.module(func.func(mmc-expand-vector-math))' | FileCheck %s
// Functions of math become arithmetic; what the instruction set has stays.

// CHECK-LABEL: func.func @exponential
// CHECK-NOT: math.exp
// CHECK: math.fma
// CHECK: return
func.func @exponential(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp %x : vector<8xf32>
  return %y : vector<8xf32>
}

// CHECK-LABEL: func.func @sine
// CHECK-NOT: math.sin
// CHECK: return
func.func @sine(%x: f32) -> f32 {
  %y = math.sin %x : f32
  return %y : f32
}

// CHECK-LABEL: func.func @kept
// CHECK: math.roundeven
// CHECK: math.rsqrt
func.func @kept(%x: vector<8xf32>, %z: vector<4xf64>) -> (vector<8xf32>, vector<4xf64>) {
  %r = math.roundeven %z : vector<4xf64>
  %y = math.rsqrt %x : vector<8xf32>
  return %y, %r : vector<8xf32>, vector<4xf64>
}
