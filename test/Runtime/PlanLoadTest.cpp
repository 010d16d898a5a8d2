// Loading is light: a plan as large as that of an 80-layer model takes little more memory than its file (its time is
// measured by benchmarks/plan-load), and a session over hundreds of gigabytes of pools takes none until it is used.
#include "test/Runtime/TinyModel.h"

#include <fstream>

namespace mmc::test {

namespace {

TEST(PlanLoadTest, ALargePlanTakesLittleMoreThanItsFile) {
  PlanTables tables = tinyTables();
  tables.layerCount = 80;
  tables.parametersTotal = 1488;
  tables.stack.clear();
  tables.weights[1].layers.clear();
  tables.weights[2].layers.clear();
  for (uint32_t layer = 0; layer < 80; ++layer) {
    const bool attention = layer % 8 == 7;
    tables.stack.push_back(attention);
    tables.weights[attention ? 2 : 1].layers.push_back(layer);
  }
  tables.pools[0].layers = 70;
  tables.pools[1].layers = 10;
  tables.constants[0] = {"alpha", DType::f32, {80}, 0, 320, 4};
  // 60 launches in each kind of layer, 60 temporaries, 400 shape classes, 2 MiB of constants, 8 MiB in all.
  for (Program &kind : tables.layerKinds)
    while (kind.commands.size() < 60) {
      kind.commands.push_back(kind.commands[0]);
      kind.commands.back().launch.branch = 0;
    }
  while (tables.buffers.size() < 60) tables.buffers.push_back(tables.buffers[0]);
  tables.entryPoints.clear();
  for (uint32_t i = 1; i <= 400; ++i)
    tables.entryPoints.push_back(
        {i * kMaxTokens, kMaxSeqs, kMaxModelLen, 3, uint64_t(i) * kMaxTokens * 32, std::vector<uint64_t>(60, 0)});
  const std::vector<uint8_t> metadata = encodeTables(tables), constants(2 << 20), object = tinyObject(),
                             text(6 << 20, 'x');
  const SegmentInput segments[] = {{SegmentKind::metadata, metadata},
                                   {SegmentKind::constants, constants},
                                   {SegmentKind::hostObject, object},
                                   {SegmentKind::text, text, kSegmentOptional}};
  TemporaryFolder folder;
  const std::string path = folder.file("large.plan");
  ASSERT_TRUE(writePlanFile(path, segments).ok());
  const uint64_t size = buildPlanFile(segments)->size();
  PeakMemory memory;
  Expected<PlanImage> image = PlanImage::open(path);
  ASSERT_TRUE(image.ok()) << image.status().text();
  const Status status = loadPlan(std::move(*image), {}).status();
  EXPECT_TRUE(status.ok()) << status.text();
  if (!sanitized()) {
    EXPECT_LE(memory.growth(), 2 * size);
  }
}

TEST(PlanLoadTest, PoolsAreReservedAndUntouched) {
  PlanTables tables = tinyTables();
  undescribe(tables); // the kernels know smaller ones
  // 48 GiB of state and 1 TiB of pages.
  tables.pools[0].unitBytes = uint64_t(4) << 30;
  tables.pools[1].unitBytes = uint64_t(8) << 30;
  auto model = makeModel(loadTiny(tinyPlan(tables)), *randomRows(1), 1, {});
  ASSERT_TRUE(model.ok());
  PeakMemory memory;
  auto session = tinySession(*model, {.threads = 1});
  EXPECT_GE((*model)->tables().stateBytesPerSequence() * kMaxSeqs, uint64_t(48) << 30);
  if (!sanitized()) {
    EXPECT_LE(memory.growth(), uint64_t(4) << 20);
  }
}

} // namespace

} // namespace mmc::test
