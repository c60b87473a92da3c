#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/kernels/convolution.hpp>
#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/kernels/winograd.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

/// By matrix products: the elements under each window make a column (Chellapilla et al., "High performance
/// convolutional neural networks for document processing", 2006). Some rows of windows are taken at a time, so that
/// their columns stay in the second-level cache between being written and being read. Some samples are a part, which
/// one thread works on.
namespace gradtape::inline v0::detail {
namespace {

constexpr std::int64_t block_bytes = 256 << 10;
constexpr std::int64_t least_columns = 64;  // fewer make a slow product

/// The images of one sample and one block of rows of windows, as matrices, one for each group.
struct Block {
  std::int64_t sample, row, rows;  // of windows
  Array room = {};                 // for columns, one for each part
};

class Blocks {
 public:
  Blocks(const Convolution& c, Dtype dtype, std::int64_t most_parts = most_sums)
      : c_(c),
        width_(c.windows.count[1]),
        windows_(c.windows.count[0] * width_),
        depth_(c.weight.numel() / c.weight[0]),
        as_it_is_(c.windows.size == Pair{1, 1} && c.windows.stride == Pair{1, 1} && c.windows.padding == Pair{0, 0} &&
                  c.windows.count == c.windows.image) {
    const auto row_bytes = product(std::array{c.groups, depth_, width_, static_cast<std::int64_t>(size_of(dtype))});
    const std::int64_t rows = std::max(block_bytes / std::max<std::int64_t>(row_bytes.value_or(block_bytes), 1),
                                       (least_columns - 1) / width_ + 1);
    rows_ = as_it_is_ ? c.windows.count[0] : std::min(rows, c.windows.count[0]);
    part_ = divide_up(c.x[0], most_parts);
    dtype_ = dtype;
  }

  std::int64_t parts() const { return divide_up(c_.x[0], part_); }

  /// Calls `f(block, its part)`, for several parts at once.
  template <class F>
  void for_each(F f) const {
    parallel_for(c_.x[0], part_, [&](std::int64_t begin, std::int64_t end) {
      const Array room = as_it_is_ ? Array() : Array::make(dtype_, {c_.groups, depth_, rows_ * width_});
      for (std::int64_t sample = begin; sample < end; ++sample)
        for (std::int64_t row = 0; row < c_.windows.count[0]; row += rows_)
          f(Block{sample, row, std::min(rows_, c_.windows.count[0] - row), room}, begin / part_);
    });
  }

  bool as_it_is() const { return as_it_is_; }

  /// [groups, out / groups, depth]
  Array weight(const Array& w) const { return reshaped(w, {c_.groups, c_.weight[0] / c_.groups, depth_}); }

  /// [groups, out / groups, windows of the block]
  Array outputs(const Array& y, const Block& b) const {
    const std::int64_t out = c_.weight[0] / c_.groups;
    return Array::view(y, {c_.groups, out, b.rows * width_}, {out * windows_, windows_, 1},
                       b.sample * c_.weight[0] * windows_ + b.row * width_);
  }

  /// b [out] as [groups, out / groups, windows of a block]
  static Array bias(const Array& b, const Shape& shape) {
    const std::int64_t step = b.strides()[0];
    return Array::view(b, shape, {shape[1] * step, step, 0});
  }

  /// [groups, depth, windows of the block], not filled yet; x itself where the elements stand there like that.
  Array columns(const Array& x, const Block& b) const {
    const Shape shape{c_.groups, depth_, b.rows * width_};
    return as_it_is_ ? Array::view(x, shape, packed_strides(shape), b.sample * shape.numel())
                     : Array::view(b.room, shape, packed_strides(shape));
  }

