#include <gradtape/ops/kernels/blas.hpp>
#include <gradtape/ops/kernels/gemm.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/cases.hpp"

namespace gt = gradtape;
using gt::Array;

namespace {

struct Size {
  std::int64_t m, n, k;
};

/// Whole numbers small enough for every sum of products to be exact, so that any order of summation gives the same.
double whole(std::int64_t i, std::int64_t j) { return static_cast<double>((7 * i + 5 * j + i * j) % 9 - 4); }

/// How a matrix lies in memory.
enum class Layout { rows, columns, steps, stretched_rows, stretched_columns };
constexpr Layout layouts[] = {Layout::rows, Layout::columns, Layout::steps, Layout::stretched_rows,
                              Layout::stretched_columns};

/// A matrix of whole numbers amid NaN: reading what is not its own would show.
template <class T>
Array matrix(std::int64_t rows, std::int64_t cols, Layout layout, std::int64_t shift = 0) {
  gt::Strides strides{};
  const auto set = [&](std::int64_t row, std::int64_t col) { strides[0] = row, strides[1] = col; };
  if (layout == Layout::rows) set(cols + 1, 1);
  if (layout == Layout::columns) set(1, rows + 3);
  if (layout == Layout::steps) set(2 * cols + 1, 2);
  if (layout == Layout::stretched_rows) set(0, 1);
  if (layout == Layout::stretched_columns) set(1, 0);
  const Array all = Array::make(gt::dtype_of<T>, {2 + rows * strides[0] + cols * strides[1]});
  gt::fill(all, cases::nan);
  const Array view = Array::view(all, {rows, cols}, strides, rows * cols == 0 ? 0 : 1);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < cols; ++j)
      view.data<T>()[i * strides[0] + j * strides[1]] =
          static_cast<T>(whole((strides[0] == 0 ? 0 : i) + shift, strides[1] == 0 ? 0 : j));
  return view;
}

template <class T>
std::vector<T> product(const Array& a, const Array& b) {
  const std::int64_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  const auto at = [](const Array& x, std::int64_t i, std::int64_t j) {
    return x.data<T>()[i * x.strides()[0] + j * x.strides()[1]];
  };
  std::vector<T> out(static_cast<std::size_t>(m * n));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t p = 0; p < k; ++p)
      for (std::int64_t j = 0; j < n; ++j) out[static_cast<std::size_t>(i * n + j)] += at(a, i, p) * at(b, p, j);
  return out;
}

/// Whether `multiply(out)` makes `expected` of a matrix of the number `before`, and writes nothing else.
template <class T, class F>
bool writes(const std::vector<T>& expected, std::int64_t m, std::int64_t n, double before, F multiply) {
  constexpr std::size_t margin = 20;
  const Array room = Array::make(gt::dtype_of<T>, {m * n + 2 * static_cast<std::int64_t>(margin)});
  const Array out = Array::view(room, {m, n}, gt::packed_strides({m, n}), margin);
  gt::fill(room, 77);
  gt::fill(out, before);
  multiply(out);
  for (std::size_t i = 0; i < static_cast<std::size_t>(room.numel()); ++i) {
    const bool inside = i >= margin && i < margin + expected.size();
    if (room.data<T>()[i] != (inside ? expected[i - margin] : T{77})) return false;
  }
  return true;
}

/// Whether `multiply(out, beta)` makes `expected`, and adds it to ones.
template <class T, class F>
bool makes(std::vector<T> expected, std::int64_t m, std::int64_t n, F multiply) {
  if (!writes(expected, m, n, cases::nan, [&](const Array& out) { multiply(out, 0.); })) return false;
  for (T& x : expected) x += 1;
  return writes(expected, m, n, 1, [&](const Array& out) { multiply(out, 1.); });
}

template <class T>
bool is_right(const Array& a, const Array& b, const std::vector<T>& expected) {
  return makes(expected, a.shape()[0], b.shape()[1],
               [&](const Array& out, double beta) { gt::detail::gemm(out, a, b, beta); });
}

