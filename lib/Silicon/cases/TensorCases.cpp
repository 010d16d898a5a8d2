// Cases of tensor copies: boxes in and out, with every rank, swizzle, element width and fill, inside of the tensor and
// over each of its borders.
#include "lib/Silicon/Numbers.h"

#include <cstring>
#include <functional>
#include <initializer_list>

namespace mmc::silicon {

namespace {

using cuda::TensorElement;
using cuda::TensorFill;
using cuda::TensorSwizzle;

constexpr uint32_t kHeader = 32; // words before the tensor

uint32_t bytesOf(TensorElement element) {
  switch (element) {
  case TensorElement::u8:
    return 1;
  case TensorElement::u16:
  case TensorElement::f16:
  case TensorElement::bf16:
    return 2;
  case TensorElement::u64:
  case TensorElement::s64:
  case TensorElement::f64:
    return 8;
  default:
    return 4;
  }
}

/// Bytes within which a swizzle exchanges chunks of 16.
uint32_t spanOf(TensorSwizzle swizzle) {
  return swizzle == TensorSwizzle::bytes128  ? 128
         : swizzle == TensorSwizzle::bytes64 ? 64
         : swizzle == TensorSwizzle::bytes32 ? 32
                                             : 16;
}
uint32_t swizzled(TensorSwizzle swizzle, uint32_t address) {
  const uint32_t chunks = spanOf(swizzle) / 16;
  return address ^ (address / 128 % chunks) * 16;
}

struct Box {
  TensorRequest tensor;
  std::vector<int32_t> at;

