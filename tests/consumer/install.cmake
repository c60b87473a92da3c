# Installs a finished build and moves the prefix away:  cmake -D build=DIR -D prefix=PREFIX -P install.cmake

include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${prefix} ${prefix}-before)
run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix}-before)
file(RENAME ${prefix}-before ${prefix})

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH source)
cmake_path(GET source PARENT_PATH source)
file(GLOB_RECURSE files LIST_DIRECTORIES true ${prefix}/*)
foreach(file IN LISTS files)
  if(IS_SYMLINK ${file} AND NOT file MATCHES "/lib[a-z_]+\\.so[.0-9]*$")
    message(FATAL_ERROR "this should be a file of its own: ${file}")
  elseif(file MATCHES "\\.(cmake|pc)$")
    file(READ ${file} text)
    foreach(place IN ITEMS ${prefix} ${build} ${source})
      string(FIND "${text}" "${place}" at)
      if(NOT at EQUAL -1)
        message(FATAL_ERROR "this names ${place}, which may be gone when it is read: ${file}")
      endif()
    endforeach()
  endif()
endforeach()
