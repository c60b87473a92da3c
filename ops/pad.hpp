#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <vector>

namespace gradtape::inline v0 {

/// How many elements `pad` adds to an axis.
struct Padding {
  std::int64_t before = 0;  ///< at its front
  std::int64_t after = 0;   ///< at its end
};

/// What `pad` puts there, for an axis a b c.
enum class PadMode {
  constant,   ///< a value: 0 0 a b c 0 0
  reflect,    ///< a mirror at the outermost elements: c b a b c b a
  replicate,  ///< the outermost elements: a a a b c c c
};

/// Options of `pad`.
struct PadOptions {
  PadMode mode = PadMode::constant;  ///< what is put there
  double value = 0;                  ///< for PadMode::constant
};

/// x with elements put before and after it: `pad(images, {{1, 1}, {2, 2}})`. The pairs stand for the last axes, in
/// their order; axes in front of those stay as they are. Any dtype. Throws ShapeError for more pairs than axes, or
/// where an axis has too few elements to reflect (it needs one more than are added) or to replicate; ValueError for a
/// negative number.
Tensor pad(const Tensor& x, const std::vector<Padding>& padding, const PadOptions& options = {});

}  // namespace gradtape::inline v0
