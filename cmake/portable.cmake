# The portable build: the same shared library for three levels of x86-64. The plain one is for v2; those for v3 (AVX2) and v4
# (AVX-512) stand in folders below it where glibc's loader looks first, if the processor has what they need. A static library
# cannot be chosen when a program starts, so there is none of it.

set(GRADTAPE_LEVELS)
if(GRADTAPE_PORTABLE)
  set(GRADTAPE_NATIVE OFF)
  set(BUILD_SHARED_LIBS ON)
  set(GRADTAPE_LEVELS gradtape_x86-64-v3 gradtape_x86-64-v4)
endif()
