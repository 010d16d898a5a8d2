// The tiny model (test/Runtime/TinyModel.h) as a plan for cuda-emu: the same tables, the kernels of
// kernels/TinyModel.cu. Its head takes the count of outputs as a word, where the other takes an immediate, and shares
// its rows among blocks.
#pragma once

#include "test/Runtime/TinyModel.h"

namespace mmc::test {

/// The tables of a correct plan with variants portable and sm_90a.
PlanTables deviceTables();
/// The same in the portable variant alone, where the embedding table (a weight) and the rows of hidden that go to the
/// cache (a buffer) are read through tensor maps.
PlanTables mappedTables();
/// The module that the build made from kernels/TinyModel.cu.
std::vector<uint8_t> deviceModule();
/// A plan file of these tables; its segment of images is the module once per image of the tables.
std::vector<uint8_t> devicePlan(const PlanTables &tables = deviceTables());

/// Loads a plan and draws its weights; stops the test where that fails.
std::shared_ptr<const Model> deviceModel(const std::vector<uint8_t> &file = devicePlan(), PlanOptions options = {});
/// The status of loading a plan.
Status loadDevice(const std::vector<uint8_t> &file, PlanOptions options = {});

/// Runs the body in a process of its own with these settings of the environment, as the emulated driver reads them
/// once; it must pass, and write nothing to stderr.
void inEmulation(const std::vector<std::pair<const char *, std::string>> &settings, const std::function<void()> &body,
                 const std::string &stderrHas = {});

} // namespace mmc::test
