// What of the embedded headers is not their text; see HeaderTexts.cpp in the build folder for that.
#include "lib/Target/CUDA/Toolchain/Headers.h"

#include "runtime/src/Digest.h"

namespace mmc::cuda {

std::vector<Header> emulationHeaders() {
  std::vector<Header> headers;
  for (const Header &header : deviceHeaders())
    if (!header.name.starts_with("ptx/")) headers.push_back(header);
  for (const Header &header : emulationTwins()) headers.push_back(header);
  return headers;
}

std::string digestOfHeaders(std::span<const Header> headers) {
  runtime::DigestStream stream;
  for (const Header &header : headers)
    for (std::string_view part : {header.name, header.text}) {
      stream.update(std::to_string(part.size()) + " ");
      stream.update(part);
    }
  return runtime::toHex(stream.finish());
}

} // namespace mmc::cuda
