# Embeds gradtape in another project:  cmake -D compiler=g++ -D build=DIR -P check.cmake
# Only the consumer's own files are compiled, unless CI asks for the whole program. main.cpp is the README's program.

function(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(must_be_in_readme text)
  file(READ ${CMAKE_CURRENT_LIST_DIR}/../../README.md readme)
  string(FIND "${readme}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "README.md does not show this any more:\n${text}")
  endif()
endfunction()

file(READ ${CMAKE_CURRENT_LIST_DIR}/main.cpp program)
must_be_in_readme("${program}")

set(ENV{CXXFLAGS})  # what is looked for below must be ours
run(${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR} -B ${build} -D CMAKE_CXX_COMPILER=${compiler}
    -D CMAKE_EXPORT_COMPILE_COMMANDS=ON)

file(READ ${build}/compile_commands.json commands)
string(JSON count LENGTH "${commands}")
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
  string(JSON file GET "${commands}" ${index} file)
  string(JSON command GET "${commands}" ${index} command)
  if(file MATCHES "/tests/consumer/[a-z_]+\\.cpp$")
    string(REGEX REPLACE " -(Wall|Wextra|Wpedantic|Wconversion|Werror|std=[^ ]+|DFMT_SHARED)" "" foreign "${command}")
    if(foreign MATCHES " -[DWfmO]")
      message(FATAL_ERROR "gradtape forces flags on its consumer: ${command}")
    endif()
  elseif(command MATCHES " -W")
    message(FATAL_ERROR "gradtape adds warnings as a subproject: ${command}")
  endif()
endforeach()
if(EXISTS ${build}/gradtape/CTestTestfile.cmake OR EXISTS ${build}/gradtape/tests)
  message(FATAL_ERROR "gradtape adds tests as a subproject")
endif()

if(DEFINED ENV{CI})
  run(${CMAKE_COMMAND} --build ${build})
  run(${build}/consumer)
  must_be_in_readme("${output}")
else()
  run(${CMAKE_COMMAND} --build ${build} --target CMakeFiles/consumer.dir/main.cpp.o CMakeFiles/consumer.dir/own_op.cpp.o)
endif()
