// Whether results are what a case expects, and whether two devices agree.
#pragma once

#include "lib/Silicon/Case.h"

namespace mmc::silicon {

struct Verdict {
  bool good = true;
  /// The worst word's distance, in units of what is allowed; exact cases: the count of words that differ.
  double worst = 0;
  std::string text; // the first word that is wrong: found against expected
};

/// A device's output against the case's expectations; of products, which float64 knows exactly, twice of what is
/// allowed between two devices, because sums that round at every step wander off so far. Cases that are only recorded
/// are good.
Verdict compareWithReference(const Case &c, const Words &output);

/// An output against what another device has given: bits; for products what is allowed to either, 2 ulp of the sum of
/// magnitudes; for approximations twice the documented error.
Verdict compareWithRecorded(const Case &c, const Words &output, const Words &recorded);

} // namespace mmc::silicon
