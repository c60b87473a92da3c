#pragma once

#include <cstddef>
#include <vector>

namespace gradtape::inline v0::report::detail {

/// A box of a drawing. Boxes stand in an order in which inputs come first.
struct Box {
  double width = 0, height = 0;
  std::vector<std::size_t> inputs;
  double x = 0, y = 0;  ///< of its centre and of its upper edge, set by `arrange`
};

/// A place of a drawing.
struct Point {
  double x = 0, y = 0;
};

/// The size of a drawing, and its lines: each from the lower edge of an input to the upper edge of a box that reads it.
struct Layout {
  double width = 0, height = 0;
  std::vector<std::vector<Point>> routes;
};

/// Places boxes in layers, each below all of its inputs, so that lines cross little and pass beside boxes (Sugiyama,
/// Tagawa and Toda 1981, with barycentres).
Layout arrange(std::vector<Box>& boxes);

}  // namespace gradtape::inline v0::report::detail