 private:
  const Convolution& c_;
  std::int64_t width_, windows_, depth_, rows_, part_;
  bool as_it_is_;
  Dtype dtype_;
};

/// Calls `f(column, x, rows, lo, hi)` for each element of windows and some rows of windows that follow each other, in
/// columns as in x: where the first row of columns and that of x start, and which windows [lo, hi) of each row have
/// that element inside of the image.
template <class F>
void for_each_run(const Convolution& c, const Block& b, F f) {
  const Windows& w = c.windows;
  const std::int64_t height = w.image[0], width = w.image[1], end = b.row + b.rows;
  const bool together = w.stride == Pair{1, 1} && w.count[1] == width;
  std::int64_t column = 0;
  for (std::int64_t channel = 0; channel < c.x[1]; ++channel)
    for (std::int64_t i = 0; i < w.size[0]; ++i)
      for (std::int64_t j = 0; j < w.size[1]; ++j) {
        const std::int64_t first = w.at(1, 0, j);  // of the row's first window
        const auto windows_before = [&](std::int64_t place) {
          return std::clamp<std::int64_t>(place <= first ? 0 : (place - first - 1) / w.stride[1] + 1, 0, w.count[1]);
        };
        const std::int64_t lo = windows_before(0), hi = windows_before(width);
        for (std::int64_t row = b.row; row < end;) {
          const std::int64_t y = w.at(0, row, i);
          const bool inside = y >= 0 && y < height;
          const std::int64_t alike = y < 0    ? -y
                                     : inside ? height - y
                                              : end - row,
                             rows = together ? std::min(alike, end - row) : 1;
          f(column, ((b.sample * c.x[1] + channel) * height + y) * width + first, rows, inside ? lo : 0,
            inside ? hi : 0);
          row += rows;
          column += rows * w.count[1];
        }
      }
}

/// Fills with zeros; mostly one element or none, for which a call would take longer.
template <class T>
void clear(T* begin, T* end) {
  if (end - begin == 1)
    *begin = T{0};
  else if (begin != end)
    std::fill(begin, end, T{0});
}

/// Copies n elements in chunks of 64 bytes, the last of which may reach beyond them.
template <class T>
void copy_chunks(T* to, const T* from, std::int64_t n) {
  constexpr auto chunk = static_cast<std::int64_t>(64 / sizeof(T));
  for (std::int64_t k = 0; k < n; k += chunk) std::memcpy(to + k, from + k, 64);
}

template <class T>
void fill_columns(const Convolution& c, const Block& b, T* columns, const T* x) {
  const std::int64_t stride = c.windows.stride[1], width = c.windows.count[1];
  for_each_run(c, b, [=](std::int64_t column, std::int64_t at, std::int64_t rows, std::int64_t lo, std::int64_t hi) {
    T* const to = columns + column;
    if (stride != 1)
      for (std::int64_t k = lo; k < hi; ++k) to[k] = x[at + k * stride];
    else if (lo < hi)  // what this writes between rows and beyond is written after it
      copy_chunks(to + lo, x + at + lo, (rows - 1) * width + hi - lo);
    for (std::int64_t row = 0; row < rows; ++row) {
      clear(to + row * width, to + row * width + lo);
      clear(to + row * width + hi, to + (row + 1) * width);
    }
  });
}

/// Overwrites in `columns` what lies outside of the image.
template <class T>
void add_columns(const Convolution& c, const Block& b, T* x, T* columns) {
  const std::int64_t stride = c.windows.stride[1], width = c.windows.count[1];
  for_each_run(c, b, [=](std::int64_t column, std::int64_t at, std::int64_t rows, std::int64_t lo, std::int64_t hi) {
    if (lo == hi) return;
    T* const from = columns + column;
    for (std::int64_t row = 1; row < rows; ++row) clear(from + (row - 1) * width + hi, from + row * width + lo);
    const std::int64_t end = (rows - 1) * width + hi;
    if (stride == 1)
      for (std::int64_t k = lo; k < end; ++k) x[at + k] += from[k];
    else
      for (std::int64_t k = lo; k < hi; ++k) x[at + k * stride] += from[k];
  });
}

/// The columns of a block of x.
Array columns_of(const Convolution& c, const Blocks& blocks, const Array& x, const Block& b) {
  const Array columns = blocks.columns(x, b);
  if (!blocks.as_it_is())
    with_floating("convolution", x.dtype(),
                  [&]<class T>(std::type_identity<T>) { fill_columns(c, b, columns.data<T>(), x.data<T>()); });
  return columns;
}

}  // namespace

void convolve(const Convolution& c, const Array& y, const Array& x, const Array& weight, double beta,
              const Array* bias) {
  if (y.numel() == 0) return;
  if (winograd_convolve(c, y, x, weight, beta, bias)) return;
  const Array from = packed(x);
  const Blocks blocks(c, y.dtype());
  const Array w = blocks.weight(weight);
  blocks.for_each([&](const Block& b, std::int64_t /*part*/) {
    const Array out = blocks.outputs(y, b);
    if (bias) copy_elements(out, blocks.bias(*bias, out.shape()));
    // (out,depth)·(depth,windows) -> (out,windows)
    gemm(out, w, columns_of(c, blocks, from, b), bias ? 1 : beta);
  });
}

void convolve_back(const Convolution& c, const Array& x, const Array& y, const Array& weight, double beta) {
  if (winograd_convolve_back(c, x, y, weight, beta)) return;
  if (beta == 0) fill(x, 0);
  if (x.numel() == 0 || y.numel() == 0) return;
  const Array from = packed(y);
  const Blocks blocks(c, x.dtype());
  const Array w = transposed(blocks.weight(weight), 1, 2);
  blocks.for_each([&](const Block& b, std::int64_t /*part*/) {
    const Array columns = blocks.columns(x, b);
    // (depth,out)·(out,windows) -> (depth,windows)
    gemm(columns, w, blocks.outputs(from, b), blocks.as_it_is() ? 1 : 0);
    if (!blocks.as_it_is())
      with_floating("convolution", x.dtype(),
                    [&]<class T>(std::type_identity<T>) { add_columns(c, b, x.data<T>(), columns.data<T>()); });
  });
}

void correlate(const Convolution& c, const Array& weight, const Array& y, const Array& x, double beta) {
  if (winograd_correlate(c, weight, y, x, beta)) return;
  if (beta == 0) fill(weight, 0);
  if (weight.numel() == 0 || y.numel() == 0) return;
  const Array from = packed(x), of = packed(y);
  const Blocks blocks(c, x.dtype(), sums_for(weight.numel() * static_cast<std::int64_t>(size_of(x.dtype()))));
  const Array sum = blocks.weight(weight);
  // Transposed or not, so that the smaller matrix is the one that is read across its rows.
  const std::int64_t out = sum.shape()[1], depth = sum.shape()[2];
  const bool turned = depth > out;
  const Shape shape = turned ? Shape{c.groups, depth, out} : sum.shape();
  std::array<Array, most_sums> room;
  const std::span<Array> parts(room.data(), static_cast<std::size_t>(blocks.parts()));
  for (Array& part : parts) fill(part = Array::make(x.dtype(), shape), 0);
  blocks.for_each([&](const Block& b, std::int64_t part) {
    const Array outputs = blocks.outputs(of, b), columns = columns_of(c, blocks, from, b);
    // (depth,windows)·(windows,out) -> (depth,out), or (out,windows)·(windows,depth) -> (out,depth)
    gemm(room[static_cast<std::size_t>(part)], turned ? columns : outputs, turned ? outputs : columns, 1,
         Transposed::right);
  });
  for (const Array& part : parts) add_elements(sum, turned ? transposed(part, 1, 2) : part);
}

}  // namespace gradtape::inline v0::detail
