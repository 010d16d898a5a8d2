# mmc_passes(target Group): from Passes.td in the current folder makes Passes.h.inc with the pass group's declarations.
function(mmc_passes target group)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name=${group} -I${CMAKE_SOURCE_DIR})
  add_public_tablegen_target(${target})
endfunction()
