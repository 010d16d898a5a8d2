#include "passes/Pipelines/Pipelines.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Model/Transforms/Passes.h"
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Conversion/TileToHopper/Passes.h"
#include "passes/Fusion/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;

namespace mmc {

// ---------------------------------------------------------------------------------------------------- the list

// NOTE: bitwise is about float32 plans. Fusion keeps every operation and its order; only the removal of a store and
// load between two of them could change a bit, and a float32 value survives those.
static constexpr PassInfo kPasses[] = {
    {"DecomposeExperts", "mmc-decompose-experts", "mixture of experts to permute, grouped products and combine", false,
     false},
    {"RotateNorms", "mmc-rotate-norms", "moves the norm at a layer's start to the end of the layer before it (CUDA)",
     true, true, true},
    {"AssignPrecision", "mmc-assign-precision", "writes every rounding point as a cast", false, false},
    {"FormDispatches", "mmc-form-dispatches", "wraps each compute op into a model.dispatch of its own", false, false},
    {"JoinProducts", "mmc-join-products", "makes products of the same rows one product (CUDA)", true, true, true},
    {"FuseEpilogue", "mmc-fuse-epilogue", "moves elementwise consumers of a product into its dispatch", true, true},
    {"FuseMoEDispatch", "mmc-fuse-moe-dispatch",
     "fuses the gather, the expert products and the combine of a mixture of experts", true, true},
    {"FusePrologue", "mmc-fuse-prologue", "moves row-wise producers of a norm into its dispatch", true, true},
    {"FuseRopeAppend", "mmc-fuse-rope-append",
     "moves the rotary embedding of queries and keys into the attention's dispatch", true, true},
    {"FuseNormEpilogue", "mmc-fuse-norm-epilogue", "moves elementwise consumers of a norm into its dispatch (CUDA)",
     true, true, true},
    {"FuseRouter", "mmc-fuse-router", "moves the norm before a router into the router's dispatch (CUDA)", true, true,
     true},
    {"SplitLightningAttention", "mmc-split-lightning-attention",
     "linear attention to a prefill kernel with the block loop and a decode kernel", false, false},
    {"SplitAttention", "mmc-split-attention",
     "softmax attention to an append kernel and two kernels over a paged cache", false, false},
    {"TileLinear", "mmc-tile-linear", "dense and grouped products, with their epilogues, to panel kernels", false,
     false},
    {"TileRoute", "mmc-tile-route", "routers to kernels: softmax over the experts, top k, renormalised", false, false},
    {"TilePermute", "mmc-tile-permute", "the sorting of routes by expert to a kernel", false, false},
    {"TileRows", "mmc-tile-rows",
     "norms, residuals, embedding, combine, gather, select, rope and elementwise ops to row kernels", false, false},
    {"VerifyTileLevel", "mmc-verify-tile-level", "asserts that functions contain launches and names of data only",
     false, false},
    {"BranchLaunches", "mmc-branch-launches", "lets launches over prefilling and decoding sequences overlap (CUDA)",
     true, true, true},
};

ArrayRef<PassInfo> getPassList() { return kPasses; }

void printPassList(llvm::raw_ostream &out, bool json) {
  if (!json) {
    for (const PassInfo &pass : kPasses)
      out << llvm::left_justify(pass.name, 26) << (pass.optional ? "optional  " : "          ")
          << (pass.bitwise ? "bitwise  " : "         ") << pass.summary << "\n";
    return;
  }
  llvm::json::Array list;
  for (const PassInfo &pass : kPasses)
    list.push_back(llvm::json::Object{{"name", pass.name},
                                      {"argument", pass.argument},
                                      {"summary", pass.summary},
                                      {"optional", pass.optional},
                                      {"bitwise", pass.bitwise}});
  out << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(list)));
}

LogicalResult checkPipelineOptions(const PipelineOptions &options, std::string &error) {
  if (options.dtype != "float32" && options.dtype != "bfloat16") {
    error = "expected dtype float32 or bfloat16, got " + options.dtype;
    return failure();
  }
  if (options.target != "cpu" && options.target != "cuda") {
    error = "expected target cpu or cuda, got " + options.target;
    return failure();
  }
  for (const std::string &name : options.disabledPasses) {
    const PassInfo *info = llvm::find_if(kPasses, [&](const PassInfo &pass) { return name == pass.name; });
    if (info != std::end(kPasses) && info->optional) continue;
    SmallVector<StringRef> names;
    for (const PassInfo &pass : kPasses)
      if (pass.optional) names.push_back(pass.name);
    error = "expected the name of an optional pass (" + llvm::join(names, ", ") + ") to disable, got " + name;
    return failure();
  }
  return success();
}

// ---------------------------------------------------------------------------------------------------- the order

/// Blocks that fill the 132 multiprocessors of an H200: attention over parts runs two on each, linear attention one.
static constexpr int64_t kDecodePoints = 264, kPrefillPoints = 132;

