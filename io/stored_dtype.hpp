#pragma once

#include <gradtape/core/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradtape::inline v0::detail {

/// An element type that safetensors files know, and how it is read.
struct StoredDtype {
  std::string_view name;  ///< in the file, such as "BF16"
  std::size_t size;       ///< bytes of one element there
  Dtype dtype;            ///< as what it is read
  /// Reads n elements, up to the first that the dtype cannot hold; returns how many. Null where the bytes are the same.
  std::int64_t (*convert)(const std::byte* from, std::int64_t n, std::byte* to);
};

const StoredDtype* find_stored_dtype(std::string_view name);  ///< null for one that is not known
const StoredDtype& stored_dtype(Dtype dtype);                 ///< the one of the same bytes

}  // namespace gradtape::inline v0::detail
