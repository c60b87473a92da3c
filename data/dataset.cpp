#include <gradtape/core/array.hpp>
#include <gradtape/data/dataset.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::data::detail {
namespace {

/// Copies rows into an array with room for them; `shape` is its own.
Tensor copy_into(const Shape& shape, const Tensor& x, std::span<const std::int64_t> rows) {
  const Array& from = x.array();
  const std::int64_t size = from.shape()[0];
  const Array out = Array::make(from.dtype(), shape);
  const auto bytes = static_cast<std::size_t>(from.numel() / std::max<std::int64_t>(size, 1)) * size_of(from.dtype());
  std::byte* to = out.data();
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size) throw IndexError(fmt::format("TensorDataset: there is no row {} of {}", row, size));
    if (bytes > 0) std::memcpy(to, from.data() + static_cast<std::size_t>(row) * bytes, bytes);
    to += bytes;
  }
  return Tensor(out);
}

}  // namespace

std::int64_t common_rows(std::span<const Tensor> tensors) {
  for (const Tensor& x : tensors) {
    if (x.rank() == 0 || x.shape()[0] != tensors[0].shape()[0])
      throw ShapeError(fmt::format("TensorDataset: found shapes {} and {}, expected first axes of the same size",
                                   to_string(tensors[0].shape()), to_string(x.shape())));
  }
  return tensors[0].shape()[0];
}

Tensor copy_rows(const Tensor& x, std::span<const std::int64_t> rows) {
  Shape shape = x.shape();
  shape.set(0, static_cast<std::int64_t>(rows.size()));
  return copy_into(shape, x, rows);
}

Tensor copy_row(const Tensor& x, std::int64_t row) {
  const Shape& shape = x.shape();
  return copy_into(Shape(std::span(shape.begin() + 1, shape.end())), x, {&row, 1});
}

std::vector<std::int64_t> part_sizes(std::int64_t size, std::span<const double> parts) {
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.);
  const bool positive = std::ranges::all_of(parts, [](double part) { return part >= 0; });
  const bool whole = std::ranges::all_of(parts, [](double part) { return part == std::floor(part); });
  const bool counts = whole && sum == static_cast<double>(size);
  constexpr double tolerance = 1e-9;
  if (!positive || (!counts && !(std::abs(sum - 1) < tolerance)))
    throw ValueError(fmt::format("split: parts are {}, expected fractions that add up to 1 or counts that add up to {}",
                                 parts, size));
  std::vector<std::int64_t> sizes;
  for (const double part : parts)
    sizes.push_back(
        static_cast<std::int64_t>(counts ? part : std::floor(part * static_cast<double>(size) + tolerance)));
  std::int64_t left = size - std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  for (std::size_t i = 0; left > 0; i = (i + 1) % sizes.size()) {
    if (parts[i] == 0) continue;
    ++sizes[i];
    --left;
  }
  return sizes;
}

std::vector<std::int64_t> shuffled(std::int64_t size, std::uint64_t seed) {
  const RandomStream stream(seed);
  return permutation(size).to_vector<std::int64_t>();
}

Tensor stack_examples(std::vector<Tensor> examples) { return stack(examples); }

}  // namespace gradtape::inline v0::data::detail
