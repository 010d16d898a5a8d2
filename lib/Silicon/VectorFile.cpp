// Implements files of vectors.
#include "lib/Silicon/VectorFile.h"

#include "runtime/src/FileIO.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace mmc::silicon {

using runtime::Expected;
using runtime::Status;

namespace {

constexpr const char *kTitle = "mmc silicon vectors 1";

std::span<const uint8_t> bytesOf(const Words &words) {
  return {reinterpret_cast<const uint8_t *>(words.data()), words.size() * 4};
}

std::string headOf(const VectorFile &file) {
  std::ostringstream head;
  head << kTitle << "\ndevice " << file.device.name << "\ncapability " << file.device.major << "." << file.device.minor
       << "\ndriver " << file.device.driverVersion << "\n";
  for (const Vector &vector : file.vectors)
    head << "case " << vector.name << " " << vector.output.size() << " words inputs " << vector.inputs << "\n";
  return head.str();
}

std::string digestOf(const VectorFile &file) {
  runtime::DigestStream stream;
  stream.update(headOf(file));
  for (const Vector &vector : file.vectors) stream.update(bytesOf(vector.output));
  return runtime::toHex(stream.finish());
}

Status damaged(const std::string &path, const std::string &what) {
  return Status(kVectorFile, "'" + path + "' is no file of vectors that this program reads: " + what);
}

} // namespace

const Vector *VectorFile::find(const std::string &name) const {
  for (const Vector &vector : vectors)
    if (vector.name == name) return &vector;
  return nullptr;
}

std::string digestOfInputs(const Case &c) {
  runtime::DigestStream stream;
  std::ostringstream text;
  text << c.kernel << " " << c.blocks << " " << c.threads << " " << c.sharedBytes << " " << c.count;
  if (const auto &t = c.tensor) {
    text << " map " << t->ofOutput << " " << t->firstWord << " " << unsigned(t->element) << " " << unsigned(t->swizzle)
         << " " << unsigned(t->fill);
    for (uint64_t size : t->sizes) text << " " << size;
    for (uint64_t stride : t->strides) text << " " << stride;
    for (uint32_t box : t->box) text << " " << box;
    for (uint32_t step : t->traversal) text << " " << step;
  }
  stream.update(text.str());
  stream.update(bytesOf(c.input));
  stream.update(bytesOf(c.initial));
  return runtime::toHex(stream.finish());
}

Status writeVectors(const std::string &path, const VectorFile &file) {
  Expected<runtime::OutputFile> out = runtime::OutputFile::create(path);
  if (!out.ok()) return out.status();
  const std::string head = headOf(file) + "digest " + digestOf(file) + "\n";
  MMC_RETURN_IF_ERROR(out->write({reinterpret_cast<const uint8_t *>(head.data()), head.size()}));
  for (const Vector &vector : file.vectors) MMC_RETURN_IF_ERROR(out->write(bytesOf(vector.output)));
  return out->commit();
}

Expected<VectorFile> readVectors(const std::string &path) {
  Expected<runtime::InputFile> in = runtime::InputFile::open(path);
  if (!in.ok()) return in.status();
  std::string all(in->size(), '\0');
  MMC_RETURN_IF_ERROR(in->readAt(0, {reinterpret_cast<uint8_t *>(all.data()), all.size()}));
  VectorFile file;
  std::string digest;
  size_t at = 0, declared = 0; // words of all cases
  for (bool first = true; digest.empty(); first = false) {
    const size_t end = all.find('\n', at);
    if (end == std::string::npos) return damaged(path, "its lines end without a digest");
    const std::string line = all.substr(at, end - at);
    at = end + 1;
    if (first && line != kTitle) return damaged(path, "it begins with '" + line + "', expected '" + kTitle + "'");
    if (first) continue;
    std::istringstream words(line);
    std::string key, skip;
    words >> key;
    if (key == "device") {
      file.device.name = line.substr(std::min<size_t>(7, line.size()));
    } else if (key == "capability") {
      words >> file.device.major;
      words.ignore(1);
      words >> file.device.minor;
    } else if (key == "driver") {
      words >> file.device.driverVersion;
    } else if (key == "digest") {
      words >> digest;
    } else if (key == "case") {
      Vector vector;
      size_t count = 0;
      words >> vector.name >> count >> skip >> skip >> vector.inputs;
      declared += count;
      if (count > all.size() / 4 || declared > all.size() / 4)
        return damaged(path, "with case " + vector.name + " it is longer than the file");
      vector.output.resize(count);
      file.vectors.push_back(std::move(vector));
    }
    if (words.fail()) return damaged(path, "it has the line '" + line + "'");
  }
  for (Vector &vector : file.vectors) {
    const size_t bytes = vector.output.size() * 4;
    if (all.size() - at < bytes) return damaged(path, "it ends within case " + vector.name);
    std::memcpy(vector.output.data(), all.data() + at, bytes);
    at += bytes;
  }
  if (at != all.size()) return damaged(path, "it goes on after its last case");
  if (digestOf(file) != digest) return damaged(path, "its digest is another");
  return file;
}

} // namespace mmc::silicon
