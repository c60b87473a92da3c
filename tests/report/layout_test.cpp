#include <gradtape/gradtape.hpp>
#include <gradtape/report/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

#include <doctest/doctest.h>

namespace layout = gradtape::report::detail;

namespace {

/// Boxes of many sizes, each with up to three inputs among those before it.
std::vector<layout::Box> boxes_of(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<layout::Box> boxes(n);
  for (std::size_t i = 0; i < n; ++i) {
    boxes[i].width = static_cast<double>(40 + random() % 200);
    boxes[i].height = static_cast<double>(20 + random() % 100);
    for (std::size_t k = random() % 4; k > 0 && i > 0; --k) {
      const std::size_t input = random() % i;
      if (!std::ranges::count(boxes[i].inputs, input)) boxes[i].inputs.push_back(input);
    }
  }
  return boxes;
}

/// Whether the box that holds two points, a step of a line, reaches into a box.
bool meet(const layout::Box& box, layout::Point a, layout::Point b) {
  constexpr double touch = 1e-6;
  return std::max(a.x, b.x) > box.x - box.width / 2 + touch && std::min(a.x, b.x) < box.x + box.width / 2 - touch &&
         std::max(a.y, b.y) > box.y + touch && std::min(a.y, b.y) < box.y + box.height - touch;
}

}  // namespace

TEST_CASE("layout: boxes lie in the drawing below their inputs and apart") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    auto boxes = boxes_of(seed, seed);
    const auto drawn = layout::arrange(boxes);
    bool inside = true, below = true, apart = true, free = true;
    for (const auto& box : boxes) {
      const double left = box.x - box.width / 2, right = box.x + box.width / 2;
      inside &= left >= 0 && right <= drawn.width && box.y >= 0 && box.y + box.height <= drawn.height;
      for (const std::size_t input : box.inputs) below &= box.y > boxes[input].y + boxes[input].height;
      for (const auto& other : boxes)
        if (&other != &box)
          apart &=
              !meet(box, {other.x - other.width / 2, other.y}, {other.x + other.width / 2, other.y + other.height});
      for (const auto& route : drawn.routes)
        for (std::size_t i = 1; i < route.size(); ++i) free &= !meet(box, route[i - 1], route[i]);
    }
    CHECK(inside);
    CHECK(below);
    CHECK(apart);
    CHECK(free);  // no line crosses a box
  }
}

TEST_CASE("layout: lines go from a box that is read to its reader") {
  std::vector<layout::Box> boxes(3, {.width = 50, .height = 20, .inputs = {}});
  boxes[1].inputs = {0};
  boxes[2].inputs = {1, 0};  // the second passes the layer between
  const auto drawn = layout::arrange(boxes);
  REQUIRE(drawn.routes.size() == 3);
  for (const auto& route : drawn.routes) CHECK(std::ranges::is_sorted(route, {}, &layout::Point::y));
  const auto& passing = drawn.routes[2];
  CHECK(passing.front().x == boxes[0].x);
  CHECK(passing.front().y == boxes[0].y + 20);
  CHECK(passing.back().x == boxes[2].x);
  CHECK(passing.back().y == boxes[2].y);
}
