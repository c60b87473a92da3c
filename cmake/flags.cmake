# How our own code is compiled: the library, its tests, examples and benchmarks. Linked privately everywhere, so none of it
# reaches who embeds gradtape. Never -ffast-math: NaN must stay NaN. No contraction: bits must not depend on inlining.

add_library(gradtape_flags INTERFACE)
target_compile_options(gradtape_flags INTERFACE -fno-math-errno -fno-trapping-math -ffp-contract=off)

# A project that embeds gradtape may have chosen no kind of build, which compilers take for no optimisation at all.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  separate_arguments(release UNIX_COMMAND "${CMAKE_CXX_FLAGS_RELEASE}")
  target_compile_options(gradtape_flags INTERFACE ${release})
endif()
if(GRADTAPE_NATIVE)
  target_compile_options(gradtape_flags INTERFACE -march=native)
endif()
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(gradtape_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                         $<$<BOOL:${GRADTAPE_WERROR}>:-Werror>)
  # g++ 12 takes what its own AVX-512 intrinsics leave undefined on purpose for a mistake of ours.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(gradtape_flags INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized)
  endif()
endif()
if(GRADTAPE_CHECKS)
  target_compile_definitions(gradtape_flags INTERFACE GRADTAPE_CHECKS=1 XTENSOR_ENABLE_ASSERT _GLIBCXX_ASSERTIONS)
endif()
if(GRADTAPE_SANITIZE)
  # Pools would hide errors from a sanitizer, so every pooled block becomes a malloc.
  target_compile_definitions(gradtape_flags INTERFACE GRADTAPE_PLAIN_MALLOC=1)
  target_compile_options(gradtape_flags INTERFACE -fsanitize=${GRADTAPE_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(gradtape_flags INTERFACE -fsanitize=${GRADTAPE_SANITIZE})
  # For the rules of ops, the tests and examples: no checks of what the address sanitizer finds as well, and none of scopes, whose
  # cost to the compiler outgrows what is inlined (the losses took 11 minutes). Core, kernels and readers have them all.
  set(light_sanitizer -fno-sanitize=alignment,null,object-size -fno-sanitize-address-use-after-scope)
endif()
