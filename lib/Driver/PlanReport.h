// What a plan file says about itself, for people and for scripts: inspect, compile, run and bench print it.
#pragma once

#include "lib/Driver/Errors.h"
#include "runtime/src/PlanFile.h"
#include "runtime/src/PlanTables.h"

#include <string>
#include <vector>

namespace mmc::driver {

struct PlanReport {
  std::string name, digest;
  uint64_t fileBytes = 0;
  uint16_t formatMinor = 0;
  std::vector<runtime::Segment> segments;
  runtime::PlanTables tables;
};

/// Reads and verifies a plan; maps no code.
Expected<PlanReport> readPlanReport(const std::string &path);
Expected<PlanReport> planReportOf(const runtime::PlanImage &image);

/// Launches of each kernel in a step of one decoding sequence, by kernel: a launch whose work list takes prefill chunks
/// only does not count.
std::vector<uint64_t> decodeLaunches(const runtime::PlanTables &tables);

/// Elements that a decode step of one token reads of each weight group, and their bytes as laid out, padding excluded.
struct DecodeCost {
  uint64_t activeParameters = 0; // without the embedding table and the head
  uint64_t headParameters = 0;
  uint64_t weightBytes = 0; // of the routed experts and everything else, the head once
  uint64_t stateBytes = 0;  // read and written
};
DecodeCost decodeCost(const runtime::PlanTables &tables);

/// The plan's targets as --target spells them: `cpu`, or `cuda:sm_90a` and the like, one per variant.
std::vector<std::string> targetsOf(const runtime::PlanTables &tables);
/// The memory certificate, a line per figure.
std::vector<std::string> certificateLines(const PlanReport &report);
/// The whole report as text, and as one JSON object with the fields of `inspect PLAN --json`.
std::string planText(const PlanReport &report);
std::string planJson(const PlanReport &report);

} // namespace mmc::driver
