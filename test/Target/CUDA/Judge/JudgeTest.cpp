// The judge of kernels: what it reads from ptxas and a disassembler, what it objects to, and that bad kernels fail.
#include "lib/Target/CUDA/Judge/JudgeFiles.h"

#include "lib/Target/CUDA/Toolchain/Nvrtc.h"
#include "test/Target/CUDA/Toolchain/ToolchainRun.h"

using namespace mmc::cuda;
using namespace mmc::cuda::test;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

const std::string kKernels = MMC_SOURCE_DIR "/test/Target/CUDA/Judge/kernels/";

constexpr const char *kLog = "ptxas info    : 0 bytes gmem, 16 bytes cmem[3]\n"
                             "ptxas info    : Compiling entry function 'norm' for 'sm_90a'\n"
                             "ptxas info    : Function properties for norm\n"
                             "    32 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads\n"
                             "ptxas info    : Used 40 registers, used 1 barriers, 48 bytes cumulative stack size, "
                             "1024 bytes smem\n"
                             "ptxas info    : Function properties for helper\n"
                             "    64 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n";

TEST(JudgeFigures, OfPtxas) {
  const PtxasFigures figures = readPtxas(kLog, "norm");
  EXPECT_TRUE(figures.found);
  EXPECT_EQ(figures.registers, 40u);
  EXPECT_EQ(figures.stackBytes, 64u); // the helper's
  EXPECT_EQ(figures.spillStoreBytes, 8u);
  EXPECT_EQ(figures.spillLoadBytes, 12u);
  EXPECT_EQ(figures.staticSharedBytes, 1024u);
  EXPECT_THAT(figures.remarks, IsEmpty());
  EXPECT_FALSE(readPtxas(kLog, "nor").found);
  EXPECT_FALSE(readPtxas("", "norm").found);
  // Half of the figures are none.
  const std::string log = kLog;
  EXPECT_FALSE(readPtxas(log.substr(0, log.find("ptxas info    : Used")), "norm").found);
}

TEST(JudgeFigures, RemarksOfPtxas) {
  const std::string remark = "ptxas info    : (C7517) Potential Performance Loss: warpgroup.wait is injected in around "
                             "line 12 by compiler to allow use of registers defined by GMMA";
  const std::string warning = "ptxas warning : setmaxnreg ignored to maintain minimum register requirements.";
  EXPECT_THAT(readPtxas(remark + "\n" + kLog + warning + "\n", "norm").remarks, ElementsAre(remark, warning));
}

TEST(JudgeFigures, OfADisassembly) {
  const SassFigures figures =
      readSass("\t.headerflags\t@\"EF_CUDA_SM90\"\n"
               ".text.norm:\n"
               "        /*0000*/                   LDC R1, c[0x0][0x28] ;\n"
               "        /*0010*/              @!P0 LDL.64 R2, [R1+0x8] ;\n"
               "        /*0020*/             @!UP1 UTMALDG.2D [UR4], [UR6] ;\n"
               "        /*0030*/                   WARPGROUP.ARRIVE ;\n"
               "        /*0040*/                   HGMMA.64x64x16.F32.BF16 R24, gdesc[UR8], R24 ;\n"
               "        /*0050*/                   HGMMA.64x64x16.F32.BF16 R24, gdesc[UR8], R24, gsb0 ;\n"
               "        /*0060*/                   WARPGROUP.DEPBAR.LE gsb0, 0x0 ;\n"
               ".L_x_1:\n");
  EXPECT_EQ(
      figures.counts,
      (std::map<std::string, uint32_t>{
          {"LDC", 1}, {"LDL", 1}, {"UTMALDG", 1}, {"WARPGROUP.ARRIVE", 1}, {"HGMMA", 2}, {"WARPGROUP.DEPBAR", 1}}));
  EXPECT_EQ(figures.batches, 1u);
}

TEST(JudgeBudgets, TheFirstLineThatMatchesCounts) {
  Expected<std::vector<Budget>> budgets = readBudgets("# kernels\n\nlinear_* sm_90a 168 0 0 65536 # wide\n"
                                                      "linear_*  *      128 8 16 0\n* sm_80 255 0 0 232448\n",
                                                      "table");
  ASSERT_TRUE(budgets.ok()) << budgets.status().text();
  ASSERT_EQ(budgets->size(), 3u);
  EXPECT_EQ(budgetOf(*budgets, "linear_bf16", "sm_90a"), &(*budgets)[0]);
  EXPECT_EQ(budgetOf(*budgets, "linear_", "sm_80"), &(*budgets)[1]);
  EXPECT_EQ(budgetOf(*budgets, "linear", "sm_80"), &(*budgets)[2]);
  EXPECT_EQ(budgetOf(*budgets, "norm", "sm_90a"), nullptr);
  const Budget &second = (*budgets)[1];
  EXPECT_EQ(second.registers, 128u);
  EXPECT_EQ(second.stackBytes, 8u);
  EXPECT_EQ(second.spillBytes, 16u);
  EXPECT_EQ(second.sharedBytes, 0u);
}

