# mmc_flatbuffers(target schema.fbs): generates NAME_generated.h into the build tree, beside where the schema lies in the source tree.
find_package(FlatBuffers QUIET)
find_program(MMC_FLATC flatc)
if(NOT FlatBuffers_FOUND OR NOT MMC_FLATC)
  message(FATAL_ERROR "mmc needs FlatBuffers; on Debian: apt-get install libflatbuffers-dev flatbuffers-compiler, or run scripts/install-dependencies")
endif()

function(mmc_flatbuffers target schema)
  get_filename_component(base ${schema} NAME_WE)
  file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(out ${CMAKE_BINARY_DIR}/${relative}/${base}_generated.h)
  add_custom_command(OUTPUT ${out}
    COMMAND ${MMC_FLATC} --cpp --scoped-enums --no-prefix -o ${CMAKE_BINARY_DIR}/${relative} ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${schema} VERBATIM)
  add_custom_target(${target}_gen DEPENDS ${out})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_gen)
  target_include_directories(${target} INTERFACE ${CMAKE_BINARY_DIR})
endfunction()
