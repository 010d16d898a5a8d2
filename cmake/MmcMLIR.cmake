# Finds the packaged MLIR and wraps everything that links it. Only the shared libMLIR.so and libLLVM.so are linked: mixing them
# with the static archives registers options twice and crashes.
if(NOT MLIR_DIR AND EXISTS /usr/lib/llvm-22/lib/cmake/mlir)
  set(MLIR_DIR /usr/lib/llvm-22/lib/cmake/mlir)
endif()
find_package(MLIR 22.1 QUIET CONFIG)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR "mmc needs MLIR 22.1; on Debian: apt-get install libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools, "
                      "or run scripts/install-dependencies; -DMMC_BUILD_COMPILER=OFF builds the runtime alone")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS}) # for tablegen
set(MMC_LLVM_BIN ${LLVM_TOOLS_BINARY_DIR})

add_library(mmc_mlir_flags INTERFACE)
target_include_directories(mmc_mlir_flags SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
# The packaged libraries are built without assertions, and Pass::Statistic changes its layout with NDEBUG.
target_compile_definitions(mmc_mlir_flags INTERFACE NDEBUG ${LLVM_DEFINITIONS_LIST})
target_link_libraries(mmc_mlir_flags INTERFACE mmc_flags)

# One precompiled header for every MLIR-using file.
file(WRITE ${CMAKE_BINARY_DIR}/mmc_mlir_pch.cpp "// Carrier of the precompiled header.\n")
add_library(mmc_mlir_pch OBJECT ${CMAKE_BINARY_DIR}/mmc_mlir_pch.cpp)
target_link_libraries(mmc_mlir_pch PRIVATE mmc_mlir_flags)
target_precompile_headers(mmc_mlir_pch PRIVATE
  <mlir/IR/Builders.h> <mlir/IR/BuiltinTypes.h> <mlir/IR/BuiltinOps.h> <mlir/IR/PatternMatch.h> <mlir/IR/OpImplementation.h>
  <mlir/Pass/Pass.h> <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Math/IR/Math.h>
  <mlir/Interfaces/FunctionInterfaces.h> <mlir/Interfaces/SideEffectInterfaces.h> <mlir/Transforms/DialectConversion.h>
  <llvm/ADT/TypeSwitch.h> <string> <vector>)

function(mmc_guard_static_llvm)
  foreach(lib ${ARGN})
    if(lib MATCHES "^(MLIR|LLVM)[A-Z]")
      message(FATAL_ERROR "link MLIR and LLVM (the shared libraries) instead of the static ${lib}")
    endif()
  endforeach()
endfunction()

# mmc_add_mlir_library(name SOURCES... [LINK libs...] [DEPENDS generated-header targets...])
function(mmc_add_mlir_library name)
  cmake_parse_arguments(A "" "" "LINK;DEPENDS" ${ARGN})
  mmc_guard_static_llvm(${A_LINK})
  add_library(${name} STATIC ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE mmc_mlir_flags)
  target_link_libraries(${name} PUBLIC ${A_LINK} MLIR LLVM)
  target_precompile_headers(${name} REUSE_FROM mmc_mlir_pch)
  if(A_DEPENDS)
    add_dependencies(${name} ${A_DEPENDS})
  endif()
endfunction()

# mmc_use_library_pch(program): the precompiled header was made for a library (-fPIC), which a program's -fPIE does not match.
function(mmc_use_library_pch name)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_precompile_headers(${name} REUSE_FROM mmc_mlir_pch)
endfunction()

# mmc_add_mlir_tool(name SOURCES... [LINK libs...])
function(mmc_add_mlir_tool name)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  mmc_guard_static_llvm(${A_LINK})
  add_executable(${name} ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE mmc_mlir_flags ${A_LINK} MLIR LLVM)
  mmc_use_library_pch(${name})
endfunction()
