#pragma once

#include <gradtape/core/error.hpp>
#include <gradtape/core/tensor.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gradtape::inline v0::data {

/// Examples by number: `size()` of them, `get(i)` one, a std::array of Tensors (such as an image and its label), always
/// as many and of the same shapes. A dataset that has a quicker way to several of them may offer `batch(rows)`: the
/// same Tensors with one more axis in front. Both run in the workers of a DataLoader, at once: they may read what the
/// dataset holds and hand out Tensors of it or views, but not write to it.
template <class D>
concept Dataset = std::copyable<D> && requires(const D& dataset, std::int64_t i) {
  { dataset.size() } -> std::convertible_to<std::int64_t>;
  std::tuple_size<decltype(dataset.get(i))>::value;
  { dataset.get(i)[0] } -> std::convertible_to<Tensor>;
};

/// What a dataset gives: std::array<Tensor, N>.
template <Dataset D>
using Example = decltype(std::declval<const D&>().get(0));

namespace detail {

/// The number of rows that all tensors share. Throws ShapeError for a scalar or where they differ.
std::int64_t common_rows(std::span<const Tensor> tensors);
/// A copy of these rows. Takes no handle on x, so that threads may do so at once.
Tensor copy_rows(const Tensor& x, std::span<const std::int64_t> rows);
/// A copy of one row, without its axis.
Tensor copy_row(const Tensor& x, std::int64_t row);
/// How many of `size` examples each part gets: counts that add up to it, or fractions that add up to 1.
std::vector<std::int64_t> part_sizes(std::int64_t size, std::span<const double> parts);
/// 0 … size-1 in random order, without a change to the thread's random numbers.
std::vector<std::int64_t> shuffled(std::int64_t size, std::uint64_t seed);
/// Examples stacked to a batch.
Tensor stack_examples(std::vector<Tensor> examples);

}  // namespace detail

/// Tensors with one row an example: `TensorDataset data(images, labels)`.
template <std::size_t N>
class TensorDataset {
 public:
  /// Throws ShapeError unless the first axes are equal.
  template <std::same_as<Tensor>... T>
    requires(sizeof...(T) == N)
  explicit TensorDataset(const T&... tensors)
      : tensors_{Tensor(packed(tensors.array()))...}, size_(detail::common_rows(tensors_)) {}

  std::int64_t size() const { return size_; }                        ///< number of rows
  const std::array<Tensor, N>& tensors() const { return tensors_; }  ///< all rows
  /// One row of each.
  std::array<Tensor, N> get(std::int64_t i) const {
    return each([&](const Tensor& x) { return detail::copy_row(x, i); });
  }
  /// Several rows of each.
  std::array<Tensor, N> batch(std::span<const std::int64_t> rows) const {
    return each([&](const Tensor& x) { return detail::copy_rows(x, rows); });
  }

 private:
  template <class F>
  std::array<Tensor, N> each(F f) const {
    std::array<Tensor, N> out;
    for (std::size_t i = 0; i < N; ++i) out[i] = f(tensors_[i]);
    return out;
  }
  std::array<Tensor, N> tensors_;
  std::int64_t size_;
};
/// As many tensors as are given.
template <std::same_as<Tensor>... T>
TensorDataset(const T&...) -> TensorDataset<sizeof...(T)>;

/// These examples of a dataset as a batch: its `batch`, or what `get` gives stacked.
template <Dataset D>
Example<D> batch_of(const D& dataset, std::span<const std::int64_t> rows) {
  if constexpr (requires { dataset.batch(rows); }) {
    return dataset.batch(rows);
  } else {
    std::array<std::vector<Tensor>, std::tuple_size_v<Example<D>>> parts;
    for (const std::int64_t row : rows) {
      Example<D> example = dataset.get(row);
      for (std::size_t i = 0; i < parts.size(); ++i) parts[i].push_back(std::move(example[i]));
    }
    Example<D> batch;
    for (std::size_t i = 0; i < parts.size(); ++i) batch[i] = detail::stack_examples(std::move(parts[i]));
    return batch;
  }
}

/// Some examples of a dataset, in an order of their own.
template <Dataset D>
class Subset {
 public:
  /// Example i is example `rows[i]` of `dataset`. Throws IndexError for one that does not exist.
  Subset(D dataset, std::vector<std::int64_t> rows) : dataset_(std::move(dataset)), rows_(std::move(rows)) {
    for (const std::int64_t row : rows_)
      if (row < 0 || row >= dataset_.size()) throw IndexError("Subset: there is no row " + std::to_string(row));
  }

  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }  ///< number of examples
  const std::vector<std::int64_t>& rows() const { return rows_; }                ///< which ones
  Example<D> get(std::int64_t i) const { return dataset_.get(row(i)); }          ///< one of them
  /// Several of them.
  Example<D> batch(std::span<const std::int64_t> wanted) const {
    std::vector<std::int64_t> rows;
    for (const std::int64_t i : wanted) rows.push_back(row(i));
    return batch_of(dataset_, std::span<const std::int64_t>(rows));
  }

 private:
  std::int64_t row(std::int64_t i) const {
    if (i < 0 || i >= size()) throw IndexError("Subset: there is no row " + std::to_string(i));
    return rows_[static_cast<std::size_t>(i)];
  }
  D dataset_;
  std::vector<std::int64_t> rows_;
};

/// Options of `split`.
struct SplitOptions {
  std::uint64_t seed = 0;  ///< which random order
};

/// Parts of a dataset, drawn at random: `auto [train, test] = split(data, {0.8, 0.2})`. Parts are fractions that add up
/// to 1 (what rounding leaves goes to the first ones) or counts that add up to the size. The same seed gives the same
/// parts on every machine; the thread's random numbers are left alone. Throws ValueError for other parts.
template <Dataset D, std::size_t N>
std::array<Subset<D>, N> split(const D& dataset, const double (&parts)[N], const SplitOptions& options = {}) {
  const std::vector<std::int64_t> sizes = detail::part_sizes(dataset.size(), parts),
                                  order = detail::shuffled(dataset.size(), options.seed);
  auto next = order.begin();
  const auto take = [&](std::size_t i) {
    const auto first = next;
    next += sizes[i];
    return Subset<D>(dataset, {first, next});
  };
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Subset<D>, N>{take(I)...};  // braces: in this order
  }(std::make_index_sequence<N>{});
}

}  // namespace gradtape::inline v0::data
