// Where a prompt comes from: text, a file, or token ids.
#pragma once

#include "lib/Driver/Errors.h"
#include "lib/Text/Tokenizer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mmc::driver {

/// A regular file, or standard input for "-"; at most 1 GiB.
Expected<std::string> readTextFile(const std::string &path);

/// Ids of "1,2,3" or of "@FILE", separated by commas or white space.
Expected<std::vector<int32_t>> parseTokenIds(const std::string &text);

/// The flags of a prompt; a flag that was not given is not set.
struct PromptFlags {
  std::optional<std::string> prompt, promptFile, inputIds;
  bool chat = false;
};

/// The prompt's ids. `tokenizer` may be null where there is none; `modelFolder` names the architecture for --chat.
Expected<std::vector<int32_t>> promptTokens(const PromptFlags &flags, const text::Tokenizer *tokenizer,
                                            const std::string &modelFolder);

} // namespace mmc::driver
