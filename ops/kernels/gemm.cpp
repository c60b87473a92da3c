#include <gradtape/core/parallel.hpp>
#include <gradtape/core/pool.hpp>
#include <gradtape/ops/kernels/blas.hpp>
#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/gemm_rows.hpp>
#include <gradtape/ops/kernels/gemm_tile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

// Blocks, by measurement: a panel of b and the rows of a that meet it stay in the two nearest caches, a block of a in
// the second, one of b in the third. Blocks are made equally long.
constexpr std::int64_t most_depth = 512;
template <class T>
constexpr auto most_rows = static_cast<std::int64_t>(288 / sizeof(T));
template <class T>
constexpr auto most_cols = static_cast<std::int64_t>(1024 / sizeof(T));

// A division costs as much as ten products: small matrices make none.
std::int64_t even_block(std::int64_t n, std::int64_t most) { return n <= most ? n : divide_up(n, divide_up(n, most)); }

template <class T>
Matrix<T> block_of(const Matrix<T>& x, std::int64_t row, std::int64_t col, std::int64_t rows, std::int64_t cols) {
  return {x.data + row * x.row_step + col * x.col_step, std::min(rows, x.rows - row), std::min(cols, x.cols - col),
          x.row_step, x.col_step};
}

/// Room for some elements, from the pool.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t n)
      : bytes_(static_cast<std::size_t>(n) * sizeof(T)), data_(n > 0 ? static_cast<T*>(allocate(bytes_)) : nullptr) {}
  ~Scratch() {
    if (data_) deallocate(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

/// Copies a column by column.
template <class T>
Matrix<T> packed_columns(T* to, const Matrix<T>& a) {
  for (std::int64_t p = 0; p < a.cols; ++p) {
    const T* from = a.data + p * a.col_step;
    if (a.row_step == 1)
      std::copy_n(from, a.rows, to + p * a.rows);
    else
      for (std::int64_t i = 0; i < a.rows; ++i) to[p * a.rows + i] = from[i * a.row_step];
  }
  return {to, a.rows, a.cols, 1, a.rows};
}

/// What is added to each row of a product, `step` apart; or nothing.
template <class T>
struct Plus {
  const T* data = nullptr;
  std::int64_t step = 0;

  Plus from(std::int64_t row, std::int64_t col) const { return data ? Plus{data + row * step + col, step} : *this; }
};

template <class T>
TileProduct<T> tile_product(T* out, std::int64_t out_step, const Matrix<T>& a, const Panels<T>& b,
                            const Plus<T>& plus) {
  return {out, out_step, b.cols, a.data, a.row_step, a.col_step, b.data, b.row_step, b.rows, plus.data, plus.step};
}

/// Tile by tile, of heights that differ by one row at most.
template <class T>
void multiply_block(T* out, std::int64_t out_step, const Matrix<T>& a, const Panels<T>& b, const Plus<T>& plus) {
  const std::int64_t count = divide_up(a.rows, tile_rows), height = count == 1 ? a.rows : a.rows / count,
                     higher = a.rows - count * height;
  const TileProduct<T> first = tile_product(out, out_step, a, b, plus);
  for (std::int64_t j = 0; j < b.cols; j += tile_cols<T>) {
    TileProduct<T> product = first;
    product.cols = std::min(tile_cols<T>, b.cols - j);
    product.out += j;
    product.b += j / tile_cols<T> * b.step;
    if (plus.data) product.plus += j;
    const auto run = [&](std::int64_t tiles, std::int64_t rows) {
      for (const Tile<T> tile = tile_for<T>(rows, product.cols); tiles > 0; --tiles) {
        tile(product);
        product.out += rows * out_step;
        product.a += rows * a.row_step;
        if (plus.data) product.plus += rows * plus.step;
      }
    };
    if (higher) run(higher, height + 1);
    run(count - higher, height);
  }
}

/// Whether a matrix fits into the second-level cache.
template <class T>
bool near(const Matrix<T>& x) {
  return x.rows * x.cols <= static_cast<std::int64_t>((512 << 10) / sizeof(T));
}

/// `b_is_near`: the whole of which b may be a part fits into the second-level cache, so its rows are close together.
template <class T>
void blocked_gemm(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, bool b_is_near,
                  const Plus<T>& plus) {
  const std::int64_t m = a.rows, n = b.cols, k = a.cols;
  const std::int64_t height = even_block(m, most_rows<T>), depth = even_block(k, most_depth);
  const std::int64_t width = divide_up(even_block(n, most_cols<T>), tile_cols<T>) * tile_cols<T>;
  const bool in_place = b.col_step == 1 && b_is_near;
  const bool far_apart = a.col_step * static_cast<std::int64_t>(sizeof(T)) >= 1024;  // its columns
  const bool pack_a = a.col_step != 1 && n > (far_apart ? 2 : 8) * tile_cols<T>;
  const Scratch<T> room_a(pack_a ? height * depth : 0), room_b(in_place ? 0 : depth * width);
  for (std::int64_t j = 0; j < n; j += width)
    for (std::int64_t p = 0; p < k; p += depth) {
      const Matrix<T> right = block_of(b, p, j, depth, width);
      const Panels<T> panels = in_place ? panels_in_place(right) : packed_panels(room_b.data(), right);
      for (std::int64_t i = 0; i < m; i += height) {
        const Matrix<T> left = block_of(a, i, p, height, depth);
        const Plus<T> all = p > 0 ? Plus<T>{out, out_step} : plus;
        multiply_block(out + i * out_step + j, out_step, pack_a ? packed_columns(room_a.data(), left) : left, panels,
                       all.from(i, j));
      }
    }
}

// OpenBLAS and oneDNN choose their kernels at run time: they are ahead where this file was compiled for narrower
// registers than the machine has, and with AVX-512, by measurement, in large products of float, the sooner if b has to
// be packed here.
template <class T>
bool blas_is_ahead(const Matrix<T>& a, const Matrix<T>& b) {
  const std::int64_t m = a.rows, n = b.cols, k = a.cols;
  const double products = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (std::min({m, n, k}) < 8) return false;
  if constexpr (sizeof(xsimd::batch<float>) == 64)
    return sizeof(T) == 4 && products >= (b.col_step == 1 && near(b) ? 1 << 23 : 1 << 20);
#ifdef __x86_64__
  static const bool wider =
      __builtin_cpu_supports("avx512f") || (__builtin_cpu_supports("avx2") && sizeof(xsimd::batch<float>) < 32);
#else
  constexpr bool wider = true;
#endif
  return wider && products >= 40 * 40 * 40;
}

constexpr std::int64_t most_parts = 16;     // of one product
constexpr double worth_a_thread = 1 << 21;  // multiplications: some ten microseconds

/// Calls `f(row, col, rows, cols)` for parts of an m x n matrix that has k products an element, several at once. What
/// they are depends on the sizes alone.
template <class T, class F>
void for_each_part(std::int64_t m, std::int64_t n, std::int64_t k, F f) {
  const auto parts = static_cast<std::int64_t>(
      std::min(static_cast<double>(most_parts),
               static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) / worth_a_thread));
  if (parts < 2) return f(0, 0, m, n);
  // Of large products parts are wide and high, for each packs what it needs of b and reads all of its rows of a, unless
  // that would leave one thread with all the work.
  constexpr std::int64_t high = 2 * most_rows<T>, wide = most_cols<T>;
  const bool large = parts == most_parts && (m >= 2 * high || n >= 2 * wide);
  const std::int64_t least_rows = large ? high : 8 * tile_rows, least_cols = large ? wide : 4 * tile_cols<T>;
  std::int64_t down = 1, across = 1;
  while (down * across < parts) {
    const std::int64_t rows = m / down, cols = n / across;
    const bool rows_do = rows >= 2 * least_rows, cols_do = cols >= 2 * least_cols;
    if (cols_do && (cols >= rows || !rows_do))
      across *= 2;
    else if (rows_do)
      down *= 2;
    else
      break;
  }
  const std::int64_t rows = divide_up(divide_up(m, down), tile_rows) * tile_rows,
                     cols = divide_up(divide_up(n, across), tile_cols<T>) * tile_cols<T>;
  parallel(divide_up(m, rows) * divide_up(n, cols), [&](std::int64_t i) {
    const std::int64_t row = i / divide_up(n, cols) * rows, col = i % divide_up(n, cols) * cols;
    f(row, col, std::min(rows, m - row), std::min(cols, n - col));
  });
}

constexpr std::int64_t few_products = 1 << 14;  // of which blocks and parts would be most of the time

template <class T>
void multiply_few(T* out, std::int64_t out_step, const Matrix<T>& a, const Panels<T>& b, const Plus<T>& plus) {
  if (a.rows <= tile_rows && b.cols <= tile_cols<T>)
    return tile_for<T>(a.rows, b.cols)(tile_product(out, out_step, a, b, plus));
  multiply_block(out, out_step, a, b, plus);
}

constexpr std::int64_t few_rows = 32;  // of a panel

/// For a matrix of which a panel is enough. (Apart, for its room on the stack.)
template <class T>
[[gnu::noinline]] void multiply_few_packed(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b,
                                           const Plus<T>& plus) {
  alignas(64) T panel[few_rows * tile_cols<T>];
  pack_panel(panel, b);
  multiply_few(out, out_step, a, Panels<T>{panel, 0, tile_cols<T>, b.rows, b.cols}, plus);
}

/// out = plus, if there is something to add; whether there is.
template <class T>
bool start_with(const Plus<T>& plus, T* out, std::int64_t out_step, std::int64_t rows, std::int64_t cols) {
  if (plus.data != out)
    for (std::int64_t i = 0; plus.data && i < rows; ++i)
      std::copy_n(plus.data + i * plus.step, cols, out + i * out_step);
  return plus.data != nullptr;
}

template <class T>
void multiply_many(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, const Plus<T>& plus) {
  if (a.rows == 1 || (a.rows <= 4 && !near(b))) {
    const bool columns_fit = b.row_step == 1 && a.col_step == 1,
               by_row = b.col_step == 1 && !(columns_fit && b.cols == 1);
    if (by_row || columns_fit)
      return (by_row ? add_rows<T> : add_dots<T>)(out, out_step, a, b, start_with(plus, out, out_step, a.rows, b.cols));
  }
  const bool blas = blas_is_ahead(a, b);
  for_each_part<T>(
      a.rows, b.cols, a.cols, [&](std::int64_t row, std::int64_t col, std::int64_t rows, std::int64_t cols) {
        const Matrix<T> left = block_of(a, row, 0, rows, a.cols), right = block_of(b, 0, col, b.rows, cols);
        T* const to = out + row * out_step + col;
        const Plus<T> part = plus.from(row, col);
        if (blas && blas_gemm(to, out_step, left, right, start_with(part, to, out_step, rows, cols) ? 1 : 0)) return;
        blocked_gemm(to, out_step, left, right, near(b), blas && part.data ? Plus<T>{to, out_step} : part);
      });
}

/// out = a · b + plus, which has elements; rows of out are `out_step` apart.
template <class T>
void multiply(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, const Plus<T>& plus) {
  const bool one_column = b.cols == 1 && a.rows > 1 && out_step == 1;
  if (a.cols <= most_depth && a.rows * b.cols * a.cols <= few_products) {
    constexpr std::int64_t enough_for_lanes = 16;  // terms
    const bool as_dots =
        (a.rows == 1 || one_column) && a.cols >= enough_for_lanes && b.row_step == 1 && a.col_step == 1;
    const bool as_row = one_column && a.row_step == 1;
    if ((b.col_step == 1 && !as_dots && !as_row) || a.cols == 0)
      return multiply_few(out, out_step, a, panels_in_place(b), plus);
    if (b.cols <= tile_cols<T> && b.rows <= few_rows && !as_dots && !as_row)
      return multiply_few_packed(out, out_step, a, b, plus);
  }
  if (!one_column) return multiply_many(out, out_step, a, b, plus);
  const bool add = start_with(plus, out, out_step, a.rows, b.cols);
  multiply_many(out, a.rows, transposed(b), transposed(a), add ? Plus<T>{out, a.rows} : Plus<T>{});
}

/// From each row of `x` to the next.
std::int64_t row_step(const Array& x) {
  const auto row = static_cast<std::size_t>(x.rank()) - 2;
  return x.shape().begin()[row] == 1 ? x.shape().begin()[row + 1] : x.strides()[row];
}

/// Product i of a batch, which writes a matrix of its own. `plus`: out itself, a row or a matrix with contiguous rows,
/// or null.
template <class T>
void multiply_one(const Array& out, const Array& a, const Array& b, Transposed which, const Array* plus,
                  std::int64_t i) {
  T* to = out.data<T>();
  Matrix<T> left = matrix_of<T>(a), right = matrix_of<T>(b);
  if (i > 0) to += start_of(out, i), left.data += start_of(a, i), right.data += start_of(b, i);
  if (which == Transposed::left) left = transposed(left);
  if (which == Transposed::right) right = transposed(right);
  const std::int64_t step = row_step(out);
  Plus<T> added;
  if (plus == &out)
    added = {to, step};
  else if (plus)
    added = {plus->data<T>(), plus->rank() == 1 ? 0 : row_step(*plus)};
  multiply(to, step, left, right, added);
}

}  // namespace

