// How long until a plan accepts weights? Loads the plan file given (page cache warm) through the C API, digest
// included, and compares with reading the file once. Usage: plan-load FILE.plan
#include "mmc-c/Runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

static double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int main(int argc, char **argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: plan-load FILE.plan\n"), 2;
  std::vector<double> loads, reads;
  size_t bytes = 0;
  for (int round = 0; round < 9; ++round) {
    double start = seconds();
    std::ifstream file(argv[1], std::ios::binary);
    std::vector<char> content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    bytes = content.size();
    reads.push_back(seconds() - start);
    start = seconds();
    mmc_plan *plan = nullptr;
    if (mmc_status *status = mmc_plan_load(argv[1], nullptr, &plan)) {
      std::fprintf(stderr, "%s\n", mmc_status_get_message(status));
      return mmc_status_free(status), 1;
    }
    loads.push_back(seconds() - start);
    mmc_plan_free(plan);
  }
  std::sort(loads.begin(), loads.end());
  std::sort(reads.begin(), reads.end());
  std::printf("%.1f KiB  load %.2f ms  read %.2f ms  ratio to reading %.2f\n", static_cast<double>(bytes) / 1024,
              loads[4] * 1e3, reads[4] * 1e3, loads[4] / reads[4]);
  return 0;
}
