#pragma once

#include <cstdint>
#include <string_view>

namespace gradtape::inline v0::report::detail {

/// CRC-32C (Castagnoli) of bytes, RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace gradtape::inline v0::report::detail
