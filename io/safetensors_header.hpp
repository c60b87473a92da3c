#pragma once

#include <gradtape/core/shape.hpp>
#include <gradtape/io/stored_dtype.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradtape::inline v0::detail {

/// What a safetensors header says of one tensor.
struct StoredTensor {
  std::string name;
  const StoredDtype* dtype = nullptr;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< of its bytes, counted from the end of the header
};

/// A safetensors header.
struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  ///< in the order of their data
  std::vector<std::pair<std::string, std::string>> metadata;
};

inline constexpr std::uint64_t max_header_size = 100'000'000;  ///< in bytes

[[noreturn]] void fail_safetensors(const std::string& path, const std::string& what);  ///< throws FileError
std::string in_quotes(std::string_view name);                                          ///< for messages

/// Reads a header and checks every rule of the format against the number of bytes that follow it. Throws FileError.
SafetensorsHeader parse_header(const std::string& path, std::string_view text, std::uint64_t data_size);

/// The JSON of a header, padded to a multiple of 8 bytes. Throws ValueError for a name that stands twice, is
/// "__metadata__" or is no UTF-8.
std::string header_text(const SafetensorsHeader& header);

}  // namespace gradtape::inline v0::detail
