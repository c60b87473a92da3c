# Uses gradtape in another project, in one of three ways; main.cpp is the README's program:
#   cmake -D compiler=g++ -D build=DIR -D whole=ON -P check.cmake            embedded; unless the whole is wanted, only the
#                                                                            consumer's own files are compiled
#   cmake -D compiler=g++ -D build=DIR -D prefix=PREFIX -P check.cmake       installed there, found by CMake
#   cmake -D compiler=g++ -D build=DIR -D pc=PREFIX/…/gradtape.pc -P check.cmake   the same, found by pkg-config

include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

function(must_be_in_readme text)
  file(READ ${CMAKE_CURRENT_LIST_DIR}/../../README.md readme)
  string(FIND "${readme}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "README.md does not show this any more:\n${text}")
  endif()
endfunction()

set(ENV{CXXFLAGS})  # what is looked for below must be ours
file(REMOVE_RECURSE ${build})

if(DEFINED pc)
  run(pkg-config --cflags --libs ${pc})
  separate_arguments(flags UNIX_COMMAND "${output}")
  run(pkg-config --variable=libdir ${pc})
  string(STRIP "${output}" libdir)
  file(MAKE_DIRECTORY ${build})
  run(${compiler} -std=c++20 ${CMAKE_CURRENT_LIST_DIR}/main.cpp ${flags} -Wl,-rpath,${libdir} -o ${build}/consumer)
  run(${build}/consumer)
  must_be_in_readme("${output}")
  return()
endif()

file(READ ${CMAKE_CURRENT_LIST_DIR}/main.cpp program)
must_be_in_readme("${program}")
if(whole)
  set(kind -D CMAKE_BUILD_TYPE=Debug)  # which takes the compiler the least time
endif()
run(${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR} -B ${build} -D CMAKE_CXX_COMPILER=${compiler} ${kind}
    -D CMAKE_EXPORT_COMPILE_COMMANDS=ON -D CMAKE_PREFIX_PATH=${prefix})

file(READ ${build}/compile_commands.json commands)
string(JSON count LENGTH "${commands}")
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
  string(JSON file GET "${commands}" ${index} file)
  string(JSON command GET "${commands}" ${index} command)
  if(file MATCHES "/tests/consumer/[a-z_]+\\.cpp$")
    string(REGEX REPLACE " -(Wall|Wextra|Wpedantic|Wconversion|Werror|std=[^ ]+|DFMT_SHARED|DGRADTAPE_ONNX=1)" "" foreign "${command}")
    if(command MATCHES "/tuned\\.dir/" AND NOT foreign MATCHES " -march=native ")
      message(FATAL_ERROR "gradtape::native does not ask for this machine's processor: ${command}")
    elseif(NOT command MATCHES "/tuned\\.dir/" AND foreign MATCHES " -[DWfmO]")
      message(FATAL_ERROR "gradtape forces flags on its consumer: ${command}")
    endif()
  elseif(command MATCHES " -W")
    message(FATAL_ERROR "gradtape adds warnings as a subproject: ${command}")
  elseif(NOT whole AND file MATCHES "/core/" AND NOT command MATCHES " -O3 ")
    message(FATAL_ERROR "gradtape is not optimised where its embedder chose no kind of build: ${command}")
  endif()
endforeach()
if(EXISTS ${build}/gradtape/CTestTestfile.cmake OR EXISTS ${build}/gradtape/tests)
  message(FATAL_ERROR "gradtape adds tests as a subproject")
endif()
if(EXISTS ${build}/gradtape/gradtape.pc)
  message(FATAL_ERROR "gradtape is installed with the project that embeds it")
endif()

if(prefix OR whole)
  run(${CMAKE_COMMAND} --build ${build})
  run(${build}/consumer)
  must_be_in_readme("${output}")
  if(EXISTS ${build}/exporter)
    run(${build}/exporter ${build}/model.onnx)
  endif()
else()
  run(${CMAKE_COMMAND} --build ${build} --target CMakeFiles/consumer.dir/main.cpp.o CMakeFiles/consumer.dir/own_op.cpp.o)
endif()