TEST(JudgeBudgets, ALineThatIsNoneIsNamed) {
  for (const char *line : {"a sm_80 1 2 3", "a sm_80 1 2 3 4 5", "a sm_80 x 2 3 4", "a"}) {
    const Status status = readBudgets(std::string("* * 1 1 1 1\n") + line + "\n", "table").status();
    EXPECT_EQ(status.code(), StatusCode::usage) << line;
    EXPECT_EQ(status.message(), "table:2: '" + std::string(line) + "' is no budget");
  }
}

TEST(JudgeRules, EachFigureHasItsBudget) {
  const PtxasFigures figures = readPtxas(kLog, "norm");
  const Budget exact = {"*", "*", 40, 64, 12, 5024};
  EXPECT_THAT(judgePtxas(figures, 5024, &exact), IsEmpty());
  const Budget low = {"*", "*", 39, 63, 7, 5023};
  EXPECT_THAT(judgePtxas(figures, 5024, &low),
              ElementsAre("40 registers, expected at most 39", "64 bytes of stack, expected at most 63",
                          "8 bytes of spill stores, expected at most 7", "12 bytes of spill loads, expected at most 7",
                          "5024 bytes of shared memory, expected at most 5023"));
  EXPECT_THAT(judgePtxas(figures, 0, nullptr), ElementsAre("no line of the budget table is about it"));
  EXPECT_THAT(judgePtxas(PtxasFigures(), 0, &exact), ElementsAre("ptxas gives no figures"));
}

TEST(JudgeRules, InstructionsThatTheSourceAsksFor) {
  const auto sass = [](const std::map<std::string, uint32_t> &counts, uint32_t batches = 0) {
    return SassFigures{counts, batches};
  };
  EXPECT_THAT(judgeSass(sass({{"FADD", 1}}), "x + y"), IsEmpty());
  EXPECT_THAT(judgeSass(sass({}), "x"), ElementsAre("the disassembly has no instructions"));
  EXPECT_THAT(
      judgeSass(sass({{"LDL", 2}, {"STL", 1}}), "x"),
      ElementsAre("2 LDL, expected none: local memory is touched", "1 STL, expected none: local memory is touched"));
  EXPECT_THAT(judgeSass(sass({{"HMMA", 1}}), "multiply(a, b, c);"), IsEmpty());
  EXPECT_THAT(judgeSass(sass({{"FFMA", 1}}), "multiply(a, b, c);"),
              ElementsAre("no HMMA, expected some: the source multiplies tiles"));
  EXPECT_THAT(judgeSass(sass({{"HMMA", 1}}), "Fragment<64, 64, Wgmma> c; multiply(c, a, b);"),
              ElementsAre("no HGMMA, expected some: the source multiplies by warpgroups"));
  EXPECT_THAT(judgeSass(sass({{"HGMMA", 8}, {"WARPGROUP.ARRIVE", 2}}, 2), "wgmmaCommit()"), IsEmpty());
  EXPECT_THAT(judgeSass(sass({{"HGMMA", 8}, {"WARPGROUP.ARRIVE", 3}}, 2), "wgmmaCommit()"),
              ElementsAre("3 WARPGROUP.ARRIVE, expected at most one for each of the 2 batches of products"));
  EXPECT_THAT(judgeSass(sass({{"LDG", 1}}), "tensorLoad(map)"),
              ElementsAre("0 UTMALDG, expected at least 1: the source loads by tensor maps so often"));
  const std::string two =
      "tensorLoadTile(shared.left[stage], x, full, 0, 0);\ntensorLoadTile(shared.right[stage], w, full, 0, 0);";
  EXPECT_THAT(judgeSass(sass({{"UTMALDG", 1}, {"UTMACCTL", 2}}), two),
              ElementsAre("1 UTMALDG, expected at least 2: the source loads by tensor maps so often"));
  EXPECT_THAT(judgeSass(sass({{"UTMALDG", 2}}), two), IsEmpty());
}

