#pragma once

#include <gradtape/core/tensor.hpp>

#include <string_view>

namespace gradtape::inline v0 {

/// What `upsample` puts between elements.
enum class UpsampleMode {
  nearest,   ///< the element at i · n / size rounded down
  bilinear,  ///< a line from each to the next, along both axes
};

/// Options of `upsample`; one of `size` and `scale_factor` must be given, as one number or one for each of two axes.
struct UpsampleOptions {
  IntegerList size = {};                      ///< height and width of the result, at least 1
  IntegerList scale_factor = {};              ///< or how many times as large it is, at least 1
  UpsampleMode mode = UpsampleMode::nearest;  ///< how elements come about
  bool align_corners = false;  ///< bilinear: the outermost centres stay at the edges, instead of the outermost borders
};

/// Images of another size: x (…, h, w) -> (…, h', w'), f32 or f64. Bilinear, element i along an axis lies at (i + 1/2)
/// n / n' - 1/2, or at i (n - 1) / (n' - 1) with align_corners. Throws ShapeError for an image without elements,
/// ValueError for options that make no sense.
Tensor upsample(const Tensor& x, const UpsampleOptions& options);

namespace detail {
/// Throws ValueError that names `op` for options that make no sense.
void check_upsample(std::string_view op, const UpsampleOptions& options);
}  // namespace detail

}  // namespace gradtape::inline v0
