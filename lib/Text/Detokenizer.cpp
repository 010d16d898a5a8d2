//===- Detokenizer.cpp - token ids to text, one at a time ------------------===//
//
// Invariant: `pending` is a proper prefix of one valid UTF-8 sequence.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Detokenizer.h"
#include "lib/Text/Unicode.h"

namespace mmc::text {

Result<std::string> Detokenizer::push(int32_t id) {
  if (!tokenizer.contains(id))
    return makeError(ErrorCode::IdOutOfRange, ErrorKind::Failed,
                     "token id " + std::to_string(id) + " is outside 0 to " + std::to_string(tokenizer.lastTokenId()));
  std::string text;
  if (options.skipSpecial && tokenizer.isSpecial(id)) return text;
  pending += tokenizer.tokenBytes(id);
  pending.erase(0, appendLossyUtf8(pending, /*final=*/false, text));
  return text;
}

std::string Detokenizer::flush() {
  std::string text;
  appendLossyUtf8(pending, /*final=*/true, text);
  pending.clear();
  return text;
}

} // namespace mmc::text
