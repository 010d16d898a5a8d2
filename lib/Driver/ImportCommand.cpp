// mmc import: a checkpoint folder or config.json to a model description.
#include "lib/Compiler/Compiler.h"
#include "lib/Driver/Command.h"
#include "lib/Driver/Outputs.h"

namespace mmc::driver {

void addImportCommand(const CommandLine &line) {
  struct Flags {
    std::string input, output = "-";
  };
  auto flags = std::make_shared<Flags>();
  CLI::App *command = line.add(
      "import", "write the model description (.mlir) of a checkpoint; no weights are read", [flags]() -> Status {
        Stopwatch watch;
        auto file = openOutput("-o", flags->output, OutputForm::text, {flags->input});
        MMC_RETURN_IF_ERROR(file.status());
        auto text = importModel(flags->input);
        MMC_RETURN_IF_ERROR(text.status());
        MMC_RETURN_IF_ERROR(writeWhole(*file, *text));
        if (flags->output != "-")
          note(cat("imported ", flags->input, " to ", flags->output, " in ", formatFixed(watch.seconds(), 2), " s"));
        return {};
      });
  command->add_option("-m,--model,model", flags->input, "HF_DIR or config.json")
      ->required()
      ->type_name("HF_DIR|config.json");
  addFlagValue(command, "-o,--output", flags->output, "model description to write; - for standard output")
      ->type_name("FILE");
}

} // namespace mmc::driver
