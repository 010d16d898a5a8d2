// Parses JSON from a range of a file as it streams in, through a handler, so that a large text costs no memory of its
// own.
//
// A handler derives from JsonHandler and overrides what it accepts; everything else is refused with `failure`, which it
// may set to say why. Depth is the handler's to bound: the parser itself keeps one bit per level, and stops when the
// handler returns false.
#pragma once

#include "runtime/src/FileIO.h"

#include <nlohmann/json.hpp>

#include <cstring>
#include <iterator>
#include <string>
#include <vector>

namespace mmc::runtime {

/// Refuses everything. The functions' names are those that nlohmann's SAX interface asks for.
class JsonHandler {
public:
  using string_t = std::string;
  using number_integer_t = int64_t;
  using number_unsigned_t = uint64_t;
  using number_float_t = double;
  using binary_t = nlohmann::json::binary_t;

  /// Why the text was refused; empty while it was not.
  std::string failure;

  virtual ~JsonHandler() = default;
  virtual bool null() { return refuse("null"); }
  virtual bool boolean(bool) { return refuse("a boolean"); }
  virtual bool number_integer(int64_t value) { return refuse("the negative number " + std::to_string(value)); }
  virtual bool number_unsigned(uint64_t value) { return refuse("the number " + std::to_string(value)); }
  virtual bool number_float(double, const std::string &text) { return refuse("the number " + text.substr(0, 60)); }
  virtual bool string(std::string &) { return refuse("a string"); }
  virtual bool start_object(std::size_t) { return refuse("an object"); }
  virtual bool key(std::string &) { return refuse("a key"); }
  virtual bool end_object() { return true; }
  virtual bool start_array(std::size_t) { return refuse("an array"); }
  virtual bool end_array() { return true; }
  bool binary(binary_t &) { return refuse("binary"); }
  bool parse_error(std::size_t position, const std::string &, const nlohmann::json::exception &) {
    return fail("is not valid JSON at byte " + std::to_string(position));
  }

protected:
  bool fail(std::string why) {
    if (failure.empty()) failure = std::move(why);
    return false;
  }
  /// What the value that is refused stands for; handlers refine it.
  virtual std::string place() const { return "here"; }
  bool refuse(const std::string &what) { return fail("has " + what + " at " + place()); }
};

/// Reads a range of a file byte by byte through a small buffer; a read error looks like the end and is kept in
/// `status`.
class ByteStream {
public:
  ByteStream(const InputFile &file, uint64_t begin, uint64_t end)
      : file(file), position(begin), end(end), buffer(1 << 16) {
    fill();
  }
  bool atEnd() const { return next == filled; }
  char current() const { return char(buffer[next]); }
  void advance() {
    if (++next == filled) fill();
  }
  Status status;
  /// One more than the place of the first zero byte; 0: none.
  uint64_t zeroAt = 0;

private:
  void fill() {
    next = filled = 0;
    const size_t count = size_t(std::min<uint64_t>(buffer.size(), end - position));
    if (!count || !status.ok()) return;
    status = file.readAt(position, {buffer.data(), count});
    if (!status.ok()) return;
    // The parser takes a zero byte for the end of its input and would accept anything behind it.
    if (const void *zero = std::memchr(buffer.data(), 0, count); zero && !zeroAt)
      zeroAt = position + uint64_t(static_cast<const uint8_t *>(zero) - buffer.data()) + 1;
    filled = count;
    position += count;
  }

  const InputFile &file;
  uint64_t position, end;
  std::vector<uint8_t> buffer;
  size_t next = 0, filled = 0;
};

/// The iterator that nlohmann's parser takes; null stands for the end.
class ByteIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char *;
  using reference = char;
  ByteIterator() = default;
  explicit ByteIterator(ByteStream *stream) : stream(stream) {}
  char operator*() const { return stream->current(); }
  ByteIterator &operator++() {
    stream->advance();
    return *this;
  }
  bool operator==(const ByteIterator &other) const { return ended() == other.ended(); }
  bool operator!=(const ByteIterator &other) const { return !(*this == other); }

private:
  bool ended() const { return !stream || stream->atEnd(); }
  ByteStream *stream = nullptr;
};

/// Parses bytes [begin, end) of a file. False where the text was refused (handler.failure says why) or could not be
/// read (`status`).
inline bool parseJson(const InputFile &file, uint64_t begin, uint64_t end, JsonHandler &handler, Status &status) {
  ByteStream stream(file, begin, end);
  const bool good = nlohmann::json::sax_parse(ByteIterator(&stream), ByteIterator(), &handler);
  status = stream.status;
  if (stream.zeroAt)
    handler.failure = "is not valid JSON: byte " + std::to_string(stream.zeroAt - 1) + " of the file is zero";
  return good && status.ok() && handler.failure.empty();
}

} // namespace mmc::runtime
