# lit configuration: the suite's name, formats, substitutions and environment. Paths come from lit.site.cfg.py in the build tree.
import os
import lit.formats

config.name = "mmc"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mmc_binary_dir, "test")

config.environment["PATH"] = os.pathsep.join([config.mmc_tools_dir, config.llvm_tools_dir, os.environ["PATH"]])
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --dump-input=fail"

# With --param verify-roundtrip=1 every mmc-opt prints, parses again and compares before it goes on.
opt = os.path.join(config.mmc_tools_dir, "mmc-opt")
if lit_config.params.get("verify-roundtrip"):
    opt += " --verify-roundtrip"
config.substitutions.append(("%mmc-opt", opt))
config.substitutions.append(("%mmc-inputs", os.path.join(config.mmc_source_dir, "test", "Inputs")))
config.substitutions.append(("%mmc-examples", os.path.join(config.mmc_source_dir, "examples")))
config.substitutions.append(("%mmc-translate", os.path.join(config.mmc_tools_dir, "mmc-translate")))
config.substitutions.append(("%mmc", os.path.join(config.mmc_tools_dir, "mmc")))
for tool in ("mmc", "mmc-translate"):
    if os.path.exists(os.path.join(config.mmc_tools_dir, tool)):
        config.available_features.add(tool)
