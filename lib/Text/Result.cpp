//===- Result.cpp - how the text library reports failure -------------------===//
//
// The hint of last resort for every code, so that no error reaches a user without saying what to do.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Result.h"

namespace mmc::text {

namespace {

const char *defaultHint(ErrorCode code) {
  switch (code) {
  case ErrorCode::FileUnreadable:
    return "check the path and its permissions";
  case ErrorCode::JsonSyntax:
    return "download the file again";
  case ErrorCode::JsonStructure:
    return "the file is not a tokenizer as HF tokenizers writes it; export it again";
  case ErrorCode::FieldInvalid:
    return "compare the file with the original of the model; export it again";
  case ErrorCode::SettingUnsupported:
    return "only byte-level BPE is supported, see lib/Text/README.md";
  case ErrorCode::VocabularyInvalid:
  case ErrorCode::MergesInvalid:
  case ErrorCode::AddedTokensInvalid:
    return "compare the file with the original of the model; export it again";
  case ErrorCode::RegexInvalid:
    return "rewrite the pattern without this construct";
  case ErrorCode::RegexBudget:
    return "rewrite the pattern without nested repetitions, or shorten the text";
  case ErrorCode::TextTooLarge:
    return "split the text";
  case ErrorCode::IdOutOfRange:
    return "give ids of this tokenizer";
  case ErrorCode::ChatInvalid:
    return "give messages of roles system, user, assistant";
  case ErrorCode::SamplingParameter:
    return "give a value in the range";
  case ErrorCode::LogitsInvalid:
    return "the model's output is broken; check its weights and dtype";
  case ErrorCode::GenerationConfigInvalid:
    return "correct the file, or delete it and give the settings as flags";
  case ErrorCode::OutOfMemory:
    return "free memory, or give a smaller input";
  }
  return "";
}

} // namespace

Error makeError(ErrorCode code, ErrorKind kind, std::string message, std::string hint) {
  if (hint.empty()) hint = defaultHint(code);
  return Error{code, kind, std::move(message), std::move(hint)};
}

} // namespace mmc::text
