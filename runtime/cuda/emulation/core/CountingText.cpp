// Writes counts as JSON. Only places that something is to be said of are named: naming one asks the symboliser.
#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Report.h"

#include <map>
#include <sstream>
#include <tuple>

namespace mmc::emu::counting {

namespace {

const char *nameOf(Kind kind) { return kind == Kind::load ? "load" : kind == Kind::store ? "store" : "atomic"; }

void write(std::ostream &out, const char *name, const Traffic &traffic) {
  out << ", \"" << name << "\": {\"bytes\": " << traffic.bytes << ", \"sectors\": " << traffic.sectors
      << ", \"whole_sectors\": " << traffic.wholeSectors << ", \"distinct_sectors\": " << traffic.distinctSectors
      << "}";
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return result + "\"";
}

/// The compiler may have copied a call: places of one line are one.
using Line = std::tuple<std::string, Kind, bool>;

} // namespace

std::string toJson(const LaunchCounts &counts, const LaunchOptions &options) {
  std::ostringstream out;
  out << "{\"kernel\": " << quoted(counts.kernel) << ", \"grid\": [" << options.grid[0] << ", " << options.grid[1]
      << ", " << options.grid[2] << "], \"threads\": " << options.block[0] * options.block[1] * options.block[2];
  write(out, "loads", counts.loads);
  write(out, "stores", counts.stores);
  write(out, "atomics", counts.atomics);
  out << ", \"wavefronts\": " << counts.wavefronts << ", \"conflicts\": " << counts.conflicts << ", \"places\": [";
  std::map<Line, Place> lines;
  for (const Place &place : counts.places) {
    if (place.conflicts == 0 && place.sectors == place.wholeSectors) continue;
    Place &line = lines[{describeSource(place.source), place.kind, place.shared}];
    line.requests += place.requests, line.bytes += place.bytes;
    line.sectors += place.sectors, line.wholeSectors += place.wholeSectors;
    line.wavefronts += place.wavefronts, line.conflicts += place.conflicts;
  }
  const char *separator = "";
  for (const auto &[line, place] : lines) {
    const auto &[text, kind, shared] = line;
    out << separator << "\n  {\"line\": " << quoted(text) << ", \"kind\": \"" << nameOf(kind) << "\", \"memory\": \""
        << (shared ? "shared" : "global") << "\", \"requests\": " << place.requests << ", \"bytes\": " << place.bytes
        << ", \"sectors\": " << place.sectors << ", \"whole_sectors\": " << place.wholeSectors
        << ", \"wavefronts\": " << place.wavefronts << ", \"conflicts\": " << place.conflicts << "}";
    separator = ",";
  }
  out << "]}\n";
  return out.str();
}

} // namespace mmc::emu::counting
