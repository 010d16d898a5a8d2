// The metadata FlatBuffer against hostile structure (catalogue P5, P6): every word overwritten with extreme values,
// random damage, and small buffers that unfold into very many objects. Whatever the bytes, decoding fails with a type
// or gives tables that are in range.
#include "runtime/schema/plan_generated.h"
#include "runtime/src/RandomWeights.h"
#include "test/Runtime/TinyModel.h"

#include <cstring>

namespace mmc::test {

namespace {

namespace fb = mmc::plan;

void decodeAnything(const std::vector<uint8_t> &metadata) {
  const Status status = decodePlan(metadata, tinyConstants().size()).status();
  if (status.ok()) return; // a name or a figure that may have any value
  EXPECT_TRUE(status.code() == StatusCode::integrity || status.code() == StatusCode::incompatible) << status.text();
}

TEST(PlanFormTest, P5EveryWordOverwritten) {
  const std::vector<uint8_t> good = encodeTables(tinyTables());
  ASSERT_TRUE(decodePlan(good, tinyConstants().size()).ok())
      << decodePlan(good, tinyConstants().size()).status().text();
  for (size_t at = 0; at + 4 <= good.size(); at += 4)
    for (uint32_t value : {0u, 1u, 4u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0xfffffff0u, uint32_t(good.size())}) {
      std::vector<uint8_t> bad = good;
      std::memcpy(bad.data() + at, &value, 4);
      decodeAnything(bad);
    }
}

TEST(PlanFormTest, P5TruncatedAnywhere) {
  const std::vector<uint8_t> good = encodeTables(tinyTables());
  for (size_t size = 0; size + 8 < good.size(); size += 3) // the last bytes are padding
    EXPECT_FALSE(decodePlan({good.data(), size}, tinyConstants().size()).ok()) << size;
}

TEST(PlanFormTest, P5RandomDamage) {
  const std::vector<uint8_t> good = encodeTables(tinyTables());
  uint64_t random = 1;
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> bad = good;
    for (int i = 0; i < 4; ++i) {
      random = mixBits(random + 0x9e3779b97f4a7c15u);
      bad[random % bad.size()] = uint8_t(random >> 40);
    }
    decodeAnything(bad);
  }
}

/// A plan with nothing but `kernels`.
std::vector<uint8_t> onlyKernels(flatbuffers::FlatBufferBuilder &b,
                                 const std::vector<flatbuffers::Offset<fb::Kernel>> &kernels) {
  auto vector = b.CreateVector(kernels);
  fb::PlanBuilder plan(b);
  plan.add_kernels(vector);
  fb::FinishPlanBuffer(b, plan.Finish());
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

TEST(PlanFormTest, P6ManyKernelsSharingOneLongListOfStrings) {
  flatbuffers::FlatBufferBuilder b;
  auto name = b.CreateString("x");
  auto symbols = b.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(100'000, name));
  auto kernel = fb::CreateKernel(b, name, symbols);
  const std::vector<uint8_t> metadata =
      onlyKernels(b, std::vector<flatbuffers::Offset<fb::Kernel>>(100'000, kernel)); // 10^10 strings, 800 kB
  expectFailure(bounded(metadata.size(), [&] { return decodePlan(metadata, 0).status(); }), StatusCode::integrity,
                {"FlatBuffer"});
}

TEST(PlanFormTest, P6MoreTablesThanAnyPlanHas) {
  flatbuffers::FlatBufferBuilder b;
  auto kernel = fb::CreateKernel(b, b.CreateString("x"));
  const std::vector<uint8_t> metadata = onlyKernels(b, std::vector<flatbuffers::Offset<fb::Kernel>>(2'000'000, kernel));
  expectFailure(bounded(metadata.size(), [&] { return decodePlan(metadata, 0).status(); }), StatusCode::integrity,
                {"FlatBuffer"});
}

TEST(PlanFormTest, P6SharedPartsThatUnfoldInDecoding) {
  // 4000 weights share one vector of 100,000 layers: 400 kB that would decode to 1.6 GB.
  flatbuffers::FlatBufferBuilder b;
  auto layers = b.CreateVector(std::vector<uint32_t>(100'000, 1));
  auto weight = fb::CreateWeight(b, 0, layers, 0, 0, fb::CreateLayout(b));
  auto weights = b.CreateVector(std::vector<flatbuffers::Offset<fb::Weight>>(4000, weight));
  fb::PlanBuilder plan(b);
  plan.add_weights(weights);
  fb::FinishPlanBuffer(b, plan.Finish());
  const std::vector<uint8_t> metadata(b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize());
  expectFailure(bounded(metadata.size(), [&] { return decodePlan(metadata, 0).status(); }), StatusCode::integrity,
                {"share"});
}

TEST(PlanFormTest, P6LayersThatUnfoldInPrograms) {
  // One command of 60 arguments, shared 65,000 times in each of 200 layer kinds.
  flatbuffers::FlatBufferBuilder b;
  auto arguments = b.CreateVector(std::vector<flatbuffers::Offset<fb::Argument>>(60, fb::CreateArgument(b)));
  auto command = fb::CreateCommand(b, fb::CreateLaunch(b, 0, arguments));
  auto commands = b.CreateVector(std::vector<flatbuffers::Offset<fb::Command>>(65'000, command));
  auto program = fb::CreateProgram(b, 0, commands);
  auto layers = b.CreateVector(std::vector<flatbuffers::Offset<fb::Program>>(200, program));
  fb::PlanBuilder plan(b);
  plan.add_layers(layers);
  fb::FinishPlanBuffer(b, plan.Finish());
  const std::vector<uint8_t> metadata(b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize());
  expectFailure(bounded(metadata.size(), [&] { return decodePlan(metadata, 0).status(); }), StatusCode::integrity, {});
}

} // namespace

} // namespace mmc::test
