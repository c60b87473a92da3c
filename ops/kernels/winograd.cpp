#include <gradtape/core/parallel.hpp>
#include <gradtape/core/transpose.hpp>
#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/kernels/winograd.hpp>
#include <gradtape/ops/kernels/winograd_tile.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

#include <xsimd/xsimd.hpp>

/// Convolution by fewer multiplications (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016,
/// where it is F(2 x 2, 3 x 3)). Along one axis, two windows beside each other over d0 … d3 with weights g0 … g2 are
/// Aᵀ (G g ⊙ Bᵀ d), which takes four multiplications instead of six. Results fall into tiles of 2 x 2, and each of the
/// 16 numbers of a tile is summed over the channels by a matrix product, for many tiles at once. A gradient is the same
/// with transforms transposed. To be transformed, channels are put side by side, a register of them at a time.
namespace gradtape::inline v0::detail {
namespace {

using Batch = xsimd::batch<float>;
constexpr auto lanes = static_cast<std::int64_t>(Batch::size);
constexpr std::int64_t numbers = 16;  // of a tile
constexpr std::int64_t tile_bytes_a_channel = numbers * sizeof(float);

constexpr std::int64_t block_bytes = 512 << 10;  // of tiles: they stay in the second-level cache
constexpr std::int64_t least_tiles = 48;         // fewer make slow products,
constexpr std::int64_t least_channels = 16;      // and so do fewer of these

Array floats(std::int64_t n) { return Array::make(Dtype::f32, {n}); }

/// So many channels, filled up to whole registers.
std::int64_t whole(std::int64_t channels) { return divide_up(channels, lanes) * lanes; }

/// The images [n, channels, height, width] on one side of a convolution.
struct Images {
  float* data;
  std::int64_t channels, height, width;

  explicit Images(const Array& x)
      : data(x.data<float>()), channels(x.shape()[1]), height(x.shape()[2]), width(x.shape()[3]) {}
};

/// Whether nothing is infinite, NaN, or so large that sums of products could become so.
bool moderate(const float* x, std::int64_t n) {
  std::uint32_t largest = 0;  // bits have the order of the numbers, without the sign, and NaN above
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffu);
  return largest <= std::bit_cast<std::uint32_t>(0x1p40f);
}

/// Pixels with their channels side by side, and one more that stands for all that an image does not have.
class Pixels {
 public:
  Pixels(std::int64_t most, std::int64_t channels)
      : channels_(channels), step_(whole(channels)), room_(floats((most + 1) * step_)) {
    fill(step_ == channels_ ? Array::view(room_, {step_}, {1}) : room_, 0);  // and what fills up registers
  }
  /// n pixels; of each channel they follow each other, and from each channel to the next is `step`. Whether all are
  /// moderate.
  bool read(const float* from, std::int64_t step, std::int64_t n) const {
    copy_transposed<Words>((*this)[0], step_, from, step, n, channels_);
    return moderate((*this)[0], n * step_);
  }
  void write(float* to, std::int64_t step, std::int64_t n) const {
    copy_transposed<Words>(to, step, (*this)[0], step_, channels_, n);
  }
  float* operator[](std::int64_t i) const { return room_.data<float>() + (i + 1) * step_; }
  float* outside() const { return room_.data<float>(); }

 private:
  std::int64_t channels_, step_;
  Array room_;
};

/// A matrix for each number of a tile.
struct Matrices {
  std::int64_t rows = 0, cols = 0;
  Array room;

  Matrices() = default;
  Matrices(std::int64_t m, std::int64_t n) : rows(m), cols(n), room(floats(numbers * m * n)) {}

  float* at(std::size_t number, std::int64_t row = 0, std::int64_t col = 0) const {
    return room.data<float>() + (static_cast<std::int64_t>(number) * rows + row) * cols + col;
  }
  /// Without what fills up registers.
  Matrix<float> first_cols(std::size_t number, std::int64_t n) const { return {at(number), rows, n, cols, 1}; }
  Matrix<float> operator[](std::size_t number) const { return first_cols(number, cols); }

