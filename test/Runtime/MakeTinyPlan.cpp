// Writes the tiny model's plan to a file, for tests that link nothing but the shared library.
#include "test/Runtime/TinyModel.h"

#include <cstdio>

int main(int argc, char **argv) {
  using namespace mmc::test;
  if (argc != 2) return 2;
  const std::vector<uint8_t> metadata = encodeTables(tinyTables()), constants = tinyConstants(), object = tinyObject();
  const SegmentInput segments[] = {
      {SegmentKind::metadata, metadata}, {SegmentKind::constants, constants}, {SegmentKind::hostObject, object}};
  const Status status = writePlanFile(argv[1], segments);
  if (!status.ok()) fprintf(stderr, "%s\n", status.text().c_str());
  return int(status.code());
}
