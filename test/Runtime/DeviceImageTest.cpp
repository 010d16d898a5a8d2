// Device images and what plans say of them, broken once each (catalogue P9 to P11): no driver is needed to refuse them.
// The cubins here are written byte by byte; test/Cuda/CubinTest.cpp has some of NVRTC's.
#include "runtime/src/DeviceImage.h"
#include "test/Runtime/TinyModel.h"

#include <cstring>
#include <elf.h>

namespace mmc::test {

namespace {

constexpr uint8_t kOlderAbi = 0x33, kNewerAbi = 0x41;

/// A cubin with a text section, a symbol table of functions and its strings.
std::vector<uint8_t> cubin(uint32_t architecture, const std::vector<std::string> &symbols, uint8_t abi = kNewerAbi) {
  std::string strings(1, '\0');
  std::vector<Elf64_Sym> table(1);
  for (const std::string &name : symbols) {
    Elf64_Sym symbol{};
    symbol.st_name = uint32_t(strings.size());
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbol.st_shndx = 1;
    table.push_back(symbol);
    strings += name + '\0';
  }
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_OSABI] = abi;
  header.e_type = ET_EXEC;
  header.e_machine = 190;
  header.e_flags = abi == kNewerAbi ? 0x06000004 | architecture << 8 : 0x00500500 | architecture;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  const uint64_t textAt = sizeof header, symbolsAt = textAt + 16,
                 stringsAt = symbolsAt + table.size() * sizeof table[0];
  header.e_shoff = roundUp(stringsAt + strings.size(), 8);
  Elf64_Shdr sections[4] = {};
  sections[1].sh_type = SHT_PROGBITS, sections[1].sh_offset = textAt, sections[1].sh_size = 16;
  sections[2].sh_type = SHT_SYMTAB, sections[2].sh_offset = symbolsAt, sections[2].sh_link = 3;
  sections[2].sh_size = table.size() * sizeof table[0];
  sections[3].sh_type = SHT_STRTAB, sections[3].sh_offset = stringsAt, sections[3].sh_size = strings.size();
  std::vector<uint8_t> bytes(header.e_shoff + sizeof sections);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + symbolsAt, table.data(), table.size() * sizeof table[0]);
  std::memcpy(bytes.data() + stringsAt, strings.data(), strings.size());
  std::memcpy(bytes.data() + header.e_shoff, sections, sizeof sections);
  return bytes;
}

Elf64_Ehdr &header(std::vector<uint8_t> &image) { return *reinterpret_cast<Elf64_Ehdr *>(image.data()); }
Elf64_Shdr &section(std::vector<uint8_t> &image, size_t index) {
  return reinterpret_cast<Elf64_Shdr *>(image.data() + header(image).e_shoff)[index];
}

const std::vector<std::string> kSymbols = {"embed__sm_90a", "head__sm_90a"};

Status check(const std::vector<uint8_t> &image, const std::string &architecture = "sm_90a") {
  const std::optional<CudaArchitecture> parsed = parseArchitecture(architecture);
  return bounded(image.size(), [&] { return checkDeviceImage("image", &*parsed, image, kSymbols); });
}

TEST(DeviceImageTest, NamesOfArchitectures) {
  for (const auto &[name, number, specific] :
       {std::tuple("sm_80", 80u, false), {"sm_90a", 90u, true}, {"sm_120a", 120u, true}}) {
    const std::optional<CudaArchitecture> parsed = parseArchitecture(name);
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(parsed->number(), number);
    EXPECT_EQ(parsed->specific, specific);
  }
  for (const char *name :
       {"", "sm_", "sm_a", "sm_9", "sm_090", "sm_90b", "sm_90aa", "90a", "compute_90", "sm_9000", "sm_-90"})
    EXPECT_FALSE(parseArchitecture(name)) << name;
}

