// Steps the model interpreter. float64 and float32 run the description as it is; bfloat16 runs it after
// AssignPrecision, casts as written.
#include "lib/Driver/ReferenceEngine.h"

#include "dialects/Model/IR/Model.h"
#include "lib/Driver/ModelModule.h"
#include "lib/Interpreter/ModelInterpreter.h"

namespace mmc::driver {

namespace {

using interpreter::ModelInterpreter;
using interpreter::ModelPrecision;

class ReferenceEngine final : public Engine {
public:
  Status load(const ReferenceOptions &options);
  Status restart() override;
  Expected<std::span<const float>> step(std::span<const int32_t> tokens, Rows rows) override;

private:
  void readFacts(const ReferenceOptions &options);
  Status findPadding();

  std::unique_ptr<ModelModule> module;
  std::shared_ptr<const interpreter::WeightSource> weights;
  std::unique_ptr<ModelInterpreter> interpreter;
  std::optional<uint64_t> sequence;
  std::vector<float> logits;
};

/// Limits and stop tokens as the description has them.
void ReferenceEngine::readFacts(const ReferenceOptions &options) {
  model::ProgramOp program = module->program();
  facts.target = "reference";
  facts.dtype = options.dtype.empty() ? "float64" : options.dtype;
  facts.maxModelLen = INT32_MAX;
  if (auto limit = program->getAttrOfType<mlir::IntegerAttr>("max_position"))
    facts.maxModelLen = uint64_t(limit.getInt());
  if (options.maxModelLen) facts.maxModelLen = std::min(facts.maxModelLen, options.maxModelLen);
  facts.maxStepTokens = 512;
  if (auto stops = program->getAttrOfType<mlir::DenseI32ArrayAttr>("stop_tokens"))
    facts.stopTokens.assign(stops.asArrayRef().begin(), stops.asArrayRef().end());
  if (auto main = program.lookupSymbol<model::FuncOp>("main"))
    facts.vocabulary = uint32_t(llvm::cast<mlir::RankedTensorType>(main.getResultTypes().front()).getDimSize(1));
}

/// Ids whose embedding row is all zero.
Status ReferenceEngine::findPadding() {
  model::WeightOp table;
  module->program().walk(
      [&](model::EmbeddingOp embedding) { table = embedding.getTable().getDefiningOp<model::WeightOp>(); });
  if (!table) return {};
  llvm::ArrayRef<int64_t> shape = llvm::cast<mlir::RankedTensorType>(table.getType()).getShape();
  auto values = weights->read(table.getName().str(), {shape.data(), shape.size()});
  MMC_RETURN_IF_ERROR(values.status());
  const size_t width = size_t(shape[1]);
  for (size_t id = 0; id < size_t(shape[0]) && id < facts.vocabulary; ++id) {
    const std::span<const double> row(values->data() + id * width, width);
    if (llvm::all_of(row, [](double value) { return value == 0; })) facts.suppressed.push_back(int32_t(id));
  }
  return {};
}

Status ReferenceEngine::load(const ReferenceOptions &options) {
  auto read = ModelModule::read(options.model);
  MMC_RETURN_IF_ERROR(read.status());
  module = std::move(*read);
  readFacts(options);
  if (facts.dtype == "bfloat16") MMC_RETURN_IF_ERROR(module->assignPrecision(facts.dtype));
  if (options.weights.random) {
    weights = interpreter::makeRandomWeights(options.weights.seed);
  } else {
    auto opened = interpreter::openCheckpointWeights(options.weights.folder);
    MMC_RETURN_IF_ERROR(opened.status());
    weights = std::move(*opened);
  }
  MMC_RETURN_IF_ERROR(findPadding());
  const ModelPrecision precision = facts.dtype == "float64" ? ModelPrecision::float64 : ModelPrecision::float32;
  auto created = ModelInterpreter::create(module->program(), weights, precision);
  MMC_RETURN_IF_ERROR(created.status());
  interpreter = std::move(*created);
  return restart();
}

Status ReferenceEngine::restart() {
  if (sequence) interpreter->removeSequence(*sequence);
  sequence = interpreter->addSequence();
  return {};
}

Expected<std::span<const float>> ReferenceEngine::step(std::span<const int32_t> tokens, Rows rows) {
  interpreter::SequenceInput input{*sequence, {tokens.begin(), tokens.end()}, {}};
  const int64_t count = int64_t(tokens.size());
  for (int64_t row = rows == Rows::all ? 0 : count - 1; row < count && rows != Rows::none; ++row)
    input.outputs.push_back(row);
  auto stepped = interpreter->step({&input, 1});
  MMC_RETURN_IF_ERROR(stepped.status());
  logits.assign(stepped->values.begin(), stepped->values.end());
  return std::span<const float>(logits);
}

} // namespace

Expected<std::unique_ptr<Engine>> makeReferenceEngine(const ReferenceOptions &options) {
  auto engine = std::make_unique<ReferenceEngine>();
  MMC_RETURN_IF_ERROR(engine->load(options));
  return std::unique_ptr<Engine>(std::move(engine));
}

} // namespace mmc::driver
