#pragma once

#include <gradtape/core/dtype.hpp>
#include <gradtape/core/shape.hpp>
#include <gradtape/data/file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gradtape::inline v0::data::detail {

/// What stands before the elements of an .npy file.
struct NpyHeader {
  std::string type;                ///< kind and size of the elements, such as "f4"
  std::size_t item_size = 0;       ///< bytes of one
  bool swapped = false;            ///< in the other byte order than this machine's
  bool fortran_order = false;      ///< the first axis runs fastest
  std::vector<std::size_t> sizes;  ///< at most max_rank
  std::size_t shape_at = 0;        ///< offset of the sizes in the file
};

/// Reads a header of version 1, 2 or 3. Throws FileError with what was found and what was expected.
NpyHeader read_npy_header(Source& source);

/// A header of version 1 for the elements of a packed array, in this machine's byte order.
std::vector<std::uint8_t> npy_header(Dtype dtype, const Shape& shape);

}  // namespace gradtape::inline v0::data::detail
