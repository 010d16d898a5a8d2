// Guarded memory, compilation, execution and comparison for the CPU target's tests.
#include "test/Target/CPU/KernelHarness.h"

#include "dialects/Tile/IR/Tile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mmc::test {

using interpreter::TileCounts;
using interpreter::TileInterpreter;

constexpr size_t kPage = 4096;

Guarded::Guarded(size_t bytes) : bytes(bytes) {
  mapped = (bytes + kPage - 1) / kPage * kPage + 2 * kPage;
  map = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto *first = static_cast<std::byte *>(map);
  mprotect(first, kPage, PROT_NONE);
  mprotect(first + mapped - kPage, kPage, PROT_NONE);
  begin = first + mapped - kPage - bytes;
}

Guarded::Guarded(const Guarded &other) {
  if (!other.map) return;
  Guarded copy(other.bytes);
  std::memcpy(copy.begin, other.begin, bytes = other.bytes);
  copy.bytes = other.bytes;
  swap(copy);
}

Guarded::~Guarded() {
  if (map) munmap(map, mapped);
}

static size_t sizeOf(Kind kind) { return kind == Kind::f64 ? 8 : kind == Kind::bf16 ? 2 : 4; }

static uint16_t toBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <typename T> static Argument make(Kind kind, const std::vector<T> &values) {
  Argument argument;
  argument.kind = kind;
  argument.memory = Guarded(values.size() * sizeof(T));
  std::memcpy(argument.memory.data(), values.data(), values.size() * sizeof(T));
  return argument;
}

Argument floats(const std::vector<float> &values) { return make(Kind::f32, values); }
Argument integers(const std::vector<int32_t> &values) { return make(Kind::i32, values); }

Argument bf16s(const std::vector<float> &values) {
  std::vector<uint16_t> bits(values.size());
  std::transform(values.begin(), values.end(), bits.begin(), toBf16);
  return make(Kind::bf16, bits);
}

Argument count(int64_t value) {
  Argument argument;
  argument.isCount = true;
  argument.count = value;
  return argument;
}

Argument written(Kind kind, size_t elements, size_t row) {
  Argument argument;
  argument.kind = kind;
  argument.memory = Guarded(elements * sizeOf(kind));
  std::memset(argument.memory.data(), 0x5a, argument.memory.size());
  argument.written = true;
  argument.row = row;
  return argument;
}

Argument updated(Argument argument, size_t row) {
  argument.written = true;
  argument.row = row;
  return argument;
}

std::vector<float> randomFloats(size_t count, unsigned seed, float scale) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float &value : values) value = scale * float(generator() / 2147483648.0 - 1.0);
  return values;
}

std::vector<float> panels(const std::vector<float> &matrix, size_t rows, size_t columns, size_t k) {
  size_t blocks = (columns + k - 1) / k, paddedRows = (rows + 63) / 64 * 64;
  std::vector<float> packed(paddedRows * blocks * k);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      packed[(((r / 64) * blocks + c / k) * 64 + r % 64) * k + c % k] = matrix[r * columns + c];
  return packed;
}

std::vector<float> valuesOf(const Argument &argument) {
  size_t n = argument.memory.size() / sizeOf(argument.kind);
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) {
    uint16_t half;
    if (argument.kind == Kind::bf16) {
      std::memcpy(&half, argument.memory.data() + 2 * i, 2);
      values[i] = std::bit_cast<float>(uint32_t(half) << 16);
    } else {
      std::memcpy(&values[i], argument.memory.data() + 4 * i, 4);
    }
  }
  return values;
}

struct CompiledModule::State {
  State() : context(registry()), handler(&context, [this](mlir::Diagnostic &d) { errors += d.str() + "\n"; }) {}

  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry result;
    tile::registerTileDialect(result);
    return result;
  }

  mlir::MLIRContext context;
  std::string errors;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  cpu::CpuObject object;
  void *library = nullptr;
};

CompiledModule::CompiledModule(const std::string &text, double) : state(std::make_unique<State>()) {
  State &s = *state;
  if (text.ends_with(".mlir"))
    s.module = mlir::parseSourceFile<mlir::ModuleOp>(MMC_SOURCE_DIR "/test/Inputs/tile/" + text, &s.context);
  else
    s.module = mlir::parseSourceString<mlir::ModuleOp>(text, &s.context);
  if (!s.module) throw std::runtime_error("cannot parse: " + s.errors);
  cpu::CpuOptions options;
  options.emulateAvx512 = true;
  std::string error;
  std::optional<cpu::CpuObject> object = cpu::compileCpu(*s.module, options, error);
  if (!object) throw std::runtime_error(error + "\n" + s.errors);
  s.object = std::move(*object);
  // Each library has a file of its own while it is loaded: under one name the loader would return the first again.
  int file = memfd_create("kernels", 0);
  if (write(file, s.object.elf.data(), s.object.elf.size()) != ssize_t(s.object.elf.size()))
    throw std::runtime_error("cannot write the object");
  std::string path = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file);
  s.library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!s.library) throw std::runtime_error(dlerror());
}