  Square<Batch, 4> load(std::int64_t row, std::int64_t col) const {
    return square<4>([&](std::size_t i, std::size_t j) { return Batch::load_aligned(at(4 * i + j, row, col)); });
  }
  void store(const Square<Batch, 4>& x, std::int64_t row, std::int64_t col) const {
    for_each(x,
             [&](std::size_t i, std::size_t j, const Batch& value) { value.store_aligned(at(4 * i + j, row, col)); });
  }
};

/// Tiles over results [n, channels, height, width]; their rows are counted through all samples.
struct Grid {
  std::int64_t samples, down, across;

  explicit Grid(const Shape& y) : samples(y[0]), down(divide_up(y[2], 2)), across(divide_up(y[3], 2)) {}
  std::int64_t rows() const { return samples * down; }
  std::int64_t rows_a_block(const Images& x, const Images& y) const {
    const std::int64_t tile_bytes = tile_bytes_a_channel * (whole(x.channels) + whole(y.channels));
    return std::min(rows(), divide_up(std::max(block_bytes / tile_bytes, least_tiles), across));
  }
};

/// Some of those rows.
struct Rows {
  const Grid& grid;
  std::int64_t begin, end;

  std::int64_t tiles() const { return (end - begin) * grid.across; }
};

enum class Copy { read, written };

/// Calls `f(pixels, tile)` for each tile: where in a copy of the images its n x n pixels are, which start at
/// 2 (row, column) - padding. The copy is read from the images before, or written to them after. Whether all pixels are
/// moderate.
template <std::size_t n, class F>
bool for_each_tile(const Rows& rows, const Images& images, const Pair& padding, Copy copy, F f) {
  constexpr auto size = static_cast<std::int64_t>(n);
  const std::int64_t down = rows.grid.down, plane = images.height * images.width,
                     most = 2 * std::min(rows.end - rows.begin, down) + size;
  const Pixels pixels(std::min(most, images.height) * images.width, images.channels);
  bool all_moderate = true;
  for (std::int64_t row = rows.begin, tile = 0; row < rows.end;) {
    const std::int64_t sample = row / down, first = 2 * (row % down) - padding[0];
    const std::int64_t last = first + 2 * (std::min(down - row % down, rows.end - row) - 1);
    const std::int64_t top = std::clamp<std::int64_t>(first, 0, images.height),
                       bottom = std::clamp(last + size, top, images.height), count = (bottom - top) * images.width;
    float* const data = images.data + sample * images.channels * plane + top * images.width;
    if (copy == Copy::read) all_moderate &= pixels.read(data, plane, count);
    for (std::int64_t y = first; y <= last; y += 2, ++row)
      for (std::int64_t j = 0; j < rows.grid.across; ++j, ++tile)
        f(square<n>([&, x = 2 * j - padding[1]](std::size_t lower, std::size_t further) {
            const std::int64_t at = y + static_cast<std::int64_t>(lower), col = x + static_cast<std::int64_t>(further);
            const bool inside = (top <= at) & (at < bottom) & (0 <= col) & (col < images.width);
            return inside ? pixels[(at - top) * images.width + col] : pixels.outside();
          }),
          tile);
    if (copy == Copy::written) pixels.write(data, plane, count);
  }
  return all_moderate;
}

/// The transforms of n x n pixels a tile. Says so if not all are moderate.
template <std::size_t n, class F>
[[gnu::flatten]] Matrices tiles_of(const Rows& rows, const Images& images, const Pair& padding, F transform,
                                   std::atomic<bool>& all_moderate) {
  const Matrices out{rows.tiles(), whole(images.channels)};
  if (!for_each_tile<n>(rows, images, padding, Copy::read, [&](const Square<float*, n>& from, std::int64_t tile) {
        for (std::int64_t c = 0; c < out.cols; c += lanes) {
          const auto x = square<n>([&](std::size_t i, std::size_t j) { return Batch::load_aligned(from[i][j] + c); });
          out.store(along_both(transform, x), tile, c);
        }
      }))
    all_moderate = false;
  return out;
}

/// images = the results of tiles + bias.
[[gnu::flatten]] void write_results(const Images& images, const Rows& rows, const Matrices& tiles, const float* bias) {
  for_each_tile<2>(rows, images, {0, 0}, Copy::written, [&](const Square<float*, 2>& to, std::int64_t tile) {
    for (std::int64_t c = 0; c < tiles.cols; c += lanes)
      for_each(along_both(tile_to_result, tiles.load(tile, c)), [&](std::size_t i, std::size_t j, const Batch& y) {
        (y + Batch::load_aligned(bias + c)).store_aligned(to[i][j] + c);
      });
  });
}

/// Kernels of 3 x 3 weights: a row of them for each channel that is read, a column for each that is written.
struct Kernels {
  float* data;
  std::int64_t rows, row_step, cols, col_step;
};

/// The transforms of kernels, or of kernels whose elements go from the last to the first. Says so likewise.
Matrices tiles_of(const Kernels& w, bool turned, std::atomic<bool>& all_moderate) {
  const Matrices out{w.rows, whole(w.cols)};
  parallel_for(w.rows, rows_a_part(numbers * out.cols), [&](std::int64_t begin, std::int64_t end) {
    const Pixels kernels(9, w.cols);
    for (std::int64_t row = begin; row < end; ++row) {
      if (!kernels.read(w.data + row * w.row_step, w.col_step, 9)) all_moderate = false;
      for (std::int64_t c = 0; c < out.cols; c += lanes) {
        const auto g = square<3>([&](std::size_t i, std::size_t j) {
          const auto k = static_cast<std::int64_t>(3 * i + j);
          return Batch::load_aligned(kernels[turned ? 8 - k : k] + c);
        });
        out.store(along_both(weight_to_tile, g), row, c);
      }
    }
  });
  return out;
}

/// w = beta * w + the weights that are the sum of `parts`.
void add_weights(const Kernels& w, std::span<const Matrices> parts, double beta) {
  const std::int64_t cols = parts[0].cols;
  parallel_for(w.rows, rows_a_part(numbers * std::ssize(parts) * cols), [&](std::int64_t begin, std::int64_t end) {
    const Pixels kernels(9, w.cols);
    for (std::int64_t row = begin; row < end; ++row) {
      if (beta != 0) kernels.read(w.data + row * w.row_step, w.col_step, 9);
      for (std::int64_t c = 0; c < cols; c += lanes) {
        Square<Batch, 4> sum = parts[0].load(row, c);
        for (const Matrices& part : parts.subspan(1))
          for_each(part.load(row, c), [&](std::size_t i, std::size_t j, const Batch& x) { sum[i][j] += x; });
        for_each(along_both(tile_to_weight, sum), [&](std::size_t i, std::size_t j, Batch g) {
          float* const to = kernels[static_cast<std::int64_t>(3 * i + j)] + c;
          if (beta != 0) g += Batch::load_aligned(to);
          g.store_aligned(to);
        });
      }
      kernels.write(w.data + row * w.row_step, w.col_step, 9);
    }
  });
}

/// y = beta * y + the convolution of x + bias, where y is of that shape. False, with nothing useful in y if beta is 0,
/// if not all that is read is moderate.
bool convolve(const Array& y, const Array& x, const Pair& padding, const Kernels& w, bool turned, double beta,
              const Array* bias = nullptr) {
  const Array from = packed(x), out = beta == 0 ? y : Array::like(y), start = floats(whole(y.shape()[1]));
  const Images to_images(out), from_images(from);
  fill(start, 0);
  if (bias) copy_elements(Array::view(start, bias->shape(), {1}), *bias);
  const Grid grid(y);
  std::atomic<bool> all_moderate = true;
  const Matrices weights = tiles_of(w, turned, all_moderate);
  if (!all_moderate) return false;
  parallel_for(grid.rows(), grid.rows_a_block(from_images, to_images), [&](std::int64_t begin, std::int64_t end) {
    const Rows rows{grid, begin, end};
    const Matrices tiles = tiles_of<4>(rows, from_images, padding, image_to_tile, all_moderate),
                   results{rows.tiles(), weights.cols};
    if (!all_moderate) return;
    for (std::size_t k = 0; k < numbers; ++k)  // (tiles,in)·(in,out) -> (tiles,out)
      gemm_at(results.at(k), tiles.first_cols(k, from_images.channels), weights[k], false);
    write_results(to_images, rows, results, start.data<float>());
  });
  if (all_moderate && beta != 0) add_elements(y, out);
  return all_moderate;
}

/// By measurement, and for all three: the products of the first take at most 0.7 of the multiplications, channels that
/// are written counted in whole registers.
bool is_ahead(const Convolution& c, Dtype dtype) {
  const Windows& w = c.windows;
  if (dtype != Dtype::f32 || w.size != Pair{3, 3} || w.stride != Pair{1, 1} || w.dilation != Pair{1, 1} ||
      c.groups != 1 || c.x.numel() == 0)
    return false;
  const Grid grid(c.y);
  const std::int64_t in = c.x[1], out = c.y[1];
  const auto multiplications = [](auto... n) { return (static_cast<double>(n) * ...); };
  return std::min(in, out) >= least_channels && grid.rows() * grid.across >= least_tiles &&
         multiplications(numbers, grid.down, grid.across, std::max(in * whole(out), whole(in) * out)) <=
             0.7 * multiplications(9, w.count[0], w.count[1], in, out);
}

}  // namespace

