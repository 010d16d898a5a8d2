// The float64 model interpreter as the reference of end-to-end tests: a model and its weights in, all rows of logits of
// a prompt out.
//
// It sees each sequence alone and whole, so nothing of schedules, slots or pages can be wrong in the same way on both
// sides.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mmc::test {

struct OracleRows {
  std::vector<double> logits; ///< [tokens, vocabulary]
  std::vector<double>
      gaps; ///< [tokens]: the smallest router gap of the row, in logits; infinite where nothing was chosen
};

class Oracle {
public:
  virtual ~Oracle() = default;
  /// `model`: config.json, its folder, or a .mlir file. `weights`: random:SEED or a checkpoint. `dtype`: empty for the
  /// mathematics in float64; bfloat16 for the program with every rounding point written out. Null after a failure,
  /// which is a test failure.
  static std::unique_ptr<Oracle> create(const std::string &model, const std::string &weights,
                                        const std::string &dtype = "");

  /// A fresh sequence.
  virtual OracleRows run(std::span<const int32_t> ids) = 0;
};

/// Rows of `reference` whose answer may be compared: those before a router gap below `bar` in their sequence (and not
/// its row either).
size_t comparableRows(const OracleRows &reference, double bar = 1e-5);

/// A comparison over any number of sequences.
struct Agreement {
  double difference = 0, largest = 0, smallestGap = INFINITY;
  size_t rows = 0, leftOut = 0;
  /// `actual` [tokens, vocabulary]. A value that is not finite makes the difference infinite.
  void add(std::span<const float> actual, const OracleRows &reference);
  /// Of the largest absolute reference value.
  double relative() const;
  std::string text() const;
};

} // namespace mmc::test