TEST(DeviceImageTest, WhatRunsWhere) {
  const CudaArchitecture sm80 = *parseArchitecture("sm_80"), sm90a = *parseArchitecture("sm_90a");
  EXPECT_TRUE(sm80.runsOn(8, 0) && sm80.runsOn(8, 9));
  EXPECT_FALSE(sm80.runsOn(7, 5) || sm80.runsOn(9, 0));
  EXPECT_FALSE(parseArchitecture("sm_86")->runsOn(8, 0));
  EXPECT_TRUE(sm90a.runsOn(9, 0));
  EXPECT_FALSE(sm90a.runsOn(9, 1) || sm90a.runsOn(10, 0));
}

TEST(DeviceImageTest, CubinsOfBothAbisAreAccepted) {
  for (uint8_t abi : {kOlderAbi, kNewerAbi}) {
    const Status status = check(cubin(90, kSymbols, abi));
    EXPECT_TRUE(status.ok()) << status.text();
  }
}

TEST(DeviceImageTest, P10NotACubinOfTheArchitecture) {
  expectFailure(check({}), StatusCode::integrity, {"not an ELF", "expected a cubin"});
  expectFailure(check(std::vector<uint8_t>(1000, 'x')), StatusCode::integrity, {"not an ELF"});
  expectFailure(check(tinyObject()), StatusCode::integrity, {"machine 62", "expected a cubin"});
  for (uint8_t abi : {kOlderAbi, kNewerAbi})
    expectFailure(check(cubin(80, kSymbols, abi)), StatusCode::integrity, {"a cubin for sm_80, expected sm_90"});
  expectFailure(check(cubin(90, kSymbols, 7)), StatusCode::integrity, {"unknown architecture, expected sm_90"});
  std::vector<uint8_t> image = cubin(90, kSymbols);
  header(image).e_ident[EI_CLASS] = ELFCLASS32;
  expectFailure(check(image), StatusCode::integrity, {"64-bit"});
}

TEST(DeviceImageTest, P10MissingSymbols) {
  expectFailure(check(cubin(90, {"embed__sm_90a"})), StatusCode::integrity, {"MMC-E0311", "'head__sm_90a' is missing"});
  std::vector<uint8_t> image = cubin(90, kSymbols);
  auto *symbols = reinterpret_cast<Elf64_Sym *>(image.data() + section(image, 2).sh_offset);
  symbols[2].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
  expectFailure(check(image), StatusCode::integrity, {"'head__sm_90a' is missing"});
  symbols[2].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbols[2].st_shndx = SHN_UNDEF;
  expectFailure(check(image), StatusCode::integrity, {"'head__sm_90a' is missing"});
  symbols[2].st_shndx = 1;
  symbols[2].st_name = 1u << 30;
  expectFailure(check(image), StatusCode::integrity, {"'head__sm_90a' is missing"});
}

TEST(DeviceImageTest, P10DamagedAnywhere) {
  const std::vector<uint8_t> whole = cubin(90, kSymbols);
  for (uint64_t size = 0; size < whole.size(); size += 7)
    expectFailure(check({whole.begin(), whole.begin() + ptrdiff_t(size)}), StatusCode::integrity, {"image: "});
  for (auto change : std::vector<std::function<void(std::vector<uint8_t> &)>>{
           [](auto &i) { header(i).e_shoff = ~uint64_t(0) - 8; }, [](auto &i) { header(i).e_shentsize = 63; },
           [](auto &i) { section(i, 1).sh_size = ~uint64_t(0); }, [](auto &i) { section(i, 2).sh_link = 9; },
           [](auto &i) { section(i, 3).sh_size = 0; }, [](auto &i) { section(i, 3).sh_type = SHT_PROGBITS; },
           [](auto &i) { section(i, 1) = section(i, 2); }}) {
    std::vector<uint8_t> image = whole;
    change(image);
    expectFailure(check(image), StatusCode::integrity, {"MMC-E0310", "image: "});
  }
  // Any byte changed: an answer, whichever.
  for (size_t at = 0; at < whole.size(); ++at) {
    std::vector<uint8_t> image = whole;
    image[at] ^= 0xff;
    (void)check(image);
  }
}

// ----------------------------------------------------------------------------------------------------------------
// plans

