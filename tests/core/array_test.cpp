#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::Array;
using gt::Shape;

namespace {

/// 0, 1, 2, … as f32.
Array counting(const Shape& shape) {
  Array out = Array::make(gt::f32, shape);
  for (std::int64_t i = 0; i < out.numel(); ++i) out.data<float>()[i] = static_cast<float>(i);
  return out;
}

Array transposed(const Array& a) {
  return Array::view(a, {a.shape()[1], a.shape()[0]}, {a.strides()[1], a.strides()[0]});
}

std::vector<float> elements(const Array& a) { return gt::Tensor(a).to_vector<float>(); }

}  // namespace

TEST_CASE("array: data are aligned to 64 bytes and a full lane may start at any element") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean})
    for (const std::int64_t n : {0, 1, 15, 16, 17, 113, 1000}) {
      const Array a = Array::make(dtype, {n});
      CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
      // Under a sanitizer a write past the block is an error; here it would show in the neighbour.
      const Array b = Array::make(dtype, {n});
      gt::fill(b, 1);
      const auto last = static_cast<std::size_t>(n == 0 ? 0 : n - 1);
      std::memset(a.data() + last * gt::size_of(dtype), 0x55, 64);
      const Array ones = Array::make(dtype, {n});
      gt::fill(ones, 1);
      CHECK(gt::equal(gt::Tensor(b), gt::Tensor(ones)));
    }
}

TEST_CASE("array: what a lane reads behind the last element is zero") {
  const std::vector<std::byte> zeros(64);
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean})
    for (const std::int64_t n : {1, 7, 16, 17}) {
      const auto held = [&] {
        const Array used = Array::make(gt::i64, {(n * static_cast<std::int64_t>(gt::size_of(dtype)) + 56 + 7) / 8});
        gt::fill(used, 7);  // subnormal as a number
      };
      const auto padding_is_zero = [&](const Array& a) {
        const std::byte* end = a.data() + n * static_cast<std::int64_t>(gt::size_of(dtype));
        return std::memcmp(end, zeros.data(), 64 - gt::size_of(dtype)) == 0;
      };
      held();
      const Array made = Array::make(dtype, {n});
      CHECK(padding_is_zero(made));
      held();
      CHECK(padding_is_zero(Array::like(made)));
      held();
      CHECK(padding_is_zero(Array::like(made, 32)));  // less than the widest lane
      held();
      if (n > 1) CHECK(padding_is_zero(Array::like(made, 64)));
    }
}

TEST_CASE("array: a view shares the data and keeps them alive") {
  Array row;
  {
    const Array a = counting({3, 4});
    row = Array::view(a, {4}, {1}, 8);
    CHECK(row.data<float>() == a.data<float>() + 8);
    CHECK_FALSE(a.exclusive());
    CHECK_FALSE(row.exclusive());
  }
  CHECK(row.exclusive());
  CHECK(elements(row) == std::vector<float>{8, 9, 10, 11});
}

TEST_CASE("array: a packed copy of any transpose holds every element in its place") {
  const auto check = [](const Array& view) {
    const Array copy = gt::packed(view);
    std::vector<double> expected;  // row by row, each element by its strides
    std::vector<std::int64_t> at(static_cast<std::size_t>(view.rank()));
    for (std::int64_t i = 0; i < view.numel(); ++i) {
      std::int64_t offset = 0;
      for (std::size_t a = 0; a < at.size(); ++a) offset += at[a] * view.strides()[a];
      gt::with_type(view.dtype(), [&]<class T>(std::type_identity<T>) {
        expected.push_back(static_cast<double>(view.data<T>()[offset]));
      });
      for (std::size_t a = at.size(); a-- > 0;) {
        if (++at[a] < view.shape()[static_cast<int>(a)]) break;
        at[a] = 0;
      }
    }
    CHECK(gt::Tensor(copy).to(gt::f64).to_vector<double>() == expected);
  };
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean}) {
    const auto numbers = [&](std::int64_t n) { return gt::arange(n).to(dtype).array(); };
    for (const std::int64_t m : {1, 3, 4, 17, 33})
      for (const std::int64_t n : {2, 4, 5, 16, 35}) {
        check(transposed(Array::view(numbers(m * n), {m, n}, {n, 1})));
        check(Array::view(numbers(3 * m * n), {n, m - m / 2}, {1, 3 * n}, 2 * n));  // rows that are apart
        check(Array::view(numbers(m * n), {n, m}, {1, -n}, (m - 1) * n));
        check(Array::view(numbers(n), {n, m}, {1, 0}));
        const Array cube = numbers(2 * m * n);
        check(Array::view(cube, {m, 2, n}, {n, m * n, 1}));
        check(Array::view(cube, {n, 2, m}, {1, m * n, n}));
        check(Array::view(cube, {2, n, m}, {m * n, 1, n}));
        check(Array::view(cube, {n, m, 2}, {1, n, m * n}));
      }
  }
}

