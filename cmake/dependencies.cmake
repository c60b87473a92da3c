# What gradtape stands on. `script/bootstrap` installs all of it on Debian.

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # who embeds us links these targets from a directory of their own

find_package(fmt REQUIRED)
find_package(xtensor REQUIRED)
find_package(xsimd REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(openblas REQUIRED IMPORTED_TARGET GLOBAL openblas)  # by name: BLAS may resolve to the reference one
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
find_path(XFLENS_INCLUDE_DIR xflens/cxxlapack/cxxlapack.h REQUIRED)  # of xtensor-blas, whose package links any BLAS it finds
if(GRADTAPE_ONNX)
  find_package(Protobuf REQUIRED)  # first, for ONNX's package uses its targets
  find_package(ONNX REQUIRED)
endif()

# Found by hand, for its CMake package demands OpenCL.
if(GRADTAPE_ONEDNN)
  find_library(DNNL_LIBRARY dnnl)
  find_path(DNNL_INCLUDE_DIR dnnl.h)
  if(NOT DNNL_LIBRARY OR NOT DNNL_INCLUDE_DIR)
    message(STATUS "oneDNN was not found: all products go to OpenBLAS")
  endif()
endif()
mark_as_advanced(RANDOM123_INCLUDE_DIR XFLENS_INCLUDE_DIR DNNL_LIBRARY DNNL_INCLUDE_DIR)