/// The tiny model's tables as those of a plan for cuda with cubins for two architectures.
PlanTables cudaTables() {
  PlanTables t = tinyTables();
  t.target = kTargetCuda;
  t.variants = {"sm_80", "sm_90a"};
  for (Kernel &kernel : t.kernels) {
    kernel.symbols = {kernel.name + "__sm_80", kernel.name + "__sm_90a"};
    kernel.scratchBytes.clear();
    kernel.functions = {{0, 128, 1024, Rows::none, 0, kPortableFamily, {}},
                        {1, 128, 232448, Rows::tokens, 16, "wgmma", {}}};
  }
  // A device's words are pointers: the head's immediate becomes a count.
  t.kernels[4].interface[4].kinds = {ArgumentKind::outputCount};
  t.head.commands[0].launch.arguments[4] = {ArgumentKind::outputCount, false, 0, 0};
  return t;
}

std::vector<std::string> symbolsOf(const PlanTables &t, size_t variant) {
  std::vector<std::string> symbols;
  for (const Kernel &kernel : t.kernels) symbols.push_back(kernel.symbols[variant]);
  return symbols;
}

/// A plan file of the tables with these images, whose places are written into the tables.
std::vector<uint8_t> cudaPlan(PlanTables t, const std::vector<std::vector<uint8_t>> &images, bool hostObject = false) {
  std::vector<uint8_t> segment;
  t.deviceImages.clear();
  for (size_t i = 0; i < images.size(); ++i) {
    segment.resize(roundUp(segment.size(), 64));
    t.deviceImages.push_back({uint32_t(i), segment.size(), images[i].size()});
    segment.insert(segment.end(), images[i].begin(), images[i].end());
  }
  const std::vector<uint8_t> metadata = encodeTables(t), constants = tinyConstants(), object = tinyObject();
  std::vector<SegmentInput> segments = {
      {SegmentKind::metadata, metadata}, {SegmentKind::constants, constants}, {SegmentKind::deviceImages, segment}};
  if (hostObject) segments.push_back({SegmentKind::hostObject, object});
  return *buildPlanFile(segments);
}

Status verify(const std::vector<uint8_t> &file) { return verifyPlan(*PlanImage::copy(file)).status(); }

TEST(DevicePlanTest, AGoodPlanIsAccepted) {
  const PlanTables t = cudaTables();
  const std::vector<uint8_t> file = cudaPlan(t, {cubin(80, symbolsOf(t, 0)), cubin(90, symbolsOf(t, 1))});
  const Expected<PlanTables> read = verifyPlan(*PlanImage::copy(file));
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(read->deviceImages.size(), 2u);
  const DeviceFunction &function = read->kernels[2].functions[1];
  EXPECT_EQ(std::tuple(function.image, function.threads, function.sharedBytes, function.dealtRows, function.dealtStep),
            std::tuple(1u, 128u, 232448u, Rows::tokens, 16u));
  EXPECT_EQ(function.family, "wgmma");
  EXPECT_EQ(read->kernels[2].functions[0].family, "portable"); // what a plan that says nothing means
}