TEST_CASE("array: transposed, sliced and broadcast views") {
  const Array a = counting({2, 3});
  const Array t = transposed(a);
  CHECK_FALSE(t.packed());
  CHECK(elements(t) == std::vector<float>{0, 3, 1, 4, 2, 5});
  const Array column = Array::view(a, {2, 1}, a.strides(), 1);
  CHECK_FALSE(column.packed());
  CHECK(elements(column) == std::vector<float>{1, 4});
  const Array wide = Array::view(column, {2, 3}, gt::broadcast_strides(column, {2, 3}));
  CHECK(elements(wide) == std::vector<float>{1, 1, 1, 4, 4, 4});
  CHECK(Array::view(a, {1, 3}, a.strides(), 3).packed());
}

TEST_CASE("array: axes of size 1 have no say in whether elements are packed") {
  const Array a = counting({4, 1});
  CHECK(transposed(a).packed());
  CHECK(Array::view(a, {4, 0}, {7, 9}).packed());
}

TEST_CASE("array: reshape is a view where strides allow and else a copy") {
  const Array a = counting({4, 6});
  CHECK(gt::reshaped(a, {2, 2, 6}).data() == a.data());

  const Array part = Array::view(a, {4, 3}, a.strides());  // the left half: rows are 6 apart
  const Array split = gt::reshaped(part, {2, 2, 3});
  CHECK(split.data() == a.data());
  CHECK(elements(split) == std::vector<float>{0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20});

  const Array flat = gt::reshaped(part, {12});  // reaches over the gaps
  CHECK(flat.data() != a.data());
  CHECK(flat.packed());
  CHECK(elements(flat) == elements(part));

  const Array t = transposed(a);
  CHECK(gt::reshaped(t, {3, 2, 4}).data() == a.data());  // splits the axis of 6
  CHECK(elements(gt::reshaped(t, {3, 2, 4})) == elements(t));
  CHECK(gt::reshaped(t, {24}).data() != a.data());
  CHECK(elements(gt::reshaped(t, {24})) == elements(t));
  CHECK(elements(gt::reshaped(t, {1, 8, 3, 1})) == elements(t));
}

TEST_CASE("array: a broadcast axis reshapes") {
  const Array a = counting({3});
  const Array wide = Array::view(a, {2, 4, 3}, gt::broadcast_strides(a, {2, 4, 3}));
  const Array merged = gt::reshaped(wide, {8, 3});
  CHECK(merged.data() == a.data());
  CHECK(elements(merged) == elements(wide));
}

TEST_CASE("array: packed copies only what is strided") {
  const Array a = counting({2, 3});
  CHECK(same(gt::packed(a), a));
  const Array t = gt::packed(transposed(a));
  CHECK(t.packed());
  CHECK(elements(t) == std::vector<float>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("array: elements are copied between any strides") {
  const Array from = counting({2, 3, 5});
  const Array to = Array::make(gt::f32, {5, 3, 2});
  const Array back = Array::view(to, {2, 3, 5}, {1, 2, 6});
  gt::copy_elements(back, from);
  CHECK(elements(back) == elements(from));
  CHECK(to.data<float>()[1] == 15);  // [0, 0, 1] of to is [1, 0, 0] of from
  const Array scalar = counting({}), other = Array::make(gt::f32, {});
  gt::copy_elements(other, scalar);
  CHECK(*other.data<float>() == 0);
}

TEST_CASE("array: backwards views") {
  const Array a = counting({2, 3});
  const Array back = Array::view(a, {2, 3}, {-3, -1}, 5);
  CHECK_FALSE(back.packed());
  CHECK(elements(back) == std::vector<float>{5, 4, 3, 2, 1, 0});
  CHECK(elements(gt::reshaped(back, {3, 2})) == elements(back));
  CHECK(gt::reshaped(back, {6}).data() == back.data());  // evenly spaced, so a view
  const Array rows = Array::view(a, {2, 3}, {-3, 1}, 3);
  CHECK(elements(rows) == std::vector<float>{3, 4, 5, 0, 1, 2});
  CHECK(elements(gt::reshaped(rows, {6})) == elements(rows));
  const Array to = Array::make(gt::f32, {2, 3});
  gt::copy_elements(Array::view(to, {2, 3}, {-3, -1}, 5), a);
  CHECK(elements(to) == elements(back));
}

TEST_CASE("array: fill sets every element of each dtype") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean}) {
    const Array a = Array::make(dtype, {3});
    gt::fill(a, 1);
    CHECK(gt::equal(gt::Tensor(a), gt::tensor({1, 1, 1}, {.dtype = dtype})));
  }
}