class JudgeFiles : public testing::Test {
protected:
  void SetUp() override {
    if (Expected<Nvrtc> nvrtc = Nvrtc::open(); !nvrtc.ok()) GTEST_SKIP() << "no NVRTC here: " << nvrtc.status().text();
    writeFile(folder / "budgets", "* * 168 0 0 65536\n");
    options.budgets = folder / "budgets";
    options.cacheFolder = folder / "cache";
    options.print = [this](const std::string &line) { printed += line + "\n"; };
  }
  void judge(const std::vector<std::string> &files, const std::string &architecture, size_t failed) {
    options.architectures = {architecture};
    Expected<Verdict> verdict = judgeFiles(files, options);
    ASSERT_TRUE(verdict.ok()) << verdict.status().text();
    EXPECT_EQ(verdict->judged, files.size());
    EXPECT_EQ(verdict->failed, failed) << printed;
    EXPECT_FALSE(verdict->skipped);
    hasDisassembler = !verdict->sassSkipped;
  }

  Folder folder;
  JudgeOptions options;
  std::string printed;
  bool hasDisassembler = false;
};

TEST_F(JudgeFiles, AGoodKernelPasses) {
  judge({kKernels + "good_product.cu"}, "sm_80", 0);
  EXPECT_THAT(printed, HasSubstr("ok      good_product sm_80: "));
  EXPECT_THAT(printed, HasSubstr("0 B stack, 0 B spills, 16384 B shared"));
  if (!hasDisassembler) EXPECT_THAT(printed, HasSubstr("skipped: instructions"));
}

TEST_F(JudgeFiles, ANameSaysTheArchitecture) {
  for (const char *name : {"x__sm_80", "x__sm_90a", "x__portable"})
    writeFile(folder / "kernels/" + name + ".cu", "#include \"block/kernel.cuh\"\nMMC_KERNEL(32, 1) void " +
                                                      std::string(name) + "(float *y) {\n  *y = 1;\n}\n");
  options.architectures = {"sm_120a"};
  Expected<Verdict> verdict = judgeFiles({folder / "kernels"}, options);
  ASSERT_TRUE(verdict.ok()) << verdict.status().text();
  EXPECT_EQ(verdict->judged, 3u);
  EXPECT_EQ(verdict->failed, 0u) << printed;
  for (const char *line : {"ok      x__sm_80 sm_80: ", "ok      x__sm_90a sm_90a: ", "ok      x__portable sm_120a: "})
    EXPECT_THAT(printed, HasSubstr(line));
}

TEST_F(JudgeFiles, ABadKernelFails) {
  judge({kKernels + "early_read.cu"}, "sm_90a", 1);
  EXPECT_THAT(printed, HasSubstr("failed  early_read sm_90a"));
  EXPECT_THAT(printed, HasSubstr("(C7517)"));
  EXPECT_THAT(printed, HasSubstr("32768 B shared"));
}

TEST_F(JudgeFiles, AnotherBadKernelFails) {
  judge({kKernels + "indexed.cu"}, "sm_80", 1);
  EXPECT_THAT(printed, HasSubstr("bytes of stack, expected at most 0"));
  if (hasDisassembler) EXPECT_THAT(printed, HasSubstr("LDL, expected none"));
}

TEST_F(JudgeFiles, ProductsOfWarpgroupsPass) {
  judge({MMC_SOURCE_DIR "/test/Cuda/kernels/product_wgmma.cu"}, "sm_90a", 1);
  // It does not assert its size in the compiler's words; there is nothing else to object to.
  const size_t first = printed.find("\n        ");
  EXPECT_EQ(first, printed.find("\n        the size of its shared memory"));
  EXPECT_EQ(printed.find("\n        ", first + 1), std::string::npos) << printed;
}

TEST_F(JudgeFiles, ASizeOfSharedMemoryThatIsNotStatedFails) {
  std::string text = readFile(kKernels + "good_product.cu");
  const size_t begin = text.find("static_assert(sizeof(Shared)");
  ASSERT_NE(begin, std::string::npos);
  writeFile(folder / "unstated.cu", text.erase(begin, text.find('\n', begin) - begin));
  judge({folder / "unstated.cu"}, "sm_80", 1);
  EXPECT_THAT(printed, HasSubstr("the size of its shared memory is not asserted in its text"));
}

TEST_F(JudgeFiles, WithoutNvrtcItSaysThatItSkips) {
  const Setting nowhere("MMC_NVRTC", "/nowhere/libnvrtc.so");
  options.architectures = {"sm_90a"};
  Expected<Verdict> verdict = judgeFiles({kKernels}, options);
  ASSERT_TRUE(verdict.ok());
  EXPECT_TRUE(verdict->skipped);
  EXPECT_EQ(verdict->judged, 0u);
  EXPECT_THAT(printed, HasSubstr("skipped: cannot open NVRTC"));
}

} // namespace
