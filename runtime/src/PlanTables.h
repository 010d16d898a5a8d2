// A plan's metadata, decoded: plain structs and vectors, the form in which the runtime executes it and tools show it.
//
// decodePlan is the only way to get one from a file. It checks every ordinal, offset, size, enumerator, alignment and
// count while it copies, so whoever holds a PlanTables may index without looking: `kernels[launch.kernel]`,
// `weights[argument.index]` and so on are in range, sizes do not wrap, buffers lie inside the arena of every entry
// point. FlatBuffers is not touched after decoding.
#pragma once

#include "runtime/src/Layout.h"
#include "runtime/src/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mmc::runtime {

/// A slice [begin, end) of one dimension of a checkpoint tensor.
struct DimensionSlice {
  uint32_t dimension;
  uint64_t begin, end;
};

/// A checkpoint tensor, or one per layer and expert where the name says {layer} or {expert}.
struct WeightSource {
  std::string name;
  std::vector<uint64_t> shape; // in the checkpoint
  std::vector<DimensionSlice> slices;
  /// The shape after slicing.
  std::vector<uint64_t> slicedShape() const;
};

/// A tensor that kernels read: sources sliced, concatenated on dimension 0, converted, laid out; experts stacked in
/// front.
struct Weight {
  std::vector<WeightSource> sources;
  bool perLayer = false;        // the names have {layer}
  std::vector<uint32_t> layers; // the layers that have it, ascending, where perLayer
  uint32_t experts = 0;         // 0: the names have no {expert}
  std::vector<uint64_t> shape;  // of one expert's (or the only) tensor
  Layout layout;
  uint64_t expertBytes = 0, bytes = 0; // of one expert, of one instance
  float randomMean = 0, randomScale = 0;
  std::string nextElse; // where given: a layer has the tensor of the layer that follows, the last one this tensor

  uint64_t instances() const { return perLayer ? layers.size() : 1; }
  uint64_t expertCount() const { return experts ? experts : 1; }
};

struct Constant {
  std::string name;
  DType dtype;
  std::vector<uint64_t> shape;
  uint64_t offset, bytes, layerBytes;
};

enum class PoolKind : uint8_t { slots = 0, pages = 1 };

struct Pool {
  std::string name;
  PoolKind kind;
  DType dtype;
  std::vector<uint64_t> shape;
  uint64_t unitBytes;
  uint32_t layers;
};

struct Buffer {
  std::string name;
  DType dtype;
  uint64_t bytesPerToken, bytesPerSequence, bytesPerOutput, bytesFixed;
};

enum class WorkFilter : uint8_t { all = 0, prefill = 1, decode = 2 };

struct WorkList {
  WorkFilter filter;
  uint32_t tileRows;
};

/// A record of a work list, as kernels read it.
struct WorkRecord {
  int32_t slot, firstRow, rows, position;
};
static_assert(sizeof(WorkRecord) == 16);

enum class ArgumentKind : uint8_t {
  buffer,
  weight,
  constant,
  pool,
  pageTable,
  tokenIds,
  rowPositions,
  rowSlots,
  outputRows,
  workList,
  logits,
  tokenCount,
  outputCount,
  sequenceCount,
  workCount,
  immediate
};
const char *argumentKindName(ArgumentKind kind);

struct Argument {
  ArgumentKind kind;
  bool written;
  uint32_t index;
  uint64_t offset;
};

enum class ExtentKind : uint8_t { fixed, tokens, outputs, sequences, work };

struct Extent {
  ExtentKind kind;
  uint64_t value;
};

inline constexpr size_t kMaxRank = 8;            // dimensions of tensors
inline constexpr size_t kMaxDomainRank = 4;      // dimensions of a work domain
inline constexpr size_t kMaxArguments = 64;      // words of an argument record
inline constexpr uint32_t kMaxLayers = 1u << 16; // of a stack
inline constexpr uint8_t kMostBranches = 2;      // of launches beside each other

struct Launch {
  uint32_t kernel;
  uint32_t grain;
  std::vector<Argument> arguments;
  std::vector<Extent> domain;
  uint8_t branch = 0; // 0: alone; others may run at the same time as neighbours of another branch
};

/// A launch, or the stack of layers.
struct Command {
  bool isStack = false;
  Launch launch;
};

struct Program {
  std::string name;
  std::vector<Command> commands;
};

enum class Rows : uint8_t { none, tokens, outputs, sequences };

/// What a word of a kernel's argument record must be.
struct Parameter {
  std::vector<ArgumentKind> kinds; // that a launch may bind, ascending
  bool read = false, written = false;
  DType dtype = DType::i32; // of the elements that a pointer points to
  Rows rows = Rows::none;
  uint64_t bytes = 0;          // memory that the kernel reaches: per row, or in all (of one unit of a pool)
  std::vector<uint64_t> shape; // weights: experts first
  uint32_t panelN = 0, panelK = 0, padN = 0;
  uint32_t pageTokens = 0, pagesPerSequence = 0; // 0: no pages
  uint8_t filters = 0;                           // work lists: bit f stands for WorkFilter f
  uint32_t tileRows = 0;
  bool own = false; // a point touches only rows, slots or pages of its record in the kernel's one work list
};

/// The family of kernels that every architecture runs.
inline constexpr const char *kPortableFamily = "portable";

