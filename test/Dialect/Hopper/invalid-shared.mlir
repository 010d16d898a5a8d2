// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of waits and of what reads and writes shared tiles refuses what breaks it.

// wait_c1
func.func @wait_c1() {
  // expected-error @+1 {{expected at least 0 pending groups, got -1}}
  hopper.wait -1
  return
}

// -----

// put_c1
func.func @put_c1(%f: !hopper.fragment<16x64xf32, #hopper.spread<4>>, %s: !hopper.shared<16x64xbf16>) {
  // expected-error @+1 {{expected a fragment that fits into a tile of one stage}}
  hopper.put %f, %s : !hopper.fragment<16x64xf32, #hopper.spread<4>>, !hopper.shared<16x64xbf16>
  return
}

// -----

// put_c1_stages
func.func @put_c1_stages(%f: !hopper.fragment<16x64xbf16, #hopper.spread<4>>, %s: !hopper.shared<16x64xbf16, stages = 2>) {
  // expected-error @+1 {{expected a fragment that fits into a tile of one stage}}
  hopper.put %f, %s : !hopper.fragment<16x64xbf16, #hopper.spread<4>>, !hopper.shared<16x64xbf16, stages = 2>
  return
}

// -----

// put_c1_size
func.func @put_c1_size(%f: !hopper.fragment<32x32xbf16, #hopper.spread<4>>, %s: !hopper.shared<16x64xbf16>) {
  // expected-error @+1 {{expected a fragment that fits into a tile of one stage}}
  hopper.put %f, %s : !hopper.fragment<32x32xbf16, #hopper.spread<4>>, !hopper.shared<16x64xbf16>
  return
}

// -----

// put_c1_rank
func.func @put_c1_rank(%f: !hopper.fragment<2x8x64xbf16, #hopper.spread<4>>, %s: !hopper.shared<16x64xbf16>) {
  // expected-error @+1 {{expected a fragment that fits into a tile of one stage}}
  hopper.put %f, %s : !hopper.fragment<2x8x64xbf16, #hopper.spread<4>>, !hopper.shared<16x64xbf16>
  return
}

// -----

// put_c1_vector
func.func @put_c1_vector(%f: !hopper.fragment<2x8x64xf32, #hopper.spread<4>>, %s: !hopper.shared<1023xf32>) {
  // expected-error @+1 {{expected a fragment that fits into a tile of one stage}}
  hopper.put %f, %s : !hopper.fragment<2x8x64xf32, #hopper.spread<4>>, !hopper.shared<1023xf32>
  return
}

// -----

// clear_c1
func.func @clear_c1(%s: !hopper.shared<16x64xbf16, stages = 2>) {
  // expected-error @+1 {{expected a tile of rank 2 and one stage, got '!hopper.shared<16x64xbf16, stages = 2>'}}
  hopper.clear %s : !hopper.shared<16x64xbf16, stages = 2>
  return
}

// -----

// clear_c1_vector
func.func @clear_c1_vector(%s: !hopper.shared<64xbf16>) {
  // expected-error @+1 {{expected a tile of rank 2 and one stage, got '!hopper.shared<64xbf16>'}}
  hopper.clear %s : !hopper.shared<64xbf16>
  return
}

// -----

// get_c1
func.func @get_c1(%s: !hopper.shared<64xf32>) {
  // expected-error @+1 {{expected a fragment of elements of a vector of one stage}}
  %f = hopper.get %s : !hopper.shared<64xf32> -> !hopper.fragment<64xbf16, #hopper.spread<1>>
  return
}

// -----

// get_c1_size
func.func @get_c1_size(%s: !hopper.shared<63xf32>) {
  // expected-error @+1 {{expected a fragment of elements of a vector of one stage}}
  %f = hopper.get %s : !hopper.shared<63xf32> -> !hopper.fragment<64xf32, #hopper.spread<1>>
  return
}

// -----

// get_c1_shape
func.func @get_c1_shape(%s: !hopper.shared<16x64xbf16>) {
  // expected-error @+1 {{expected a fragment of elements of a vector of one stage, or of a tile of its shape}}
  %f = hopper.get %s : !hopper.shared<16x64xbf16> -> !hopper.fragment<8x64xbf16, #hopper.spread<4>>
  return
}

// -----

// get_c2
func.func @get_c2(%s: !hopper.shared<16x64xbf16, stages = 2>) {
  // expected-error @+1 {{expected a stage exactly where the tile has several, got none for 2 stages}}
  %f = hopper.get %s : !hopper.shared<16x64xbf16, stages = 2> -> !hopper.fragment<16x64xbf16, #hopper.spread<4>>
  return
}
