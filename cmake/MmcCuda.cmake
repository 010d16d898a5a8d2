# The CUDA room: whether it is built, and kernels compiled for the emulated device.
#
# Kernel sources are read by NVRTC and by clang; for the emulation clang compiles them for the host with its thread
# sanitizer's hooks, which the emulation defines (the sanitizer's runtime is never linked). The library itself takes any
# C++20 compiler; kernels need clang.
find_program(MMC_KERNEL_CLANG NAMES clang++-22 clang++-21 clang++-20 DOC "clang that compiles kernels for the emulation")
if(NOT MMC_KERNEL_CLANG AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 20)
  set(MMC_KERNEL_CLANG ${CMAKE_CXX_COMPILER} CACHE FILEPATH "" FORCE)
endif()

set(mmc_cuda_default ON)
set(mmc_cuda_why "")
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(mmc_cuda_why "it needs Linux on x86-64, this is ${CMAKE_SYSTEM_NAME} on ${CMAKE_SYSTEM_PROCESSOR}")
elseif(NOT MMC_KERNEL_CLANG)
  set(mmc_cuda_why "it needs clang 20 or newer for kernels; on Debian: apt-get install clang-22")
elseif(MMC_SANITIZE)
  set(mmc_cuda_why "fibers switch stacks behind the sanitizers' backs")
endif()
if(mmc_cuda_why)
  set(mmc_cuda_default OFF)
endif()
option(MMC_BUILD_CUDA "Build the CUDA driver and the emulated device (Linux on x86-64 with clang)" ${mmc_cuda_default})
if(MMC_BUILD_CUDA AND mmc_cuda_why)
  message(FATAL_ERROR "MMC_BUILD_CUDA is ON, but ${mmc_cuda_why}; configure with -DMMC_BUILD_CUDA=OFF")
elseif(mmc_cuda_why)
  message(STATUS "CUDA room: not built, ${mmc_cuda_why}")
endif()

# Reads before a write to the same place are instrumented too: `x += 1` of something uninitialised must be seen. Vector accesses may be split before
# they are instrumented, so alignment is checked by its own sanitizer. And branches keep their own copies of what they have in common: merged calls have no line.
set(MMC_KERNEL_OPTIONS -x c++ -std=c++20 -O1 -g -march=x86-64-v3 -fPIC -fno-exceptions -fno-rtti -fno-strict-aliasing -fno-optimize-sibling-calls -fsanitize=thread,alignment
    -mllvm -tsan-instrument-read-before-write=1 -mllvm -tsan-instrument-func-entry-exit=0 -mllvm -enable-tail-merge=0
    -mllvm -simplifycfg-sink-common=0 -mllvm -simplifycfg-hoist-common=0 -mllvm -simplifycfg-merge-cond-stores=0 -Wall -Wextra -Wno-unused-parameter)
set(MMC_KERNEL_FLAGS ${MMC_KERNEL_OPTIONS}
    -I ${CMAKE_SOURCE_DIR}/runtime/cuda/emulation -I ${CMAKE_SOURCE_DIR}/runtime/cuda/device)

# mmc_emulated_objects(out TARGET_NAME SOURCES...): compiles kernel sources for the emulation; `out` names the objects.
function(mmc_emulated_objects out name)
  set(objects "")
  foreach(source ${ARGN})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE path)
    cmake_path(GET path STEM stem)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.kernels/${stem}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/${name}.kernels
      COMMAND ${MMC_CCACHE} ${MMC_KERNEL_CLANG} ${MMC_KERNEL_FLAGS} -MD -MF ${object}.d -MT ${object} -c ${path} -o ${object}
      DEPENDS ${path} DEPFILE ${object}.d COMMENT "Compiling kernel ${source} for the emulation" VERBATIM)
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    list(APPEND objects ${object})
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

# mmc_add_emulated_kernels(target SOURCES a.cu ...): links the kernels into the target, which must link mmc_cuda_emulation.
function(mmc_add_emulated_kernels target)
  cmake_parse_arguments(A "" "" "SOURCES" ${ARGN})
  mmc_emulated_objects(objects ${target} ${A_SOURCES})
  target_sources(${target} PRIVATE ${objects})
endfunction()

# mmc_add_emulated_module(name SOURCES a.cu ...): a shared library NAME.so of kernels, as the emulated driver loads it; its path is the
# target's property MMC_MODULE. It needs libmmc_cuda_emu.so by name, and finds the hooks there.
function(mmc_add_emulated_module name)
  cmake_parse_arguments(A "" "" "SOURCES" ${ARGN})
  mmc_emulated_objects(objects ${name} ${A_SOURCES})
  set(module ${CMAKE_CURRENT_BINARY_DIR}/${name}.so)
  add_custom_command(OUTPUT ${module} COMMAND ${MMC_KERNEL_CLANG} -shared -Wl,--no-as-needed -o ${module} ${objects}
    $<TARGET_FILE:mmc_cuda_emu> DEPENDS ${objects} mmc_cuda_emu VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${module})
  set_target_properties(${name} PROPERTIES MMC_MODULE ${module})
endfunction()

# A module for every file of kernels in a folder; `target` makes them all.
function(mmc_add_emulated_modules target folder)
  file(GLOB kernels CONFIGURE_DEPENDS ${folder}/*.cu)
  set(modules "")
  foreach(kernel ${kernels})
    cmake_path(GET kernel STEM stem)
    mmc_add_emulated_module(${stem} SOURCES ${kernel})
    list(APPEND modules ${stem})
  endforeach()
  add_custom_target(${target} DEPENDS ${modules})
endfunction()