/// A tensor map that a kernel gets: what the driver is to encode for the memory behind an argument word. Axes are
/// slowest first.
struct TensorMapRecord {
  uint32_t argument = 0; // word of the argument record
  DType dtype = DType::bf16;
  uint64_t offset = 0;           // bytes from where the word points to the first element
  std::vector<uint64_t> sizes;   // elements; the first may be 0: as many as the memory behind the word holds
  std::vector<uint64_t> strides; // bytes; of all axes but the last, whose elements lie side by side
  std::vector<uint32_t> box;     // elements that a copy moves
  uint32_t swizzle = 0;          // bytes: 0, 32, 64 or 128

  /// From the first element of a row (of one index along the first axis) to behind its last one.
  uint64_t rowBytes() const;
};
inline constexpr size_t kMaxTensorMaps = 8, kMaxTensorMapRank = 5;
/// The required feature of plans whose functions have them.
inline constexpr const char *kFeatureTensorMaps = "tensor-maps";

/// How a kernel is launched in one variant of a plan for CUDA.
struct DeviceFunction {
  uint32_t image = 0, threads = 0, sharedBytes = 0;
  Rows dealtRows = Rows::none; // what the loop that blocks along y share goes over
  uint32_t dealtStep = 0;      // rows of one iteration
  std::string family = kPortableFamily;
  std::vector<TensorMapRecord> maps; // behind the other parameters
};

/// What a CUDA driver loads as one module: a range of the segment of images.
struct DeviceImage {
  uint32_t variant = 0;
  uint64_t offset = 0, bytes = 0;
};

struct Kernel {
  std::string name;
  std::vector<std::string> symbols;    // per variant
  std::vector<uint64_t> scratchBytes;  // per variant; target cpu
  std::vector<std::string> parameters; // names of the argument words
  uint32_t domainRank;
  std::vector<Parameter> interface; // per argument word
  std::vector<Extent> domain;       // as compiled; work: `value` is an argument word
  /// Plans of before this description have none: their launches are checked against plan and session only.
  bool described = false;
  std::vector<DeviceFunction> functions; // per variant; targets cuda and cuda-emu
};

/// `NAME__VARIANT`, the variant with underscores for hyphens: what a kernel's function is called.
std::string kernelSymbol(const std::string &kernel, const std::string &variant);
/// `NAME__VARIANT__record`: a constant of the host object with kernelRecord's text, where the kernel is described.
inline constexpr const char *kRecordSuffix = "__record";
/// What the code of a kernel relies on, in lines: the compiler puts it beside the function, the loader compares it with
/// the plan.
std::string kernelRecord(const Kernel &kernel, uint64_t scratchBytes);
const char *rowsName(Rows rows);

struct EntryPoint {
  uint32_t tokens, sequences;
  uint64_t context;
  uint32_t outputs;
  uint64_t arenaBytes;
  std::vector<uint64_t> offsets; // per buffer
};

/// Names in required_features that this runtime knows.
inline constexpr const char *kFeatureNextLayerWeights = "next-layer-weights";

inline constexpr const char *kTargetCpu = "cpu", *kTargetCuda = "cuda", *kTargetEmulation = "cuda-emu";

struct PlanTables {
  std::string producer, model, target;
  DType dtype = DType::f32;
  uint32_t ranks = 1;
  std::vector<std::string> requiredFeatures;
  uint64_t parametersTotal = 0, parametersActive = 0;
  uint32_t vocabulary = 0;
  uint64_t maxModelLen = 0;
  uint32_t maxNumSeqs = 0, maxNumBatchedTokens = 0, recurrenceBlock = 0, pageTokens = 0, pagesPerSequence = 0,
           layerCount = 0;
  std::vector<Weight> weights;
  std::vector<Constant> constants;
  std::vector<Pool> pools;
  std::vector<Buffer> buffers;
  std::vector<WorkList> workLists;
  std::vector<std::string> variants;
  std::vector<DeviceImage> deviceImages; // targets cuda and cuda-emu
  std::vector<Kernel> kernels;
  std::vector<Program> layerKinds;
  Program body, head;
  std::vector<uint8_t> stack;          // per layer: its kind; empty without a stack
  std::vector<uint32_t> layerOrdinals; // per layer: how many earlier layers are of its kind
  std::vector<EntryPoint> entryPoints;
  uint32_t embeddingWeight = 0;
  std::vector<int32_t> stopTokens;

  /// Whether kernels are launched by a CUDA driver, the real or the emulated one.
  bool onDevice() const { return target == kTargetCuda || target == kTargetEmulation; }
  /// Memory of all weights, of one sequence's state, and of one position's KV over all layers.
  uint64_t weightsBytes() const;
  uint64_t stateBytesPerSequence() const;
  uint64_t kvBytesPerToken() const;
  /// The checkpoint's name of what an instance of a weight reads from `source`, for one of its experts.
  std::string tensorName(const Weight &weight, const WeightSource &source, uint64_t instance, uint64_t expert) const;
  /// Arena of the largest entry point.
  uint64_t arenaBytes() const;
};

/// Bytes of a buffer in an entry point; the inputs were checked not to wrap.
uint64_t bufferBytes(const Buffer &buffer, const EntryPoint &entry);

/// Decodes and verifies the metadata segment of a plan. The sizes of the segments of constants and of device images
/// bound what the tables may refer to. Time and memory are bounded by a small multiple of the segment's size, whatever
/// its content.
Expected<PlanTables> decodePlan(std::span<const uint8_t> metadata, uint64_t constantsBytes, uint64_t imagesBytes = 0);

} // namespace mmc::runtime