bool winograd_convolve(const Convolution& c, const Array& y, const Array& x, const Array& weight, double beta,
                       const Array* bias) {
  if (!is_ahead(c, y.dtype())) return false;
  const Array w = packed(weight);
  const std::int64_t in = c.x[1], out = c.y[1];
  return convolve(y, x, c.windows.padding, {w.data<float>(), in, 9, out, 9 * in}, false, beta, bias);
}

bool winograd_convolve_back(const Convolution& c, const Array& x, const Array& y, const Array& weight, double beta) {
  if (!is_ahead(c, x.dtype())) return false;
  const Array w = packed(weight);
  const std::int64_t in = c.x[1], out = c.y[1];
  const Pair padding{2 - c.windows.padding[0], 2 - c.windows.padding[1]};
  return convolve(x, y, padding, {w.data<float>(), out, 9 * in, in, 9}, true, beta);
}

bool winograd_correlate(const Convolution& c, const Array& weight, const Array& y, const Array& x, double beta) {
  if (!is_ahead(c, weight.dtype())) return false;
  const Array left = packed(x), right = packed(y);
  const Images from(left), of(right);
  const Grid grid(c.y);
  const std::int64_t in = c.x[1], out = whole(c.y[1]), block = grid.rows_a_block(from, of);
  const std::int64_t each = divide_up(grid.rows(), sums_for(tile_bytes_a_channel * in * out));
  std::array<Matrices, most_sums> room;
  const std::span<Matrices> sums(room.data(), static_cast<std::size_t>(divide_up(grid.rows(), each)));
  for (Matrices& sum : sums) sum = Matrices(in, out);
  std::atomic<bool> all_moderate = true;
  parallel_for(grid.rows(), each, [&](std::int64_t begin, std::int64_t end) {
    const Matrices& sum = sums[static_cast<std::size_t>(begin / each)];
    for (std::int64_t row = begin; row < end && all_moderate; row += block) {
      const Rows rows{grid, row, std::min(row + block, end)};
      const Matrices a = tiles_of<4>(rows, from, c.windows.padding, image_to_tile, all_moderate),
                     b = tiles_of<2>(rows, of, {0, 0}, result_to_tile, all_moderate);
      for (std::size_t k = 0; k < numbers; ++k)  // (in,tiles)·(tiles,out) -> (in,out)
        gemm_at(sum.at(k), transposed(a.first_cols(k, in)), b[k], row > begin);
    }
  });
  if (all_moderate) add_weights({weight.data<float>(), in, 9, c.y[1], 9 * in}, sums, beta);
  return all_moderate;
}

}  // namespace gradtape::inline v0::detail