// Both sides of every turn in kernels/gemm.cpp: tiles of 6 or 12 rows and of up to 32 columns, blocks of 72 (36) rows,
// 256 (128) columns and a depth of 512, four panels packed together, a matrix beyond the second-level cache, few rows.
constexpr Size edges[] = {
    {1, 1, 700},   {1, 300, 9},  {9, 1, 300},   {1, 2100, 17}, {3, 300, 520},  {4, 520, 300},  {5, 300, 520},
    {6, 300, 520}, {7, 15, 511}, {12, 16, 512}, {13, 17, 513}, {25, 31, 1025}, {37, 127, 9},   {71, 33, 40},
    {72, 65, 31},  {73, 63, 33}, {145, 129, 7}, {8, 255, 3},   {8, 257, 20},   {20, 270, 600}, {74, 270, 530},
};

}  // namespace

TEST_CASE_TEMPLATE("gemm: every small size in every layout", T, float, double) {
  for (std::int64_t m = 0; m <= 20; ++m)
    for (std::int64_t n = 0; n <= 20; ++n)
      for (std::int64_t k = 0; k <= 20; ++k) {
        const auto expected = product<T>(matrix<T>(m, k, Layout::rows), matrix<T>(k, n, Layout::rows, 2));
        bool right = true;
        for (const Layout a : {Layout::rows, Layout::columns, Layout::steps})
          for (const Layout b : {Layout::rows, Layout::columns, Layout::steps})
            right = right && is_right(matrix<T>(m, k, a), matrix<T>(k, n, b, 2), expected);
        if (!right) FAIL_CHECK("wrong for m = " << m << ", n = " << n << ", k = " << k);
      }
}

TEST_CASE_TEMPLATE("gemm: around every edge of a block in every layout", T, float, double) {
  for (const auto& [m, n, k] : edges) {
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    const auto plain = product<T>(matrix<T>(m, k, Layout::rows), matrix<T>(k, n, Layout::rows, 2));
    for (const Layout left : layouts)
      for (const Layout right : layouts) {
        CAPTURE(static_cast<int>(left));
        CAPTURE(static_cast<int>(right));
        const Array a = matrix<T>(m, k, left), b = matrix<T>(k, n, right, 2);
        const bool stretched = left >= Layout::stretched_rows || right >= Layout::stretched_rows;
        CHECK(is_right(a, b, stretched ? product<T>(a, b) : plain));
      }
  }
}

TEST_CASE_TEMPLATE("gemm: a row or a matrix of any layout is added", T, float, double) {
  std::vector<Size> sizes(std::begin(edges), std::end(edges));
  for (const std::int64_t m : {0, 1, 4, 13})
    for (const std::int64_t n : {0, 1, 3, 17, 33})
      for (const std::int64_t k : {0, 1, 5, 16, 40}) sizes.push_back({m, n, k});
  sizes.push_back({150, 300, 200});  // by BLAS where that is ahead, in parts
  for (const auto& [m, n, k] : sizes) {
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    for (const Layout left : {Layout::rows, Layout::columns})
      for (const Layout right : {Layout::rows, Layout::columns}) {
        const Array a = matrix<T>(m, k, left), b = matrix<T>(k, n, right, 2);
        const auto alone = product<T>(a, b);
        for (const Layout layout : {Layout::rows, Layout::columns, Layout::steps, Layout::stretched_rows})
          for (const bool one_row : {false, true}) {
            const Array all = matrix<T>(m, n, layout, 3), row = matrix<T>(1, n, layout, 3);
            const Array plus = one_row ? Array::view(row, {n}, {row.strides()[1]}) : all;
            auto expected = alone;
            for (std::int64_t i = 0; i < m; ++i)
              for (std::int64_t j = 0; j < n; ++j)
                expected[static_cast<std::size_t>(i * n + j)] +=
                    plus.data<T>()[(one_row ? 0 : i * plus.strides()[0]) + j * plus.strides()[one_row ? 0 : 1]];
            CHECK(writes(expected, m, n, cases::nan,
                         [&, &x = a, &y = b](const Array& out) { gt::detail::gemm_plus(out, x, y, plus); }));
          }
      }
  }
}

