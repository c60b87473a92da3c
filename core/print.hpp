#pragma once

#include <gradtape/core/tensor.hpp>

#include <concepts>
#include <iosfwd>
#include <string>
#include <vector>

#include <fmt/core.h>

namespace gradtape::inline v0 {

/// The elements as nested lists, then shape and dtype; long axes are cut in the middle.
std::string to_string(const Tensor& tensor);
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

namespace detail {
/// The nodes that a tensor which needs a gradient depends on, oldest first.
std::vector<const Node*> tape_of(const Tensor& result);
}  // namespace detail

/// The tape behind `result`, newest first, one line a node: its number, op and output shape, its inputs, what it has
/// saved.
std::string tape_string(const Tensor& result);
/// Prints `tape_string(result)` to standard output.
void print_tape(const Tensor& result);

}  // namespace gradtape::inline v0

/// \cond
// `fmt::print("{}\n", tensor)`; takes no format options.
template <>
struct fmt::formatter<gradtape::Tensor> {
  constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
  fmt::format_context::iterator format(const gradtape::Tensor& tensor, fmt::format_context& context) const;
};
// The same for parameters and buffers of a module.
template <std::derived_from<gradtape::Tensor> T>
struct fmt::formatter<T> : fmt::formatter<gradtape::Tensor> {};
/// \endcond