template <class T>
void gemm_at(T* out, const Matrix<T>& a, const Matrix<T>& b, bool add) {
  if (a.rows > 0 && b.cols > 0) multiply(out, b.cols, a, b, add ? Plus<T>{out, b.cols} : Plus<T>{});
}
template void gemm_at(float*, const Matrix<float>&, const Matrix<float>&, bool);
template void gemm_at(double*, const Matrix<double>&, const Matrix<double>&, bool);

void gemm(const Array& out, const Array& a, const Array& b, double beta, Transposed which) {
  with_floating("gemm", out.dtype(), [&]<class T>(std::type_identity<T>) {
    if (out.numel() == 0) return;
    const Array* const plus = beta != 0 ? &out : nullptr;
    if (out.rank() == 2) return multiply_one<T>(out, a, b, which, plus, 0);
    std::int64_t count = 1;
    for (int axis = 0; axis + 2 < out.rank(); ++axis) count *= out.shape()[axis];
    const double products =
        static_cast<double>(out.numel() / count) * static_cast<double>(a.shape()[which == Transposed::left ? -2 : -1]);
    const double together = std::max(1.0, worth_a_thread / std::max(1.0, products));
    const bool large = products >= most_parts * worth_a_thread;  // each is divided by itself
    parallel_for(count, large || together >= static_cast<double>(count) ? count : static_cast<std::int64_t>(together),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) multiply_one<T>(out, a, b, which, plus, i);
                 });
  });
}

void gemm_plus(const Array& out, const Array& a, const Array& b, const Array& plus, Transposed which) {
  if (out.numel() == 0) return;
  const bool contiguous = plus.shape()[-1] == 1 || plus.strides()[static_cast<std::size_t>(plus.rank()) - 1] == 1;
  const Array copy = contiguous ? Array() : packed_copy(plus);
  with_floating("gemm", out.dtype(), [&]<class T>(std::type_identity<T>) {
    multiply_one<T>(out, a, b, which, contiguous ? &plus : &copy, 0);
  });
}

}  // namespace gradtape::inline v0::detail
