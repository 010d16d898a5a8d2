// Where a command writes: a file, or standard output for `-`. Checked before the work, so that an hour's result is not
// lost to a mistyped path, and an input is never destroyed by its own output.
#pragma once

#include "lib/Driver/Errors.h"
#include "runtime/src/FileIO.h"

#include <span>
#include <string>
#include <vector>

namespace mmc::driver {

enum class OutputForm { text, binary };

/// Opens what `flag` names. Refused: a path that cannot be written, a binary form on a terminal, and a file that one of
/// `inputs` (files, or model folders) is read from; an input may be empty.
Expected<runtime::OutputFile> openOutput(const char *flag, const std::string &path, OutputForm form,
                                         const std::vector<std::string> &inputs);

/// The same checks for a folder that files are written into; it is made with the first of them.
Status checkOutputFolder(const char *flag, const std::string &path);

/// Writes everything and gives the file its name.
Status writeWhole(runtime::OutputFile &file, std::span<const uint8_t> bytes);
Status writeWhole(runtime::OutputFile &file, const std::string &text);

} // namespace mmc::driver
