#include <gradtape/report/layout.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

namespace gradtape::inline v0::report::detail {
namespace {

constexpr double beside = 24, below = 28, margin = 8;
constexpr int sweeps = 8;

/// A box, or a bend where a line passes a layer.
struct Place {
  double width, height;
  double x = 0, y = 0, bottom = 0;  // the latter of its layer
  std::vector<std::size_t> above = {}, under = {};
};

class Arranger {
 public:
  explicit Arranger(const std::vector<Box>& boxes) {
    std::vector<std::size_t> layer_of(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      for (const std::size_t input : boxes[i].inputs) layer_of[i] = std::max(layer_of[i], layer_of[input] + 1);
      put(boxes[i].width, boxes[i].height, layer_of[i]);
    }
    for (std::size_t i = 0; i < boxes.size(); ++i)
      for (const std::size_t input : boxes[i].inputs) connect(input, layer_of[input], i, layer_of[i]);
  }

  void order() {
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      for (std::size_t i = 1; i < layers_.size(); ++i) sort(layers_[i], &Place::above);
      for (std::size_t i = layers_.size(); i-- > 1;) sort(layers_[i - 1], &Place::under);
    }
  }

  void spread() {
    for (auto& layer : layers_) space(layer);
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      for (auto& layer : layers_) pull(layer, &Place::above);
      for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) pull(*layer, &Place::under);
    }
    double y = margin;
    for (const auto& layer : layers_) {
      double deepest = 0;
      for (const std::size_t i : layer) deepest = std::max(deepest, places[i].height);
      for (const std::size_t i : layer) places[i].y = y, places[i].bottom = y + deepest;
      y += deepest + below;
    }
  }

  std::vector<Place> places;
  std::vector<std::vector<std::size_t>> lines;  // places, from the input's to the reader's

 private:
  using Neighbours = std::vector<std::size_t> Place::*;

  std::size_t put(double width, double height, std::size_t layer) {
    layers_.resize(std::max(layers_.size(), layer + 1));
    layers_[layer].push_back(places.size());
    places.push_back({.width = width, .height = height});
    return places.size() - 1;
  }

  void connect(std::size_t from, std::size_t from_layer, std::size_t to, std::size_t to_layer) {
    std::vector<std::size_t> line{from};
    for (std::size_t layer = from_layer + 1; layer < to_layer; ++layer) line.push_back(put(0, 0, layer));
    line.push_back(to);
    for (std::size_t i = 1; i < line.size(); ++i) {
      places[line[i]].above.push_back(line[i - 1]);
      places[line[i - 1]].under.push_back(line[i]);
    }
    lines.push_back(std::move(line));
  }

  double middle(std::size_t place, Neighbours side) const {
    const auto& near = places[place].*side;
    if (near.empty()) return places[place].x;
    double sum = 0;
    for (const std::size_t i : near) sum += places[i].x;
    return sum / static_cast<double>(near.size());
  }

  /// By where the neighbours are; `x` is the rank in a layer meanwhile.
  void sort(std::vector<std::size_t>& layer, Neighbours side) {
    std::vector<double> key(layer.size());
    std::ranges::transform(layer, key.begin(), [&](std::size_t i) { return middle(i, side); });
    std::vector<std::size_t> rank(layer.size());
    std::iota(rank.begin(), rank.end(), std::size_t{0});
    std::ranges::stable_sort(rank, {}, [&](std::size_t i) { return key[i]; });
    std::vector<std::size_t> sorted;
    for (const std::size_t i : rank) sorted.push_back(layer[i]);
    layer = std::move(sorted);
    for (std::size_t i = 0; i < layer.size(); ++i) places[layer[i]].x = static_cast<double>(i);
  }

  double distance(std::size_t a, std::size_t b) const { return (places[a].width + places[b].width) / 2 + beside; }

  void space(const std::vector<std::size_t>& layer) {
    for (std::size_t i = 0; i < layer.size(); ++i)
      places[layer[i]].x = i == 0 ? 0 : places[layer[i - 1]].x + distance(layer[i - 1], layer[i]);
    const double centre = layer.empty() ? 0 : places[layer.back()].x / 2;
    for (const std::size_t i : layer) places[i].x -= centre;
  }

  /// Moves each place below (or above) the middle of its neighbours, as far as those beside it allow.
  void pull(const std::vector<std::size_t>& layer, Neighbours side) {
    double shift = 0;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const double wanted = middle(layer[i], side);
      const double least = i == 0 ? wanted : places[layer[i - 1]].x + distance(layer[i - 1], layer[i]);
      places[layer[i]].x = std::max(wanted, least);
      shift += wanted - places[layer[i]].x;
    }
    for (const std::size_t i : layer) places[i].x += shift / static_cast<double>(layer.size());
  }

  std::vector<std::vector<std::size_t>> layers_;
};

}  // namespace

Layout arrange(std::vector<Box>& boxes) {
  Arranger arranger(boxes);
  arranger.order();
  arranger.spread();
  Layout layout;
  double left = std::numeric_limits<double>::infinity();
  for (const Place& place : arranger.places) left = std::min(left, place.x - place.width / 2);
  for (Place& place : arranger.places) {
    place.x += margin - left;
    layout.width = std::max(layout.width, place.x + place.width / 2 + margin);
    layout.height = std::max(layout.height, place.y + place.height + margin);
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) boxes[i].x = arranger.places[i].x, boxes[i].y = arranger.places[i].y;
  for (const auto& line : arranger.lines) {
    std::vector<Point> route;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const Place& place = arranger.places[line[i]];
      if (i > 0) route.push_back({place.x, place.y});
      if (i + 1 == line.size()) continue;
      if (i == 0) route.push_back({place.x, place.y + place.height});
      route.push_back({place.x, place.bottom});  // it turns below the layer, where there are no boxes
    }
    layout.routes.push_back(std::move(route));
  }
  return layout;
}

}  // namespace gradtape::inline v0::report::detail
