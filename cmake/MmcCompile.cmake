# Flags that every target shares, and mmc_add_library for code that does not use MLIR.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(MMC_CCACHE ccache)
if(MMC_CCACHE)
  # A precompiled header changes its time stamp with every build; ccache is told to look at content only.
  set(CMAKE_C_COMPILER_LAUNCHER ${MMC_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MMC_CCACHE})
endif()

add_library(mmc_flags INTERFACE)
target_include_directories(mmc_flags INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}>
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
target_compile_options(mmc_flags INTERFACE -Wall -Wextra -Wno-unused-parameter -fno-strict-aliasing)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(mmc_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
if(MMC_SANITIZE)
  target_compile_options(mmc_flags INTERFACE -fsanitize=${MMC_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(mmc_flags INTERFACE -fsanitize=${MMC_SANITIZE})
endif()

# mmc_add_library(name [SHARED] SOURCES... [LINK libs...]): a library with the project's flags.
function(mmc_add_library name)
  cmake_parse_arguments(A "SHARED" "" "LINK" ${ARGN})
  if(A_SHARED)
    add_library(${name} SHARED ${A_UNPARSED_ARGUMENTS})
  else()
    add_library(${name} STATIC ${A_UNPARSED_ARGUMENTS})
  endif()
  target_link_libraries(${name} PRIVATE mmc_flags)
  target_link_libraries(${name} PUBLIC ${A_LINK})
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}>
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
endfunction()
