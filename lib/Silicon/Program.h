// What mmc-silicon does: runs the cases, judges them, records, compares, reports.
#pragma once

#include "lib/Silicon/Workers.h"

namespace mmc::silicon {

struct ProgramOptions {
  WorkerOptions workers;
  std::string only;                 // part of the names of the cases to run; empty: all
  std::string record;               // file of vectors to write; empty: none
  std::vector<std::string> against; // files of vectors to compare with
  std::string json;                 // file to write; empty: none
};

struct Summary {
  size_t cases = 0, failed = 0, skipped = 0;
  size_t differFromSupposed = 0; // what the manual leaves open, and is not as the emulation supposes
  size_t differFromReference = 0, differFromRecorded = 0, compared = 0; // compared: with recorded vectors
};

/// Prints a line per case that fails or is skipped, and a summary, to stdout. Errors: no device, files.
runtime::Expected<Summary> runProgram(const ProgramOptions &options);

} // namespace mmc::silicon