TEST(DevicePlanTest, TensorMapsAreReadAsTheyWere) {
  PlanTables t = cudaTables();
  t.requiredFeatures = {kFeatureTensorMaps};
  const std::vector<TensorMapRecord> maps = {{1, DType::f32, 32, {2, 4}, {16}, {2, 4}, 0},
                                             {1, DType::f32, 0, {1, 2, 8}, {32, 32}, {1, 2, 8}, 32}};
  t.kernels[1].functions[1].maps = maps;
  const Expected<PlanTables> read =
      verifyPlan(*PlanImage::copy(cudaPlan(t, {cubin(80, symbolsOf(t, 0)), cubin(90, symbolsOf(t, 1))})));
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(read->requiredFeatures, t.requiredFeatures);
  const auto tied = [](const TensorMapRecord &m) {
    return std::tuple(m.argument, m.dtype, m.offset, m.sizes, m.strides, m.box, m.swizzle);
  };
  ASSERT_EQ(read->kernels[1].functions[1].maps.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(tied(read->kernels[1].functions[1].maps[i]), tied(maps[i])) << i;
  EXPECT_TRUE(read->kernels[1].functions[0].maps.empty());
}

TEST(DevicePlanTest, ImagesAreThoseOfTheirVariants) {
  const PlanTables t = cudaTables();
  const std::vector<uint8_t> old = cubin(80, symbolsOf(t, 0)), hopper = cubin(90, symbolsOf(t, 1));
  expectFailure(verify(cudaPlan(t, {hopper, old})), StatusCode::integrity,
                {"device image 0 (sm_80)", "a cubin for sm_90, expected sm_80"});
  expectFailure(verify(cudaPlan(t, {old, cubin(90, symbolsOf(t, 0))})), StatusCode::integrity,
                {"device image 1 (sm_90a)", "'embed__sm_90a' is missing"});
  expectFailure(verify(cudaPlan(t, {old, tinyObject()})), StatusCode::integrity, {"machine 62"});
  expectFailure(verify(cudaPlan(t, {old, hopper}, true)), StatusCode::integrity, {"has a host object, expected none"});
  // On the cpu it is the other way round.
  const std::vector<uint8_t> metadata = encodeTables(tinyTables()), constants = tinyConstants(), object = tinyObject();
  const SegmentInput segments[] = {{SegmentKind::metadata, metadata},
                                   {SegmentKind::constants, constants},
                                   {SegmentKind::hostObject, object},
                                   {SegmentKind::deviceImages, old}};
  expectFailure(verify(*buildPlanFile(segments)), StatusCode::integrity, {"has device images, expected none"});
}

TEST(DevicePlanTest, TheEmulationsImagesAreSharedObjectsOfIt) {
  PlanTables t = cudaTables();
  t.target = kTargetEmulation;
  t.variants = {"portable", "sm_90a"};
  for (Kernel &kernel : t.kernels) kernel.symbols = {kernel.name + "__portable", kernel.name + "__sm_90a"};
  expectFailure(verify(cudaPlan(t, {cubin(90, symbolsOf(t, 0)), cubin(90, symbolsOf(t, 1))})), StatusCode::integrity,
                {"device image 0 (portable)", "machine 190", "expected a shared object of the emulation"});
  expectFailure(verify(cudaPlan(t, {tinyObject(), tinyObject()})), StatusCode::integrity,
                {"not made for the emulation"});
}

struct Case {
  const char *what;
  std::function<void(PlanTables &)> change;
  std::vector<std::string> words;
};

class DeviceTablesTest : public testing::TestWithParam<Case> {};

TEST_P(DeviceTablesTest, AreRefusedByName) {
  PlanTables tables = cudaTables();
  tables.deviceImages = {{0, 0, 100}, {1, 128, 100}};
  ASSERT_TRUE(decodePlan(encodeTables(tables), tinyConstants().size(), 228).ok());
  GetParam().change(tables);
  expectFailure(decodePlan(encodeTables(tables), tinyConstants().size(), 228).status(), StatusCode::integrity,
                GetParam().words);
}

using T = PlanTables;
DeviceFunction &function(T &t) { return t.kernels[1].functions[1]; }

/// A correct map of the function's gain, a weight of 8 numbers.
TensorMapRecord &map(T &t) {
  t.requiredFeatures = {kFeatureTensorMaps};
  function(t).maps = {{1, DType::f32, 0, {2, 4}, {16}, {2, 4}, 0}};
  return function(t).maps[0];
}
/// One of the rows that append reads.
TensorMapRecord &rowsMap(T &t) {
  t.requiredFeatures = {kFeatureTensorMaps};
  t.kernels[2].functions[1].maps = {{3, DType::f32, 0, {0, kWidth}, {kWidth * 4}, {16, kWidth}, 32}};
  return t.kernels[2].functions[1].maps[0];
}

const Case kCases[] = {
    {"Variant",
     [](T &t) {
       t.variants[0] = "sm_8x";
       t.kernels.clear();
     },
     {"variants is 'sm_8x'", "sm_90a"}},
    {"NoImages", [](T &t) { t.deviceImages.clear(); }, {"device_images count is 0"}},
    {"ImageVariant", [](T &t) { t.deviceImages[1].variant = 2; }, {"device_images[1] variant is 2, expected 0 to 1"}},
    {"ImageOffset", [](T &t) { t.deviceImages[1].offset = 130; }, {"device_images[1] offset is 130", "multiple of 64"}},
    {"ImageOverlap", [](T &t) { t.deviceImages[1].offset = 64; }, {"offset is 64", "at least 100"}},
    {"ImageEmpty", [](T &t) { t.deviceImages[1].bytes = 0; }, {"device_images[1] bytes is 0"}},
    {"ImageEnd", [](T &t) { t.deviceImages[1].bytes = 101; }, {"128 + 101", "of 228 bytes"}},
    {"ImageWraps", [](T &t) { t.deviceImages[1].bytes = ~uint64_t(0); }, {"device_images[1] end"}},
    {"NoFunctions",
     [](T &t) { t.kernels[1].functions.clear(); },
     {"kernels[1] 'recur' functions count is 0, expected 2"}},
    {"NotDescribed", [](T &t) { undescribe(t); }, {"kernels[0] 'embed' interface and domain is absent"}},
    {"Scratch", [](T &t) { t.kernels[1].scratchBytes = {0, 0}; }, {"scratch_bytes count is 2, expected 0"}},
    {"FunctionImage", [](T &t) { function(t).image = 2; }, {"kernels[1] 'recur' functions[1] image is 2"}},
    {"ImageOfAnother", [](T &t) { function(t).image = 0; }, {"image is one of variant 0, expected one of variant 1"}},
    {"NoThreads", [](T &t) { function(t).threads = 0; }, {"threads is 0"}},
    {"Threads", [](T &t) { function(t).threads = 100; }, {"threads is 100", "multiple of 32"}},
    {"ManyThreads", [](T &t) { function(t).threads = 1056; }, {"threads is 1056", "up to 1024"}},
    {"Shared", [](T &t) { function(t).sharedBytes = 232449; }, {"shared_bytes is 232449, expected 0 to 232448"}},
    {"DealtRows", [](T &t) { function(t).dealtRows = Rows(3); }, {"dealt_rows is 3"}},
    {"DealtStep", [](T &t) { function(t).dealtStep = 0; }, {"dealt_step is 0, expected 1"}},
    {"StepOfNothing", [](T &t) { function(t).dealtRows = Rows::none; }, {"dealt_step is 16, expected 0 to 0"}},
    {"ManyMaps",
     [](T &t) {
       map(t);
       function(t).maps.resize(9, function(t).maps[0]);
     },
     {"function maps count is 9, expected at most 8"}},
    {"MapsWithoutTheFeature",
     [](T &t) {
       map(t);
       t.requiredFeatures.clear();
     },
     {"maps count is 1, expected 0, as required_features lacks tensor-maps"}},
    {"MapArgument", [](T &t) { map(t).argument = 5; }, {"'recur' functions[1] maps[0] argument is 5, expected 0 to 4"}},
    {"MapOfAList", [](T &t) { map(t).argument = 0; }, {"maps[0] argument is 'work', expected a buffer, a weight"}},
    {"MapOfAPool", [](T &t) { map(t).argument = 3; }, {"maps[0] argument is 'state', expected a buffer, a weight"}},
    {"MapOfWritten", [](T &t) { map(t).argument = 4; }, {"maps[0] argument is 'hidden'", "only read"}},
    {"MapOfPanels",
     [](T &t) { map(t), t.kernels[4].functions[1].maps = {{2, DType::f32, 0, {kVocabulary, kWidth}, {32}, {1, 8}, 0}}; },
     {"'head' functions[1] maps[0] argument is 'head'", "without panels"}},
    {"MapDType", [](T &t) { map(t).dtype = DType::i32; }, {"maps[0] dtype is int32, expected float32, as 'gain'"}},
    {"MapRank", [](T &t) { map(t).sizes = {1, 1, 1, 1, 1, 1}; }, {"maps[0] sizes count is 6, expected 1 to 5"}},
    {"MapNoAxes", [](T &t) { map(t).sizes.clear(); }, {"maps[0] sizes count is 0"}},
    {"MapStrides", [](T &t) { map(t).strides = {16, 16}; }, {"maps[0] strides count is 3, expected 2"}},
    {"MapBoxes", [](T &t) { map(t).box = {4}; }, {"maps[0] box count is 1, expected 2"}},
    {"MapSize", [](T &t) { map(t).sizes[1] = 0; }, {"maps[0] sizes[1] is 0, expected 1 to 4294967296"}},
    {"MapStride", [](T &t) { map(t).strides[0] = 24; }, {"maps[0] strides[0] is 24, expected a multiple of 16"}},
    {"MapNoStride", [](T &t) { map(t).strides[0] = 0; }, {"maps[0] strides[0] is 0, expected a multiple of 16"}},
    {"MapFarStride", [](T &t) { map(t).strides[0] = uint64_t(1) << 40; }, {"maps[0] strides[0] is", "below 2^40"}},
    {"MapWraps",
     [](T &t) {
       TensorMapRecord &m = map(t);
       m.sizes[0] = uint64_t(1) << 32, m.strides[0] = (uint64_t(1) << 40) - 16;
     },
     {"maps[0] sizes[0] is", "less than 2^56 bytes"}},
    {"MapOffset", [](T &t) { map(t).offset = 8; }, {"maps[0] offset is 8, expected a multiple of 16"}},
    {"MapBox", [](T &t) { map(t).box[0] = 257; }, {"maps[0] box[0] is 257, expected 1 to 256"}},
    {"MapNarrowBox", [](T &t) { map(t).box[1] = 2; }, {"maps[0] box is 8 bytes wide, expected a multiple of 16"}},
    {"MapWideBox",
     [](T &t) {
       TensorMapRecord &m = map(t);
       m.box[1] = 16, m.swizzle = 32;
     },
     {"maps[0] box is 64 bytes wide, expected at most its swizzle of 32"}},
    {"MapSwizzle", [](T &t) { map(t).swizzle = 16; }, {"maps[0] swizzle is 16, expected 0, 32, 64 or 128"}},
    {"MapEnd", [](T &t) { map(t).sizes[0] = 5; }, {"maps[0] end is 80, expected within the 64 bytes in all of 'gain'"}},
    {"MapBehind", [](T &t) { map(t).offset = 48; }, {"maps[0] end is 80, expected within the 64 bytes"}},
    {"MapRowsOfAWeight",
     [](T &t) { map(t).sizes[0] = 0; },
     {"maps[0] argument is 'gain', expected a buffer that is only read"}},
    {"MapFixedRows",
     [](T &t) { rowsMap(t).sizes[0] = 1; },
     {"'append' functions[1] maps[0] end is 32, expected within the 32 bytes per token of 'hidden'"}},
    {"MapRowsOverlap",
     [](T &t) { rowsMap(t).strides[0] = 16; },
     {"maps[0] strides[0] is 16, expected at least a row's 32"}},
    {"DealtOutputs", [](T &t) { function(t).dealtRows = Rows::outputs; }, {"'recur' dealt_rows is outputs", "head"}},
    {"Immediate",
     [](T &t) {
       t.kernels[4].interface[4].kinds = {ArgumentKind::immediate};
       t.head.commands[0].launch.arguments[4] = {ArgumentKind::immediate, false, 0, 3};
     },
     {"an immediate", "pointers"}},
    {"Grid",
     [](T &t) { t.kernels[4].domain[1].value = t.head.commands[0].launch.domain[1].value = 1u << 27; },
     {"beyond 2^31 - 1 points"}},
    {"CpuWithFunctions",
     [](T &t) {
       const T cpu = tinyTables();
       t.target = cpu.target, t.variants = cpu.variants;
       for (size_t i = 0; i < t.kernels.size(); ++i)
         t.kernels[i].symbols = cpu.kernels[i].symbols, t.kernels[i].scratchBytes = cpu.kernels[i].scratchBytes;
     },
     {"functions count is 2, expected 0"}},
    {"CpuWithImages",
     [](T &t) {
       const std::vector<DeviceImage> images = t.deviceImages;
       t = tinyTables();
       t.deviceImages = images;
     },
     {"device_images count of target cpu is 2"}},
};
INSTANTIATE_TEST_SUITE_P(Rules, DeviceTablesTest, testing::ValuesIn(kCases),
                         [](const auto &i) { return i.param.what; });

} // namespace

} // namespace mmc::test
