// Every rule of plan verification, broken once (catalogue P10-P12, P14-P16): the failure is an integrity error that
// names field and figures.
#include "test/Runtime/TinyModel.h"

#include <cmath>

namespace mmc::test {

namespace {

struct Case {
  const char *what;
  std::function<void(PlanTables &)> change;
  std::vector<std::string> words;
};

class PlanVerifyTest : public testing::TestWithParam<Case> {};

TEST_P(PlanVerifyTest, IsRefusedByName) {
  PlanTables tables = tinyTables();
  GetParam().change(tables);
  const std::vector<uint8_t> metadata = encodeTables(tables);
  expectFailure(bounded(metadata.size(), [&] { return decodePlan(metadata, tinyConstants().size()).status(); }),
                StatusCode::integrity, GetParam().words);
}

using T = PlanTables;
Launch &embed(T &t) { return t.body.commands[0].launch; }
Launch &recur(T &t) { return t.layerKinds[0].commands[0].launch; }
Launch &decode(T &t) { return t.layerKinds[0].commands[1].launch; }
Launch &append(T &t) { return t.layerKinds[1].commands[0].launch; }
Launch &head(T &t) { return t.head.commands[0].launch; }

const Case kFigures[] = {
    {"Ranks", [](T &t) { t.ranks = 0; }, {"ranks is 0"}},
    {"Vocabulary", [](T &t) { t.vocabulary = 0; }, {"vocabulary is 0"}},
    {"ModelLen", [](T &t) { t.maxModelLen = uint64_t(1) << 40; }, {"max_model_len is 1099511627776"}},
    {"NumSeqs", [](T &t) { t.maxNumSeqs = 0; }, {"max_num_seqs is 0"}},
    {"Tokens", [](T &t) { t.maxNumBatchedTokens = 0; }, {"max_num_batched_tokens is 0"}},
    {"RecurrenceBlock", [](T &t) { t.recurrenceBlock = 0; }, {"recurrence_block is 0, expected 1 to 16777216"}},
    {"RecurrenceBlockHuge", [](T &t) { t.recurrenceBlock = ~0u; }, {"recurrence_block is 4294967295"}},
    {"ParametersActive", [](T &t) { t.parametersActive = t.parametersTotal + 1; }, {"parameters_active is"}},
    {"StopToken", [](T &t) { t.stopTokens = {2, -1}; }, {"stop_tokens is -1"}},
    {"StopTokenHigh", [](T &t) { t.stopTokens = {48}; }, {"stop_tokens is 48", "below 48"}},
    {"LayerCount", [](T &t) { t.layerCount = 6; }, {"stack kinds count is 5", "layer_count = 6"}},
    {"StackKind", [](T &t) { t.stack[3] = 2; }, {"stack kind is 2", "below 2"}},
    {"Embedding", [](T &t) { t.embeddingWeight = 4; }, {"embedding_weight is 4"}},
    {"EmbeddingShape", [](T &t) { t.embeddingWeight = 1; }, {"embedding_weight is 1"}},
};
INSTANTIATE_TEST_SUITE_P(Figures, PlanVerifyTest, testing::ValuesIn(kFigures),
                         [](const auto &i) { return i.param.what; });

const Case kWeights[] = {
    {"NoSource", [](T &t) { t.weights[0].sources.clear(); }, {"weights[0]", "sources count is 0"}},
    {"NoName", [](T &t) { t.weights[0].sources[0].name = ""; }, {"weights[0]", "name is empty"}},
    {"ExtentZero", [](T &t) { t.weights[3].shape[1] = 0; }, {"weights[3] 'head'", "extent is 0"}},
    {"Wrap", [](T &t) { t.weights[0].shape[1] = uint64_t(1) << 62; }, {"weights[0] 'embed'", "2^56"}},
    {"SourceWrap",
     [](T &t) { t.weights[0].sources[0].shape = {uint64_t(1) << 33, uint64_t(1) << 33}; },
     {"source 'embed'", "2^56"}},
    {"Rank", [](T &t) { t.weights[0].shape = std::vector<uint64_t>(9, 1); }, {"weights[0]", "rank is 9"}},
    {"Rank0", [](T &t) { t.weights[0].shape.clear(); }, {"weights[0]", "rank is 0"}},
    {"SourceRank",
     [](T &t) { t.weights[0].sources[0].shape = {48, 8, 1}; },
     {"source 'embed'", "rank is 3, expected 2"}},
    {"SliceDimension", [](T &t) { t.weights[0].sources[0].slices = {{2, 0, 1}}; }, {"slice dimension is 2"}},
    {"SliceTwice", [](T &t) { t.weights[0].sources[0].slices = {{1, 0, 8}, {1, 0, 8}}; }, {"slice dimension is 1"}},
    {"SliceEmpty", [](T &t) { t.weights[0].sources[0].slices = {{0, 5, 5}}; }, {"slice is 5 to 5"}},
    {"SliceEnd", [](T &t) { t.weights[0].sources[0].slices = {{0, 0, 49}}; }, {"slice is 0 to 49", "0 to 48"}},
    {"SliceColumns", [](T &t) { t.weights[0].sources[0].slices = {{1, 0, 4}}; }, {"sliced shape"}},
    {"Rows", [](T &t) { t.weights[0].sources[0].slices = {{0, 0, 47}}; }, {"rows of its sources is 47, expected 48"}},
    {"LayerPlaceholder", [](T &t) { t.weights[1].sources[0].name = "gain"; }, {"without {layer}"}},
    {"NextElseOfNoLayer", [](T &t) { t.weights[0].nextElse = "last"; }, {"next_else is 'last'", "{layer}"}},
    {"NextElseOfLayers", [](T &t) { t.weights[1].nextElse = "last.{layer}"; }, {"next_else is 'last.{layer}'"}},
    {"NextElseUnannounced",
     [](T &t) { t.weights[1].nextElse = "last"; },
     {"next_else is 'last'", "required_features", "next-layer-weights"}},
    {"NextElseBoundTwice",
     [](T &t) {
       t.requiredFeatures = {kFeatureNextLayerWeights};
       t.weights[1].nextElse = "embed";
     },
     {"tensor 'embed'"}},
    {"LayersMissing", [](T &t) { t.weights[1].perLayer = false; }, {"with {layer}"}},
    {"ExpertPlaceholder", [](T &t) { t.weights[2].sources[0].name = "layers.{layer}"; }, {"without {expert}"}},
    {"ExpertsMissing", [](T &t) { t.weights[2].experts = 0; }, {"with {expert}"}},
    {"DType", [](T &t) { t.weights[0].layout.dtype = DType::i32; }, {"dtype is int32"}},
    {"PanelRank",
     [](T &t) { t.weights[1].layout = {DType::f32, LayoutKind::panels, 2, 2}; },
     {"rank is 1, expected 2"}},
    {"PanelN", [](T &t) { t.weights[3].layout.panelN = 0; }, {"panel_n is 0"}},
    {"PadN", [](T &t) { t.weights[3].layout.padN = 24; }, {"pad_n is 24", "multiple of panel_n"}},
    {"PadNHuge", [](T &t) { t.weights[3].layout.padN = 1u << 20; }, {"pad_n is 1048576"}},
    {"PanelK", [](T &t) { t.weights[3].layout.panelK = 0; }, {"panel_k is 0"}},
    {"ExpertBytes", [](T &t) { t.weights[2].expertBytes = 32; }, {"expert_bytes is 32, expected 64"}},
    {"Bytes", [](T &t) { t.weights[2].bytes = 64; }, {"bytes is 64, expected 128"}},
    {"LayersOrder", [](T &t) { t.weights[1].layers = {2, 0, 4}; }, {"layers is 0", "ascending"}},
    {"LayersTwice", [](T &t) { t.weights[1].layers = {0, 2, 2}; }, {"layers is 2", "ascending"}},
    {"LayersHigh", [](T &t) { t.weights[1].layers = {0, 2, 5}; }, {"layers is 5", "layer_count = 5"}},
    {"Scale", [](T &t) { t.weights[0].randomScale = NAN; }, {"not finite"}},
};
INSTANTIATE_TEST_SUITE_P(Weights, PlanVerifyTest, testing::ValuesIn(kWeights),
                         [](const auto &i) { return i.param.what; });

const Case kMemory[] = {
    {"ConstantBytes", [](T &t) { t.constants[0].bytes = 24; }, {"constants[0] 'alpha'", "bytes is 24, expected 20"}},
    {"ConstantOffset", [](T &t) { t.constants[0].offset = 3; }, {"offset is 3"}},
    {"ConstantEnd", [](T &t) { t.constants[0].offset = 64; }, {"end is 64 + 20", "20 bytes"}},
    {"ConstantWrap", [](T &t) { t.constants[0].offset = ~uint64_t(63); }, {"within the constants segment"}},
    {"ConstantLayers", [](T &t) { t.constants[0].layerBytes = 8; }, {"layer_bytes is 8"}},
    {"PoolBytes", [](T &t) { t.pools[0].unitBytes = 28; }, {"pools[0] 'state'", "unit_bytes is 28"}},
    {"PoolAlignment", [](T &t) { t.pools[0].unitBytes = 35; }, {"unit_bytes is 35"}},
    {"PoolHuge", [](T &t) { t.pools[0].unitBytes = uint64_t(1) << 63; }, {"unit_bytes"}},
    {"PoolLayers", [](T &t) { t.pools[0].layers = 0; }, {"layers is 0"}},
    {"PoolLayersOther", [](T &t) { t.pools[0].layers = 2; }, {"pool 'state' layers is 2, expected 3"}},
    {"PageTokens", [](T &t) { t.pageTokens = 0; }, {"page_tokens is 0"}},
    {"PagesPerSequence", [](T &t) { t.pagesPerSequence = 15; }, {"pages_per_sequence is 15, expected 16"}},
    {"PageTokensWithoutPages",
     [](T &t) { t.pools[1].kind = PoolKind::slots; },
     {"page_tokens without a pool of pages is 4, expected 0"}},
    {"BufferZero", [](T &t) { t.buffers[0].bytesPerToken = 0; }, {"buffers[0] 'hidden'", "size is 0"}},
    {"BufferHuge", [](T &t) { t.buffers[0].bytesPerToken = ~uint64_t(0); }, {"buffers[0] 'hidden'"}},
    {"TileRows", [](T &t) { t.workLists[2].tileRows = ~0u; }, {"work_lists[2] tile_rows"}},
    {"EntryNone", [](T &t) { t.entryPoints.clear(); }, {"entry_points count is 0"}},
    {"EntryUnordered", [](T &t) { std::swap(t.entryPoints[0], t.entryPoints[1]); }, {"entry_points[1]", "ascending"}},
    {"EntryDuplicate", [](T &t) { t.entryPoints[1] = t.entryPoints[0]; }, {"entry_points[1]", "ascending"}},
    {"EntryContext", [](T &t) { t.entryPoints[2].context = 65; }, {"entry_points[2] context is 65", "64"}},
    {"EntryTokens", [](T &t) { t.entryPoints[0].tokens = 0; }, {"entry_points[0] tokens is 0"}},
    {"EntryOutputs", [](T &t) { t.entryPoints[0].outputs = 0; }, {"outputs is 0"}},
    {"EntrySmall", [](T &t) { t.entryPoints.pop_back(); }, {"too small"}},
    {"EntryOffsets", [](T &t) { t.entryPoints[1].offsets.push_back(0); }, {"offsets count is 2, expected 1"}},
    {"EntryAlignment", [](T &t) { t.entryPoints[1].offsets[0] = 3; }, {"entry_points[1] offsets[0] 'hidden' is 3"}},
    {"EntryArena", [](T &t) { t.entryPoints[2].offsets[0] = 1088; }, {"end is 1088 + 1024", "arena_bytes = 2048"}},
    {"EntryWrap", [](T &t) { t.entryPoints[2].offsets[0] = ~uint64_t(63); }, {"arena_bytes"}},
    {"ArenaHuge", [](T &t) { t.entryPoints[2].arenaBytes = ~uint64_t(0); }, {"arena_bytes"}},
};
INSTANTIATE_TEST_SUITE_P(Memory, PlanVerifyTest, testing::ValuesIn(kMemory),
                         [](const auto &i) { return i.param.what; });

const Case kCode[] = {
    {"NoVariant", [](T &t) { t.variants.clear(); }, {"variants count is 0"}},
    {"VariantTwice", [](T &t) { t.variants[1] = t.variants[0]; }, {"name twice"}},
    {"Symbols", [](T &t) { t.kernels[1].symbols.pop_back(); }, {"kernels[1] 'recur' symbols count is 1, expected 2"}},
    {"SymbolEmpty", [](T &t) { t.kernels[1].symbols[0] = ""; }, {"symbol is '', expected 'recur__x86_64_v3'"}},
    {"Scratch", [](T &t) { t.kernels[1].scratchBytes.push_back(1); }, {"scratch_bytes count is 3"}},
    {"ScratchHuge", [](T &t) { t.kernels[1].scratchBytes[0] = ~uint64_t(0); }, {"scratch_bytes"}},
    {"Parameters",
     [](T &t) { t.kernels[0].parameters = std::vector<std::string>(65, "x"); },
     {"parameters count is 65"}},
    {"DomainRank", [](T &t) { t.kernels[0].domainRank = 5; }, {"domain_rank is 5"}},
    {"BodyEmpty",
     [](T &t) {
       t.body.commands.clear();
       t.stack.clear();
       t.layerCount = 0;
       t.weights.resize(1);
       t.constants.clear();
     },
     {"body commands count is 0"}},
    {"HeadEmpty", [](T &t) { t.head.commands.clear(); }, {"head commands count is 0"}},
    {"HeadSilent",
     [](T &t) {
       undescribe(t);
       head(t).arguments[3].written = false;
     },
     {"writes logits"}},
    {"StackInHead", [](T &t) { std::swap(t.body.commands[1], t.head.commands[0]); }, {"stack is outside the body"}},
    {"Kernel", [](T &t) { embed(t).kernel = 5; }, {"body.commands[0] kernel is 5"}},
    {"ArgumentCount", [](T &t) { embed(t).arguments.pop_back(); }, {"arguments count is 2, expected 3"}},
    {"LaunchRank", [](T &t) { embed(t).domain.push_back({ExtentKind::fixed, 1}); }, {"domain rank is 2, expected 1"}},
    {"Grain", [](T &t) { embed(t).grain = 0; }, {"grain is 0"}},
    {"ArgumentKind", [](T &t) { embed(t).arguments[0].kind = ArgumentKind(16); }, {"argument kind is 16"}},
    {"ExtentKind", [](T &t) { embed(t).domain[0].kind = ExtentKind(5); }, {"extent kind is 5"}},
    {"ExtentZero",
     [](T &t) {
       undescribe(t);
       head(t).domain[1].value = 0;
     },
     {"head.commands[0].domain[1] value is 0"}},
    {"ExtentWork",
     [](T &t) {
       undescribe(t);
       recur(t).domain[0].value = 3;
     },
     {"work list below 3"}},
    {"ExtentOutputs",
     [](T &t) {
       undescribe(t);
       embed(t).domain[0].kind = ExtentKind::outputs;
     },
     {"only the head has outputs"}},
    {"ExtentHuge",
     [](T &t) {
       undescribe(t);
       head(t).domain = {{ExtentKind::fixed, uint64_t(1) << 40}, {ExtentKind::fixed, uint64_t(1) << 40}};
     },
     {"2^56"}},
    {"BufferIndex", [](T &t) { embed(t).arguments[2].index = 1; }, {"arguments[2] index is 1", "buffer below 1"}},
    {"BufferOffset", [](T &t) { embed(t).arguments[2].offset = 64; }, {"offset is 64, expected below 64"}},
    {"WeightIndex", [](T &t) { embed(t).arguments[1].index = 4; }, {"weight below 4"}},
    {"WeightOffset", [](T &t) { recur(t).arguments[1].offset = 64; }, {"offset is 64"}},
    {"WeightPerLayerInBody", [](T &t) { embed(t).arguments[1].index = 1; }, {"an instance per layer"}},
    {"WeightAbsentInLayer", [](T &t) { t.weights[1].layers = {0, 2}; }, {"absent in a layer"}},
    {"ConstantIndex", [](T &t) { recur(t).arguments[2].index = 1; }, {"constant below 1"}},
    {"ConstantPerLayerInHead",
     [](T &t) { head(t).arguments[0] = {ArgumentKind::constant, false, 0, 0}; },
     {"a row per layer"}},
    {"ConstantRowOffset", [](T &t) { recur(t).arguments[2].offset = 4; }, {"offset is 4, expected below 4"}},
    {"PoolIndex", [](T &t) { recur(t).arguments[3].index = 2; }, {"pool below 2"}},
    {"PoolOfTwoKinds", [](T &t) { recur(t).arguments[3].index = 1; }, {"pool 'cache'"}},
    {"PoolOffset", [](T &t) { append(t).arguments[4].offset = 128; }, {"offset is 128"}},
    {"WorkListIndex", [](T &t) { recur(t).arguments[0].index = 3; }, {"work_list below 3"}},
    {"TokensOffset", [](T &t) { embed(t).arguments[0].offset = 4; }, {"offset is 4"}},
    {"LogitsInBody",
     [](T &t) { embed(t).arguments[2] = {ArgumentKind::logits, true, 0, 0}; },
     {"only the head has outputs"}},
    {"WrittenWeight", [](T &t) { embed(t).arguments[1].written = true; }, {"a written weight"}},
    {"UseBeforeDef",
     [](T &t) {
       undescribe(t);
       embed(t).arguments[2].written = false;
     },
     {"program 'body' kernel 'embed'", "'hidden'", "nothing has written"}},
    {"UseBeforeDefInLayer",
     [](T &t) {
       t.buffers.push_back({"other", DType::f32, 4, 0, 0, 0});
       undescribe(t);
       for (auto &e : t.entryPoints) e.offsets.push_back(0);
       append(t).arguments[3].index = 1;
     },
     {"program 'attention' kernel 'append'", "'other'"}},
};
/// One more buffer of hidden's size, at these offsets in the entry points. Returns its index.
/// Launches may then bind it where their kernels were compiled for something else.
uint32_t addBuffer(T &t, const char *name, std::vector<uint64_t> offsets) {
  undescribe(t);
  t.buffers.push_back({name, DType::f32, kWidth * 4, 0, 0, 0});
  for (size_t i = 0; i < t.entryPoints.size(); ++i) t.entryPoints[i].offsets.push_back(offsets[i]);
  return uint32_t(t.buffers.size() - 1);
}

const Case kAliases[] = {
    {"BothInOneLaunch",
     [](T &t) { embed(t).arguments[1] = {ArgumentKind::buffer, true, addBuffer(t, "other", {0, 128, 512}), 0}; },
     {"entry_points[0] offsets[1] 'other' range is 0 to 64", "apart from offsets[0] 'hidden' at 0 to 64"}},
    {"PartlyInTheLargestEntryPoint",
     [](T &t) {
       t.entryPoints[0].arenaBytes = 128;
       t.entryPoints[1].arenaBytes = 1024;
       t.entryPoints[2].arenaBytes = 4096;
       embed(t).arguments[1] = {ArgumentKind::buffer, true, addBuffer(t, "other", {64, 384, 1472}), 0};
     },
     {"entry_points[2] offsets[1] 'other' range is 1472 to 2496", "'hidden' at 512 to 1536"}},
    {"ALayerWritesOverWhatTheNextOneReads",
     [](T &t) { // the hidden rows that the first launch wrote
       t.layerKinds[0].commands[1].launch.arguments[4].index = addBuffer(t, "other", {0, 128, 512});
     },
     {"'other' range is 0 to 64", "'hidden' at 0 to 64"}},
    {"KeptFromTheBodyToTheHead",
     [](T &t) {
       t.entryPoints[0].arenaBytes = 192;
       t.entryPoints[1].arenaBytes = 1024;
       t.entryPoints[2].arenaBytes = 1 << 16;
       const uint32_t kept = addBuffer(t, "kept", {64, 512, 8192}), brief = addBuffer(t, "brief", {64, 512, 8192});
       embed(t).arguments[1] = {ArgumentKind::buffer, true, kept, 0};
       append(t).arguments[3] = {ArgumentKind::buffer, true, brief, 0};
       head(t).arguments[1].index = kept;
     },
     {"'brief' range is 64 to 128", "'kept' at 64 to 128"}},
};
INSTANTIATE_TEST_SUITE_P(Aliases, PlanVerifyTest, testing::ValuesIn(kAliases),
                         [](const auto &i) { return i.param.what; });
const Case kInterfaces[] = {
    {"PageTableIsBuffer",
     [](T &t) { append(t).arguments[2] = {ArgumentKind::buffer, false, 0, 0}; },
     {"layers[1].commands[0].arguments[2] 'pages' is buffer, expected page_table", "'append'"}},
    {"SlotsArePositions",
     [](T &t) { append(t).arguments[1].kind = ArgumentKind::rowPositions; },
     {"'slots' is row_positions, expected row_slots"}},
    {"WordIsPointer",
     [](T &t) { head(t).arguments[4] = {ArgumentKind::tokenIds, false, 0, 0}; },
     {"'bias' is token_ids, expected immediate"}},
    {"Access", [](T &t) { append(t).arguments[3].written = true; }, {"'hidden' is written, expected read only"}},
    {"BufferDType", [](T &t) { t.buffers[0].dtype = DType::bf16; }, {"'hidden' is bfloat16, expected float32"}},
    {"BytesPerToken",
     [](T &t) { t.buffers[0].bytesPerToken = 16; },
     {"is 16 bytes per token, expected at least 32 bytes per token"}},
    {"BytesPerSequence",
     [](T &t) { std::swap(t.buffers[0].bytesPerToken, t.buffers[0].bytesPerSequence); },
     {"is 0 bytes per token"}},
    {"BufferOffsetInRow",
     [](T &t) { append(t).arguments[3].offset = 4; },
     {"is 32 bytes per token from offset 4, expected at least 32"}},
    {"ConstantDType", [](T &t) { t.constants[0].dtype = DType::i32; }, {"'alpha' is int32, expected float32"}},
    {"WeightOfAnotherShape",
     [](T &t) { embed(t).arguments[1].index = 3; },
     {"'table' is a weight in panels 16 x 2 x 16, expected one in panels 0 x 0 x 0"}},
    {"WeightExperts",
     [](T &t) {
       t.weights[2].shape = {4};
       t.weights[2].sources[0].shape = {4};
     },
     {"is a weight of shape 2 x 4, expected one of shape 2 x 8"}},
    {"WeightDType", [](T &t) { t.weights[1].layout.dtype = DType::bf16; }, {"'gain' is bfloat16, expected float32"}},
    {"Panels",
     [](T &t) { t.weights[3].layout.panelN = 8; },
     {"in panels 8 x 2 x 8, expected one in panels 16 x 2 x 16"}},
    {"PoolUnit", [](T &t) { t.pools[0].unitBytes = 64; }, {"'state' is unit_bytes 64, expected unit_bytes 32"}},
    {"PoolKind",
     [](T &t) { t.pools[0].kind = PoolKind::pages; },
     {"'state' is a pool of pages, expected a pool of slots"}},
    {"PageTokens",
     [](T &t) {
       t.pageTokens = 8;
       t.pagesPerSequence = 8;
     },
     {"page_tokens 8, expected page_tokens 4"}},
    {"PagesPerSequence",
     [](T &t) {
       t.maxModelLen = 32;
       t.pagesPerSequence = 8;
       for (EntryPoint &entry : t.entryPoints) entry.context = std::min<uint64_t>(entry.context, 32);
     },
     {"pages_per_sequence 8, expected pages_per_sequence 16"}},
    {"WorkFilter", [](T &t) { t.workLists[2].filter = WorkFilter::decode; }, {"work list of filter 2"}},
    {"WorkTileRows", [](T &t) { t.workLists[2].tileRows = 4; }, {"tile_rows 4, expected tile_rows 3"}},
    {"WorkListOfTheDomain",
     [](T &t) { recur(t).domain[0].value = 2; },
     {"domain[0] is work list 2, expected work list 0"}},
    {"DomainFixed",
     [](T &t) { head(t).domain[1].value = 16777217; },
     {"head.commands[0].domain[1] is 16777217, expected 3", "'head'"}},
    {"DomainKind", [](T &t) { append(t).domain[0].kind = ExtentKind::sequences; }, {"of kind 3, expected kind 1"}},
    {"Vocabulary",
     [](T &t) { t.kernels[4].interface[3].bytes = 196; },
     {"bytes per output 192, expected bytes per output 196"}},
    {"InterfaceCount", [](T &t) { t.kernels[0].interface.pop_back(); }, {"interface count is 2, expected 3"}},
    {"InterfaceDomain", [](T &t) { t.kernels[0].domain.clear(); }, {"domain count is 0"}},
    {"InterfaceKinds", [](T &t) { t.kernels[0].interface[0].kinds.clear(); }, {"interface[0] 'tokens' kinds is empty"}},
    {"InterfaceKindsTwice",
     [](T &t) { t.kernels[0].interface[0].kinds = {ArgumentKind::tokenIds, ArgumentKind::tokenIds}; },
     {"kinds is unordered"}},
    {"InterfaceKind", [](T &t) { t.kernels[0].interface[0].kinds = {ArgumentKind(16)}; }, {"parameter kind is 16"}},
    {"InterfaceRows", [](T &t) { t.kernels[0].interface[0].rows = Rows(4); }, {"parameter rows is 4"}},
    {"InterfaceWork", [](T &t) { t.kernels[1].domain[0].value = 1; }, {"domain value is 1", "a work list"}},
};
INSTANTIATE_TEST_SUITE_P(Interfaces, PlanVerifyTest, testing::ValuesIn(kInterfaces),
                         [](const auto &i) { return i.param.what; });

const Case kBindings[] = {
    {"TwoBoundToOne",
     [](T &t) { t.weights.push_back(t.weights[0]); },
     {"weights[4] 'embed' source is tensor 'embed', expected another: weights[0] 'embed' is bound to it"}},
    {"PatternAndName",
     [](T &t) {
       t.weights[2].sources[0].name = "layers.{layer}.{expert}";
       t.weights[1].sources[0].name = "layers.{layer}.1";
       t.weights[1].layers = {0, 1, 2};
     },
     {"tensor 'layers.1.1'"}},
    {"SlicesThatMeet",
     [](T &t) { t.weights[0].sources = {{"embed", {60, 8}, {{0, 0, 30}}}, {"embed", {60, 8}, {{0, 29, 47}}}}; },
     {"tensor 'embed'"}},
    {"TooManyTensors",
     [](T &t) {
       t.weights[2].experts = ~0u;
       t.weights[2].bytes = t.weights[2].expertBytes * t.weights[2].experts;
     },
     {"tensors of the weights is", "262144"}},
    {"LongName", [](T &t) { t.weights[0].sources[0].name = std::string(600, 'x'); }, {"source name length is 600"}},
    {"ParametersTotal",
     [](T &t) { t.parametersTotal = t.parametersActive = 0; },
     {"parameters_total is 0, expected at least 824"}},
    {"SymbolOfAnother",
     [](T &t) { std::swap(t.kernels[0].symbols[0], t.kernels[1].symbols[0]); },
     {"kernels[0] 'embed' symbol is 'recur__x86_64_v3', expected 'embed__x86_64_v3'"}},
    {"SymbolTwice",
     [](T &t) { t.kernels.push_back(t.kernels[0]); },
     {"kernels[5] 'embed' symbol is 'embed__x86_64_v3' once more"}},
};
INSTANTIATE_TEST_SUITE_P(Bindings, PlanVerifyTest, testing::ValuesIn(kBindings),
                         [](const auto &i) { return i.param.what; });
INSTANTIATE_TEST_SUITE_P(Code, PlanVerifyTest, testing::ValuesIn(kCode), [](const auto &i) { return i.param.what; });

TEST(PlanVerifyMoreTest, WhatTheRuntimeDoesNotExecuteIsIncompatible) {
  auto verify = [](const PlanTables &tables) {
    const PlanImage image = std::move(*PlanImage::copy(tinyPlan(tables)));
    return verifyPlan(image).status();
  };
  PlanTables tables = tinyTables();
  EXPECT_TRUE(verify(tables).ok()) << verify(tables).text();
  tables.target = "metal";
  expectFailure(verify(tables), StatusCode::incompatible, {"target 'metal'"});
  tables = tinyTables();
  tables.ranks = 8;
  expectFailure(verify(tables), StatusCode::incompatible, {"8 ranks"});
  tables = tinyTables();
  tables.kernels[0].name = "embad";
  tables.kernels[0].symbols = {"embad__x86_64_v3", "embad__avx512"};
  expectFailure(verify(tables), StatusCode::integrity, {"'embad__x86_64_v3' is missing"});
}

TEST(PlanVerifyMoreTest, DescriptionsAreThoseOfTheCode) {
  auto verify = [](const PlanTables &tables) {
    const PlanImage image = std::move(*PlanImage::copy(tinyPlan(tables)));
    return verifyPlan(image).status();
  };
  PlanTables tables = tinyTables();
  tables.kernels[3].scratchBytes[1] = 0;
  expectFailure(verify(tables), StatusCode::integrity,
                {"MMC-E0305", "'attend__avx512' by 'scratch 0', expected 'scratch 128' as its code was compiled"});
  tables = tinyTables(); // a launch and its description may agree and still be wrong
  tables.kernels[4].domain[1].value = head(tables).domain[1].value = 4;
  expectFailure(verify(tables), StatusCode::integrity,
                {"'domain outputs 0 fixed 4', expected 'domain outputs 0 fixed 3'"});
  tables = tinyTables();
  tables.buffers[0].bytesPerToken = 16;
  for (Kernel &kernel : tables.kernels)
    for (Parameter &parameter : kernel.interface)
      if (parameter.kinds[0] == ArgumentKind::buffer) parameter.bytes = 16;
  expectFailure(verify(tables), StatusCode::integrity, {"16 bytes per token", "32 bytes per token"});
  // Taking the descriptions away does not take the checks away: the object tells.
  tables = tinyTables();
  undescribe(tables);
  EXPECT_TRUE(verify(tables).ok()) << verify(tables).text();
  auto withObject = [](const PlanTables &tables, bool records) {
    const std::vector<uint8_t> metadata = encodeTables(tables), constants = tinyConstants(),
                               object = tinyObject(records);
    const SegmentInput segments[] = {
        {SegmentKind::metadata, metadata}, {SegmentKind::constants, constants}, {SegmentKind::hostObject, object}};
    const PlanImage image = std::move(*PlanImage::copy(*buildPlanFile(segments)));
    return verifyPlan(image).status();
  };
  expectFailure(withObject(tables, true), StatusCode::integrity, {"has a record, expected none"});
  expectFailure(withObject(tinyTables(), false), StatusCode::integrity, {"has no record, expected one"});
}

TEST(PlanVerifyMoreTest, BuffersWhoseTimesDoNotMeetMayShareBytes) {
  PlanTables t = tinyTables();
  const std::vector<uint64_t> places = {64, 512, 8192};
  t.entryPoints[0].arenaBytes = 128;
  t.entryPoints[1].arenaBytes = 1024;
  t.entryPoints[2].arenaBytes = 1 << 16;
  embed(t).arguments[1] = {ArgumentKind::buffer, true, addBuffer(t, "early", places), 0};
  append(t).arguments[3] = {ArgumentKind::buffer, true, addBuffer(t, "inLayer", places), 0};
  const Status status = decodePlan(encodeTables(t), tinyConstants().size()).status();
  EXPECT_TRUE(status.ok()) << status.text();
}

TEST(PlanVerifyMoreTest, NamesThatCommandATerminalAreRefusedAndShownEscaped) {
  for (const auto &[name, shown] :
       std::vector<std::pair<std::string, std::string>>{{"a\x1b[2J", "a\\x1b[2J"},
                                                        {"b\nc", "b\\x0ac"},
                                                        {"\xff", "\\xff"},
                                                        {"\xc2\x9b", "\\xc2\\x9b"},
                                                        {"\xe2\x80\xae", "\\xe2\\x80\\xae"}}) {
    PlanTables tables = tinyTables();
    tables.kernels[1].name = name;
    const Status status = decodePlan(encodeTables(tables), tinyConstants().size()).status();
    expectFailure(status, StatusCode::integrity, {"'" + shown + "'", "UTF-8 without control characters"});
    tables = tinyTables();
    tables.model = "\xc3\xa9"; // letters beyond ASCII are fine
    EXPECT_TRUE(decodePlan(encodeTables(tables), tinyConstants().size()).ok());
  }
  EXPECT_EQ(Status(ErrorKind{1, StatusCode::failed, "h"}, "a\x07"
                                                          "b\nc")
                .message(),
            "a\\x07"
            "b\nc");
  EXPECT_EQ(printable("\xed\xa0\x80 \xf0\x9f\x98\x80"), "\\xed\\xa0\\x80 \xf0\x9f\x98\x80");
}

TEST(PlanVerifyMoreTest, DerivedFigures) {
  const Expected<PlanTables> tables = decodePlan(encodeTables(tinyTables()), tinyConstants().size());
  ASSERT_TRUE(tables.ok());
  EXPECT_EQ(tables->weightsBytes(), 48u * 8 * 4 + 3 * 64 + 2 * 128 + 48 * 8 * 4);
  EXPECT_EQ(tables->stateBytesPerSequence(), 3u * 32);
  EXPECT_EQ(tables->kvBytesPerToken(), 2u * 32);
  EXPECT_EQ(tables->arenaBytes(), 2048u);
  EXPECT_EQ(tables->layerOrdinals, (std::vector<uint32_t>{0, 0, 1, 1, 2}));
}

// The recurrence over sequences that prefill runs beside that over those that decode.
const Case kBranches[] = {
    {"Number", [](T &t) { recur(t).branch = 3; }, {"layers[0].commands[0] branch is 3, expected 0 to 2"}},
    {"SharedState",
     [](T &t) { t.kernels[1].interface[3].own = false; },
     {"layers[0].commands[1].arguments[3] 'state' on branch 2 is memory that 'recur' on branch 1 touches as 'state'"}},
    {"SharedRows",
     [](T &t) { t.kernels[1].interface[4].own = false; },
     {"arguments[4] 'hidden' on branch 2 is memory that 'recur' on branch 1 touches as 'hidden', and one of them "
      "writes"}},
    {"Undescribed",
     [](T &t) {
       undescribe(t);
       recur(t).branch = 2;
       decode(t).branch = 1;
     },
     {"'state' on branch 1", "expected branches apart"}},
    {"SameSequences",
     [](T &t) {
       decode(t).arguments[0].index = 0;
       decode(t).domain[0].value = 0;
     },
     {"'state' on branch 2 is memory"}},
    {"AllSequences",
     [](T &t) {
       t.kernels[1].interface[0].filters = 7;
       t.workLists[1].filter = WorkFilter::all;
     },
     {"'state' on branch 2 is memory"}},
    {"TwoLists",
     [](T &t) {
       Kernel &kernel = t.kernels[1];
       kernel.parameters.push_back("other");
       kernel.interface.push_back(kernel.interface[0]);
       for (Launch *launch : {&recur(t), &decode(t)}) launch->arguments.push_back(launch->arguments[0]);
     },
     {"'state' on branch 2 is memory"}},
    {"Crowd",
     [](T &t) {
       auto &commands = t.layerKinds[0].commands;
       commands.insert(commands.end(), 3, commands[0]);
     },
     {"layers[0].commands[4] neighbours on branches is 5, expected 1 to 4"}},
    {"SharedBytes",
     [](T &t) {
       // The prefilling half works on a buffer of its own, which lies where the other one does.
       t.buffers.push_back(t.buffers[0]);
       t.buffers[1].name = "other";
       for (EntryPoint &entry : t.entryPoints) entry.offsets.push_back(entry.offsets[0]);
       recur(t).arguments[4].index = 1;
     },
     {"arguments[4] 'hidden' on branch 2 is memory that 'recur' on branch 1 touches as 'hidden'"}},
};
INSTANTIATE_TEST_SUITE_P(Branches, PlanVerifyTest, testing::ValuesIn(kBranches),
                         [](const auto &i) { return i.param.what; });

TEST(PlanVerify, BranchesThatTouchOtherRowsOfTheSameMemory) {
  const PlanTables tables = tinyTables();
  auto decoded = decodePlan(encodeTables(tables), tinyConstants().size());
  ASSERT_TRUE(decoded.ok()) << decoded.status().text();
  EXPECT_EQ(decoded->layerKinds[0].commands[0].launch.branch, 1);
  EXPECT_EQ(decoded->layerKinds[0].commands[1].launch.branch, 2);
  EXPECT_TRUE(decoded->kernels[1].interface[3].own);
  EXPECT_FALSE(decoded->kernels[1].interface[2].own);
}

} // namespace

} // namespace mmc::test
