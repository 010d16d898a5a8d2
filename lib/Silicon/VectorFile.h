// Recorded vectors: what a device gave for every case, with the digest of the inputs it was given.
//
// A file is lines of text, then the outputs' words, little-endian, in the order of the lines:
//     mmc silicon vectors 1
//     device NVIDIA H200
//     capability 9.0
//     driver 13000
//     case math.exp2 512 words inputs 0f3a...
//     digest 9b1c...                            of everything else in the file
// Inputs are not in it: they are made from the cases' names, and their digest tells when that has changed.
#pragma once

#include "lib/Silicon/Device.h"
#include "runtime/src/Digest.h"

namespace mmc::silicon {

struct Vector {
  std::string name, inputs; // the case, the digest of its inputs
  Words output;
};

struct VectorFile {
  DeviceFacts device;
  std::vector<Vector> vectors;

  const Vector *find(const std::string &name) const;
};

/// Over what the device is given: kernel, shape, input, output before, tensor map.
std::string digestOfInputs(const Case &c);

runtime::Status writeVectors(const std::string &path, const VectorFile &file);
/// Errors: cannot be read, or is damaged or of another version (kVectorFile).
runtime::Expected<VectorFile> readVectors(const std::string &path);

} // namespace mmc::silicon
