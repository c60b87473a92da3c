#pragma once

#include <gradtape/core/tensor.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace gradtape::inline v0 {

/// Options of `grad`.
struct GradOptions {
  bool retain_graph = false;  ///< keep the saved values for another sweep
  bool create_graph =
      false;  ///< record the sweep, so that the result can be differentiated again; implies retain_graph
  bool allow_unused = false;  ///< an input that was not reached gets zeros instead of an error
};

namespace detail {
/// d(sum(seed * output))/d(input) for each input, into `out`; an undefined seed means 1 for a one-element output.
void grad(const Tensor& output, const Tensor& seed, std::span<const Tensor> inputs, const GradOptions& options,
          std::span<Tensor> out);

/// The derivative of `output` along `tangents`, one for each of `inputs`, by a sweep forwards over the tape between
/// them; on the tape itself if `create_graph`. Undefined if no input was reached.
Tensor tangent(const Tensor& output, std::span<const Tensor> inputs, std::span<const Tensor> tangents,
               bool create_graph);
}  // namespace detail

/// d(output)/d(input) for each input, where `output` has exactly one element. Touches no `.grad()`. Throws
/// GradientError if an input needs no gradient or was not reached (see allow_unused).
template <std::size_t N>
std::array<Tensor, N> grad(const Tensor& output, const Tensor (&inputs)[N], const GradOptions& options = {}) {
  std::array<Tensor, N> out;
  detail::grad(output, {}, inputs, options, out);
  return out;
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options = {});

}  // namespace gradtape::inline v0
