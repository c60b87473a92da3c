# What makes a shared library of ours: its name and version, and that it exports our own names only. A static one may become part
# of somebody's shared library.

function(gradtape_shared_library library name)
  set_target_properties(${library} PROPERTIES
    POSITION_INDEPENDENT_CODE ON OUTPUT_NAME ${name} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  target_compile_options(${library} PRIVATE -fno-semantic-interposition)  # calls inside of it can be inlined
  if(GRADTAPE_PORTABLE)
    string(REGEX MATCH "x86-64-v[34]$" level ${library})
    if(level)
      set_target_properties(${library} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/glibc-hwcaps/${level})
      target_compile_options(${library} PRIVATE -march=${level})
    else()
      target_compile_options(${library} PRIVATE -march=x86-64-v2)
    endif()
  endif()
  get_target_property(type ${library} TYPE)
  if(type STREQUAL SHARED_LIBRARY)
    set_target_properties(${library} PROPERTIES VISIBILITY_INLINES_HIDDEN ON)
    set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.map)
    target_link_options(${library} PRIVATE LINKER:--version-script=${exports})
    set_property(TARGET ${library} APPEND PROPERTY LINK_DEPENDS ${exports})
  endif()
endfunction()