CompiledModule::~CompiledModule() = default;

const cpu::CpuObject &CompiledModule::object() const { return state->object; }

static std::vector<uint64_t> wordsOf(const std::vector<Argument> &arguments) {
  std::vector<uint64_t> words;
  for (const Argument &argument : arguments)
    words.push_back(argument.isCount ? uint64_t(argument.count) : reinterpret_cast<uint64_t>(argument.memory.data()));
  return words;
}

static std::optional<TileInterpreter> interpreterOf(mlir::ModuleOp module, const std::string &kernel) {
  auto op = module.lookupSymbol<tile::KernelOp>(kernel);
  if (!op) return std::nullopt;
  mlir::FailureOr<TileInterpreter> result = TileInterpreter::create(op);
  return mlir::succeeded(result) ? std::optional(*result) : std::nullopt;
}

void CompiledModule::run(const std::string &kernel, cpu::Variant variant, std::vector<Argument> &arguments,
                         const TileCounts &counts) {
  auto entry = std::find_if(state->object.kernels.begin(), state->object.kernels.end(),
                            [&](const cpu::CpuKernel &k) { return k.name == kernel && k.variant == variant; });
  ASSERT_NE(entry, state->object.kernels.end());
  using Function = void (*)(const void *, int64_t, int64_t, void *);
  auto function = reinterpret_cast<Function>(dlsym(state->library, entry->symbol.c_str()));
  ASSERT_NE(function, nullptr) << entry->symbol;
  std::optional<TileInterpreter> interpreter = interpreterOf(*state->module, kernel);
  ASSERT_TRUE(interpreter) << state->errors;
  int64_t points = 1;
  for (int64_t extent : interpreter->extents(counts)) points *= extent;
  std::vector<uint64_t> words = wordsOf(arguments);
  Guarded scratch(entry->scratchBytes);
  const int64_t ranges[] = {0, points / 3, points / 3, points - points / 4, points};
  for (int i = 0; i < 4; ++i) {
    std::memset(scratch.data(), 0xff, scratch.size());
    function(words.data(), ranges[i], ranges[i + 1], scratch.data());
  }
}

void CompiledModule::interpret(const std::string &kernel, std::vector<Argument> &arguments, const TileCounts &counts) {
  std::optional<TileInterpreter> interpreter = interpreterOf(*state->module, kernel);
  ASSERT_TRUE(interpreter) << state->errors;
  std::vector<uint64_t> words = wordsOf(arguments);
  ASSERT_TRUE(mlir::succeeded(interpreter->run(words, interpreter->extents(counts)))) << state->errors;
}

void compare(const Argument &actual, const Argument &expected, double tolerance) {
  if (actual.kind == Kind::i32) {
    EXPECT_EQ(std::memcmp(actual.memory.data(), expected.memory.data(), actual.memory.size()), 0) << "integers differ";
    return;
  }
  std::vector<float> a = valuesOf(actual), e = valuesOf(expected);
  for (size_t row = 0; row < a.size(); row += actual.row) {
    size_t end = std::min(a.size(), row + actual.row);
    double largest = 0;
    for (size_t i = row; i < end; ++i)
      if (std::isfinite(e[i])) largest = std::max(largest, std::abs(double(e[i])));
    for (size_t i = row; i < end; ++i) {
      if (std::isnan(e[i]) || std::isinf(e[i])) {
        ASSERT_TRUE(std::isnan(e[i]) ? std::isnan(a[i]) : a[i] == e[i])
            << "element " << i - row << " of row " << row / actual.row << ": " << a[i];
        continue;
      }
      ASSERT_LE(std::abs(double(a[i]) - e[i]), tolerance * largest)
          << "element " << i - row << " of row " << row / actual.row << ": " << a[i] << " against " << e[i];
    }
  }
}

void CompiledModule::check(const std::string &kernel, const std::vector<Argument> &arguments, const TileCounts &counts,
                           double tolerance) {
  std::vector<Argument> expected = arguments;
  interpret(kernel, expected, counts);
  for (cpu::Variant variant : cpu::allVariants()) {
    SCOPED_TRACE(kernel + " for " + cpu::variantName(variant));
    std::vector<Argument> actual = arguments;
    run(kernel, variant, actual, counts);
    for (size_t i = 0; i < actual.size(); ++i) {
      if (!actual[i].written) {
        EXPECT_TRUE(actual[i].isCount ||
                    !std::memcmp(actual[i].memory.data(), arguments[i].memory.data(), actual[i].memory.size()))
            << "argument " << i << " was changed";
        continue;
      }
      SCOPED_TRACE("argument " + std::to_string(i));
      compare(actual[i], expected[i], tolerance);
    }
  }
}

} // namespace mmc::test