void buildModelToTilePipeline(OpPassManager &manager, const PipelineOptions &options) {
  OpPassManager &program = manager.nest<model::ProgramOp>();
  auto add = [&](StringRef name, std::unique_ptr<Pass> pass) {
    if (!llvm::is_contained(options.disabledPasses, name)) program.addPass(std::move(pass));
  };
  add("DecomposeExperts", model::createDecomposeExperts());
  // NOTE: on a device the number of launches of a layer counts, and one wide product fills it better than two narrow
  // ones. On a CPU a launch costs next to nothing, so there nothing is fused for that alone.
  bool cuda = options.target == "cuda";
  if (cuda) add("RotateNorms", model::createRotateNorms());
  model::AssignPrecisionOptions precision;
  precision.dtype = options.dtype;
  add("AssignPrecision", model::createAssignPrecision(precision));

  add("FormDispatches", createFormDispatches());
  if (cuda) add("JoinProducts", createJoinProducts());
  add("FuseEpilogue", createFuseEpilogue());
  add("FuseMoEDispatch", createFuseMoEDispatch());
  add("FusePrologue", createFusePrologue());
  add("FuseRopeAppend", createFuseRopeAppend());
  if (cuda) add("FuseNormEpilogue", createFuseNormEpilogue());
  if (cuda) add("FuseRouter", createFuseRouter());

  SplitLightningAttentionOptions lightning;
  lightning.block = options.recurrenceBlock;
  lightning.prefillPoints = cuda ? kPrefillPoints : 0;
  lightning.segmentTokens = options.segmentTokens;
  lightning.maxStepTokens = options.maxStepTokens;
  add("SplitLightningAttention", createSplitLightningAttention(lightning));
  SplitAttentionOptions attention;
  attention.queryTile = options.queryTile;
  attention.pageTokens = options.pageTokens;
  attention.maxModelLen = options.maxModelLen;
  attention.keyLayout = cuda ? "positions" : "channels";
  attention.appendBy = cuda ? "heads" : "rows";
  attention.decodePoints = cuda ? kDecodePoints : 0;
  attention.decodePart = options.decodePart;
  add("SplitAttention", createSplitAttention(attention));
  TileLinearOptions linear;
  linear.rowBlock = options.rowBlock ? options.rowBlock : cuda ? 64 : 48;
  linear.weightLayout = cuda ? "rows" : "panels";
  add("TileLinear", createTileLinear(linear));
  TileRouteOptions route;
  route.weightLayout = linear.weightLayout;
  add("TileRoute", createTileRoute(route));
  TilePermuteOptions permute;
  permute.points = cuda ? "experts" : "all";
  add("TilePermute", createTilePermute(permute));
  add("TileRows", createTileRows());
  add("VerifyTileLevel", createVerifyTileLevel());
}

void buildRoundProductsPipeline(OpPassManager &manager) {
  manager.addPass(cuda::createExpandThinDots());
  manager.addPass(cuda::createRoundDotOperands());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void buildTileToHopperPipeline(OpPassManager &manager, const KernelFamilies &families) {
  buildRoundProductsPipeline(manager);
  cuda::ChooseFamilyOptions choice;
  choice.variant = families.variant;
  choice.portable.assign(families.portable.begin(), families.portable.end());
  manager.addPass(cuda::createChooseFamily(choice));
  manager.addPass(cuda::createConvertTileToHopper());
  manager.addPass(createCanonicalizerPass());
}

// ---------------------------------------------------------------------------------------------------- registration

namespace {
struct ModelToTileOptions : PassPipelineOptions<ModelToTileOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("cpu or cuda"), llvm::cl::init("cpu")};
  Option<std::string> dtype{*this, "dtype", llvm::cl::desc("float32 or bfloat16"), llvm::cl::init("float32")};
  Option<int64_t> recurrenceBlock{*this, "recurrence-block", llvm::cl::desc("rows of a block of linear attention"),
                                  llvm::cl::init(64)};
  Option<int64_t> pageTokens{*this, "page-tokens", llvm::cl::desc("positions of a cache page"), llvm::cl::init(64)};
  Option<int64_t> maxModelLen{*this, "max-model-len", llvm::cl::desc("longest sequence in tokens"),
                              llvm::cl::init(32768)};
  Option<int64_t> queryTile{*this, "query-tile", llvm::cl::desc("query rows of a prefill tile"), llvm::cl::init(16)};
  Option<int64_t> maxStepTokens{*this, "max-step-tokens", llvm::cl::desc("tokens of the largest step"),
                                llvm::cl::init(16384)};
  Option<int64_t> segmentTokens{*this, "segment-tokens",
                                llvm::cl::desc("fewest tokens of a segment of linear attention"), llvm::cl::init(1024)};
  Option<int64_t> decodePart{*this, "decode-part", llvm::cl::desc("fewest positions of a part of decode attention"),
                             llvm::cl::init(512)};
  Option<int64_t> rowBlock{*this, "row-block", llvm::cl::desc("rows of a block of a product; 0: the target's own"),
                           llvm::cl::init(0)};
  ListOption<std::string> disable{*this, "disable", llvm::cl::desc("td record names of optional passes to leave out")};
};
} // namespace

/// Parses the options' text, checks them and builds the pipeline.
static LogicalResult parsePipeline(OpPassManager &manager, StringRef text,
                                   function_ref<LogicalResult(const Twine &)> report) {
  ModelToTileOptions given;
  if (failed(given.parseFromString(text))) return failure();
  PipelineOptions options;
  options.target = given.target;
  options.dtype = given.dtype;
  options.recurrenceBlock = given.recurrenceBlock;
  options.pageTokens = given.pageTokens;
  options.maxModelLen = given.maxModelLen;
  options.queryTile = given.queryTile;
  options.maxStepTokens = given.maxStepTokens;
  options.segmentTokens = given.segmentTokens;
  options.decodePart = given.decodePart;
  options.rowBlock = given.rowBlock;
  options.disabledPasses.assign(given.disable.begin(), given.disable.end());
  std::string error;
  if (failed(checkPipelineOptions(options, error))) return report(error);
  buildModelToTilePipeline(manager, options);
  return success();
}

void registerAllPasses() {
  model::registerModelPasses();
  registerFusionPasses();
  registerModelToTilePasses();
  registerPassPipeline(
      "mmc-model-to-tile", "a model description to tile kernels and launches", parsePipeline,
      [](function_ref<void(const mlir::detail::PassOptions &)> handle) { handle(ModelToTileOptions()); });
}

} // namespace mmc