  size_t rank() const { return tensor.sizes.size(); }
  uint32_t count(size_t axis) const { return (tensor.box[axis] + tensor.traversal[axis] - 1) / tensor.traversal[axis]; }
  uint32_t bytes() const {
    uint32_t all = bytesOf(tensor.element);
    for (size_t axis = 0; axis < rank(); ++axis) all *= count(axis);
    return all;
  }
  /// Calls visit(byte in shared memory, byte in the tensor, inside) for each element of the box.
  void forEach(const std::function<void(uint32_t, uint64_t, bool)> &visit) const {
    const uint32_t size = bytesOf(tensor.element), elements = bytes() / size;
    for (uint32_t element = 0; element < elements; ++element) {
      uint64_t global = 0;
      bool inside = true;
      uint32_t rest = element;
      for (size_t axis = 0; axis < rank(); ++axis) {
        const int64_t coordinate = at[axis] + int64_t(rest % count(axis)) * tensor.traversal[axis];
        rest /= count(axis);
        inside = inside && coordinate >= 0 && coordinate < int64_t(tensor.sizes[axis]);
        global += uint64_t(coordinate) * (axis ? tensor.strides[axis - 1] : size);
      }
      visit(swizzled(tensor.swizzle, element * size), global, inside);
    }
  }
};

Box makeBox(TensorElement element, std::vector<uint64_t> sizes, std::vector<uint32_t> box, std::vector<int32_t> at) {
  Box made{{}, std::move(at)};
  made.tensor.element = element;
  // Rows are padded to 16 bytes and one chunk more, so that strides are not what sizes say.
  uint64_t stride = (sizes[0] * bytesOf(element) + 15) / 16 * 16 + 16;
  for (size_t axis = 1; axis < sizes.size(); ++axis) {
    made.tensor.strides.push_back(stride);
    stride *= sizes[axis];
  }
  made.tensor.sizes = std::move(sizes);
  made.tensor.traversal.assign(box.size(), 1);
  made.tensor.box = std::move(box);
  return made;
}

uint64_t bytesOfTensor(const Box &box) {
  const TensorRequest &t = box.tensor;
  return t.strides.empty() ? (t.sizes[0] * bytesOf(t.element) + 15) / 16 * 16 : t.strides.back() * t.sizes.back();
}

Case begin(const std::string &name, const std::string &kernel, const Box &box) {
  Case c;
  c.name = "tensor." + name;
  c.module = "silicon_tensor";
  c.kernel = kernel;
  c.threads = 64;
  c.sharedBytes = 17408;
  c.count = box.bytes() / 4;
  c.tensor = box.tensor;
  c.input.assign(kHeader, 0);
  for (size_t axis = 0; axis < box.rank(); ++axis) c.input[axis] = uint32_t(box.at[axis]);
  c.input[5] = box.bytes();
  return c;
}

void addIn(std::vector<Case> &cases, const std::string &name, const Box &box, uint64_t filling = 0,
           const char *kernel = nullptr) {
  Case c = begin(name, kernel ? kernel : "boxIn" + std::to_string(box.rank()), box);
  c.tensor->firstWord = kHeader;
  const Words tensor = Random(c.name).words(bytesOfTensor(box) / 4);
  c.input.insert(c.input.end(), tensor.begin(), tensor.end());
  c.words.assign(c.count, kUntouched);
  const uint32_t size = bytesOf(box.tensor.element);
  box.forEach([&](uint32_t shared, uint64_t global, bool inside) {
    const void *from = inside ? reinterpret_cast<const uint8_t *>(tensor.data()) + global
                              : reinterpret_cast<const uint8_t *>(&filling);
    std::memcpy(reinterpret_cast<uint8_t *>(c.words.data()) + shared, from, size);
  });
  c.initial.assign(c.count, kUntouched);
  cases.push_back(std::move(c));
}

using Combine = std::function<void(uint8_t *to, const uint8_t *value)>;
/// `lastChunk`: what lies behind the end of a row in its last chunk of 16 bytes is written too, as far as the box goes.
void addOut(std::vector<Case> &cases, const std::string &name, const Box &box, bool lastChunk = false,
            const Combine &combine = {}, const Words &initial = {}) {
  Case c = begin(name, (combine ? "boxAdd" : "boxOut") + std::to_string(box.rank()), box);
  c.tensor->ofOutput = true;
  c.supposed = lastChunk;
  Words source = Random(c.name).words(c.count);
  if (combine && box.tensor.element == TensorElement::f32)
    for (uint32_t &word : source) word = bitsOf(float(int32_t(word) >> 20));
  c.input.insert(c.input.end(), source.begin(), source.end());
  c.initial = initial.empty() ? Words(bytesOfTensor(box) / 4, kUntouched) : initial;
  c.words = c.initial;
  const uint32_t size = bytesOf(box.tensor.element);
  const uint64_t row = box.tensor.sizes[0] * size, end = (row + 15) / 16 * 16;
  box.forEach([&](uint32_t shared, uint64_t global, bool inside) {
    const uint64_t pitch = box.rank() > 1 ? box.tensor.strides[0] : ~uint64_t(0);
    const bool behind = lastChunk && global < 4 * c.words.size() && global % pitch >= row && global % pitch < end;
    if (!inside && !behind) return;
    auto *to = reinterpret_cast<uint8_t *>(c.words.data()) + global;
    const uint8_t *from = reinterpret_cast<const uint8_t *>(source.data()) + shared;
    combine ? combine(to, from) : void(std::memcpy(to, from, size));
  });
  cases.push_back(std::move(c));
}

void addRanks(std::vector<Case> &cases) {
  addIn(cases, "in1", makeBox(TensorElement::u32, {100}, {64}, {20}));
  addIn(cases, "in1OverTheEnd", makeBox(TensorElement::u32, {100}, {64}, {60}));
  addIn(cases, "in3", makeBox(TensorElement::u32, {20, 9, 5}, {8, 4, 3}, {4, 2, 1}));
  addIn(cases, "in3OverCorners", makeBox(TensorElement::u32, {20, 9, 5}, {8, 4, 3}, {-3, 7, 3}));
  addIn(cases, "in4", makeBox(TensorElement::u16, {24, 5, 4, 3}, {16, 2, 3, 2}, {3, -1, 2, 1}));
  addIn(cases, "in5", makeBox(TensorElement::u8, {40, 3, 4, 3, 2}, {32, 2, 2, 2, 2}, {5, 1, 3, -1, 0}));
  addIn(cases, "inWithPolicy", makeBox(TensorElement::u32, {40, 9}, {16, 4}, {8, 3}), 0, "boxInFirst");
  Box steps = makeBox(TensorElement::u32, {64, 20}, {16, 12}, {6, 3});
  steps.tensor.traversal = {1, 3};
  addIn(cases, "inEveryThirdRow", steps);
  cases.back().supposed = true; // where the steps begin
}

/// Rows that fill the swizzle's span, inside, over each border, and wholly outside.
void addSwizzles(std::vector<Case> &cases) {
  const struct {
    const char *name;
    TensorSwizzle swizzle;
    uint32_t columns;
  } swizzles[] = {{"None", TensorSwizzle::none, 32},
                  {"32", TensorSwizzle::bytes32, 16},
                  {"64", TensorSwizzle::bytes64, 32},
                  {"128", TensorSwizzle::bytes128, 64}};
  for (const auto &s : swizzles) {
    const int32_t last = 200 - int32_t(s.columns);
    const struct {
      const char *name;
      int32_t column, row;
    } places[] = {{"Inside", 24, 5}, {"OverTheStart", -5, -3}, {"OverTheEnd", last + 11, 30}, {"Outside", 3, 500}};
    for (const auto &p : places) {
      Box box = makeBox(TensorElement::bf16, {200, 40}, {s.columns, 24}, {p.column, p.row});
      box.tensor.swizzle = s.swizzle;
      addIn(cases, std::string("inSwizzle") + s.name + p.name, box);
    }
    Box out = makeBox(TensorElement::bf16, {200, 40}, {s.columns, 24}, {last + 8, 30});
    out.tensor.swizzle = s.swizzle;
    addOut(cases, std::string("outSwizzle") + s.name + "OverTheEnd", out);
  }
}

void addFills(std::vector<Case> &cases) {
  const struct {
    const char *name;
    TensorElement element;
    uint64_t nan;
  } fills[] = {{"Bf16", TensorElement::bf16, 0x7fff},
               {"F16", TensorElement::f16, 0x7fff},
               {"F32", TensorElement::f32, 0x7fffffff}};
  for (const auto &f : fills) {
    Box box = makeBox(f.element, {40, 9}, {16, 8}, {30, 4});
    box.tensor.fill = TensorFill::nan;
    addIn(cases, std::string("inFillNaN") + f.name, box, f.nan);
    cases.back().supposed = true; // which NaN
  }
}

void addStores(std::vector<Case> &cases) {
  addOut(cases, "out1", makeBox(TensorElement::u32, {100}, {64}, {20}));
  addOut(cases, "out2", makeBox(TensorElement::u32, {40, 9}, {16, 4}, {8, 3}));
  addOut(cases, "out3", makeBox(TensorElement::u32, {20, 9, 5}, {8, 4, 3}, {4, 7, 3}));
  addOut(cases, "out4", makeBox(TensorElement::u16, {24, 5, 4, 3}, {16, 2, 3, 2}, {16, 4, 2, 1}));
  addOut(cases, "out5", makeBox(TensorElement::u8, {48, 3, 4, 3, 2}, {32, 2, 2, 2, 2}, {16, 1, 3, 1, 0}));
  addOut(cases, "outOverAnUnevenRow", makeBox(TensorElement::bf16, {45, 9}, {16, 8}, {32, 3}), true);

  const Box words = makeBox(TensorElement::u32, {40, 9}, {16, 8}, {32, 3});
  const Words before = Random("tensor.addU32.before").words(bytesOfTensor(words) / 4);
  addOut(
      cases, "addU32", words, false,
      [](uint8_t *to, const uint8_t *value) {
        uint32_t a, b;
        std::memcpy(&a, to, 4);
        std::memcpy(&b, value, 4);
        a += b;
        std::memcpy(to, &a, 4);
      },
      before);
  const Box floats = makeBox(TensorElement::f32, {40, 9}, {16, 8}, {20, 3});
  Words halves(bytesOfTensor(floats) / 4);
  for (uint32_t i = 0; i < halves.size(); ++i) halves[i] = bitsOf(float(i) + 0.5f);
  addOut(
      cases, "addF32", floats, false,
      [](uint8_t *to, const uint8_t *value) {
        float a, b;
        std::memcpy(&a, to, 4);
        std::memcpy(&b, value, 4);
        a += b;
        std::memcpy(to, &a, 4);
      },
      halves);
}

/// Two blocks, each loading one row further down for both.
void addMulticast(std::vector<Case> &cases) {
  const Box first = makeBox(TensorElement::u32, {40, 9}, {16, 4}, {8, 3});
  Box second = first;
  ++second.at[1];
  std::vector<Case> parts;
  addIn(parts, "inMulticast", first, 0, "boxInMulticast");
  Case c = std::move(parts[0]);
  const auto *tensor = reinterpret_cast<const uint8_t *>(c.input.data() + kHeader);
  Words boxes(2 * c.count);
  for (const Box *box : std::initializer_list<const Box *>{&first, &second})
    box->forEach([&](uint32_t shared, uint64_t global, bool) {
      auto *to = reinterpret_cast<uint8_t *>(boxes.data() + (box == &second ? c.count : 0));
      std::memcpy(to + shared, tensor + global, 4);
    });
  c.blocks = 2;
  c.words = boxes;
  c.words.insert(c.words.end(), boxes.begin(), boxes.end());
  c.initial.assign(c.words.size(), kUntouched);
  cases.push_back(std::move(c));
}

} // namespace

void addTensorCases(std::vector<Case> &cases) {
  addRanks(cases);
  addSwizzles(cases);
  addFills(cases);
  addStores(cases);
  addMulticast(cases);
  // Where rows shorter than the swizzle's span go, nobody says.
  Box narrow = makeBox(TensorElement::bf16, {200, 40}, {32, 24}, {24, 5});
  narrow.tensor.swizzle = TensorSwizzle::bytes128;
  addIn(cases, "inNarrowRowsUnderSwizzle128", narrow);
  cases.back().comparison = Comparison::recorded;
  cases.back().words.clear();
}

} // namespace mmc::silicon
