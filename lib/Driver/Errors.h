// Kinds of failure that the program itself finds: E10xx. The runtime's are in
// runtime/src/Errors.h, the text library's in lib/Text/Result.h, import's and the compiler's beside their headers.
#pragma once

#include "lib/Text/Result.h"
#include "mmc-c/Status.h"
#include "runtime/src/Status.h"

namespace mmc::driver {

using runtime::ErrorKind;
using runtime::Expected;
using runtime::Status;
using runtime::StatusCode;

inline constexpr ErrorKind kUsage{1000, StatusCode::usage, "see `mmc --help`"};
inline constexpr ErrorKind kNotSupported{1001, StatusCode::incompatible, "see `mmc --help` for what this build can do"};
inline constexpr ErrorKind kCannotReadInput{1002, StatusCode::failed, "check the path and its permissions"};
inline constexpr ErrorKind kInterrupted{1003, StatusCode::cancelled, "run the command again"};
inline constexpr ErrorKind kUnknownFile{1004, StatusCode::integrity,
                                        "give a plan, a model.mlir, a .safetensors file or a model folder"};
inline constexpr ErrorKind kNoTokenizer{1005, StatusCode::usage,
                                        "give --input-ids, or --tokenizer with a folder that has tokenizer.json"};
inline constexpr ErrorKind kTokenIds{1006, StatusCode::usage, "give ids as 1,2,3 or @FILE"};
inline constexpr ErrorKind kContextExceeded{1007, StatusCode::capacity,
                                            "shorten the prompt, or compile with a larger --max-model-len"};
inline constexpr ErrorKind kInternalFailure{1008, StatusCode::failed, "report this with the command line"};
inline constexpr ErrorKind kOutOfMemory{1009, StatusCode::capacity,
                                        "free memory, or lower --max-model-len and --max-num-seqs"};

inline constexpr ErrorKind kCannotWriteFolder{1012, StatusCode::failed, "give a folder that may be written"};

/// A failure of the text library in the driver's terms.
Status fromText(const text::Error &error);

/// Takes a status of the C ABI over, and frees it.
Status takeStatus(mmc_status *status);

} // namespace mmc::driver

/// Returns the failure of a text::Status or text::Result from the enclosing function.
#define MMC_RETURN_IF_TEXT_ERROR(expression)                                                                           \
  do {                                                                                                                 \
    if (const auto &mmcResult = (expression); !mmcResult.ok()) return ::mmc::driver::fromText(mmcResult.error());      \
  } while (false)