TEST_CASE_TEMPLATE("gemm: the bits of an element do not depend on where it stands", T, float, double) {
  const gt::RandomStream random(51);
  for (const auto& [m, n, k] : edges)
    for (const Layout left : {Layout::rows, Layout::columns})
      for (const Layout right : {Layout::rows, Layout::columns}) {
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        const auto dtype = gt::dtype_of<T>;
        const Array a = matrix<T>(m, k, left), b = matrix<T>(k, n, right), out = Array::make(dtype, {m, n});
        gt::copy_elements(a, gt::broadcast_to(gt::uniform({k}, {.dtype = dtype}), {m, k}).array());
        gt::copy_elements(b, gt::broadcast_to(gt::uniform({k, 1}, {.dtype = dtype}), {k, n}).array());
        gt::detail::gemm(out, a, b, 0);
        bool alike = true;
        for (std::int64_t i = 0; i < m * n; ++i) alike = alike && out.data<T>()[i] == out.data<T>()[0];
        CHECK(alike);
      }
}

TEST_CASE_TEMPLATE("gemm: a batch is its products one by one", T, float, double) {
  constexpr auto dtype = gt::dtype_of<T>;
  const std::int64_t m = 3, n = 5, k = 4;
  const Array a = Array::make(dtype, {2, 3, m, k}), b = Array::make(dtype, {3, k, n}),
              out = Array::make(dtype, {2, 3, m, n});
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<T>()[i] = static_cast<T>(whole(i, 1));
  for (std::int64_t i = 0; i < b.numel(); ++i) b.data<T>()[i] = static_cast<T>(whole(i, 2));
  gt::fill(out, 1);
  const gt::Shape stretched{2, 3, k, n};
  gt::detail::gemm(out, a, Array::view(b, stretched, gt::broadcast_strides(b, stretched)), 1);
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto expected = product<T>(Array::view(a, {m, k}, gt::packed_strides({m, k}), i * m * k),
                                     Array::view(b, {k, n}, gt::packed_strides({k, n}), i % 3 * k * n));
    for (std::int64_t j = 0; j < m * n; ++j)
      CHECK(out.data<T>()[i * m * n + j] == expected[static_cast<std::size_t>(j)] + 1);
  }
  gt::detail::gemm(Array::make(dtype, {0, m, n}), Array::make(dtype, {0, m, k}), Array::make(dtype, {0, k, n}), 0);
}

TEST_CASE_TEMPLATE("gemm: BLAS computes the same and refuses what it cannot read", T, float, double) {
  const auto of = [](const Array& x) {
    return gt::detail::Matrix<T>{x.data<T>(), x.shape()[0], x.shape()[1], x.strides()[0], x.strides()[1]};
  };
  for (const auto& [m, n, k] : {Size{1, 1, 1}, {1, 9, 5}, {9, 1, 5}, {7, 5, 1}, {20, 30, 40}, {65, 70, 66}})
    for (const Layout left : {Layout::rows, Layout::columns})
      for (const Layout right : {Layout::rows, Layout::columns}) {
        const Array a = matrix<T>(m, k, left), b = matrix<T>(k, n, right, 2);
        CHECK(makes(product<T>(a, b), m, n, [&](const Array& out, double beta) {
          CHECK(gt::detail::blas_gemm(out.data<T>(), out.shape()[1], of(a), of(b), beta));
        }));
      }
  const Array plain = matrix<T>(9, 9, Layout::rows), out = Array::make(gt::dtype_of<T>, {9, 9});
  gt::fill(out, 5);
  for (const Layout layout : {Layout::steps, Layout::stretched_rows, Layout::stretched_columns}) {
    const Array x = matrix<T>(9, 9, layout);
    CHECK_FALSE(gt::detail::blas_gemm(out.data<T>(), out.shape()[1], of(x), of(plain), 0));
    CHECK_FALSE(gt::detail::blas_gemm(out.data<T>(), out.shape()[1], of(plain), of(x), 0));
  }
  CHECK(gt::equal(gt::Tensor(out), gt::full({9, 9}, 5, {.dtype = gt::dtype_of<T>})));

  const Array wide = Array::make(gt::dtype_of<T>, {9, 14});
  gt::fill(wide, 5);
  CHECK(gt::detail::blas_gemm(wide.data<T>() + 3, 14, of(plain), of(plain), 0));
  const auto expected = product<T>(plain, plain);
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j < 14; ++j)
      CHECK(wide.data<T>()[i * 14 + j] == (j >= 3 && j < 12 ? expected[i * 9 + j - 3] : T{5}));
}
