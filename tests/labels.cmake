# Read by ctest after the tests are discovered: "threads: ..." are those worth the thread sanitizer.
foreach(test IN LISTS gradtape_tests_TESTS)
  if(test MATCHES "^threads:")
    set_tests_properties("${test}" PROPERTIES LABELS threads)
  endif()
endforeach()
