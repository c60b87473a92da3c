#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::Index, cases::inf, cases::integers, cases::random;
using gt::Tensor;

namespace {

const auto any = cases::between(-1, 1);

/// Of rows, as many as ids, into four segments.
template <class F>
std::vector<cases::Call> segments(F f, const cases::Sampler& sample) {
  std::vector<cases::Call> out;
  const auto into_four = [f](const Tensor& data, const Tensor& ids) { return f(data, ids, 4); };
  for (const gt::Shape& shape : {gt::Shape{5}, {37}, {5, 3}, {3, 2, 5}, {1, 1}, {0}, {0, 3}, {3, 0}})
    for (cases::Call& call : cases::on({{shape, sample}, {{shape[0]}, cases::whole(0, 4)}}, into_four))
      out.push_back(std::move(call));
  return out;
}

template <class F>
cases::Row row(const std::string& op, F f, const cases::Sampler& sample) {
  const auto x = [] { return gt::zeros({2, 3}); };
  return {op,
          segments(f, sample),
          {{op + ": data [2, 3] and ids [3] do not fit; expected data [n, …] and ids [n]",
            [=] {
              f(x(), integers({0, 0, 0}), 1);
            }},
           {op + ": data [] and ids [1] do not fit; expected data [n, …] and ids [n]",
            [=] { f(gt::zeros({}), integers({0}), 1); }},
           {op + ": -1 segments; expected at least 0",
            [=] {
              f(x(), integers({0, 0}), -1);
            }},
           {op + ": index 4 at [1] is outside of [0, 4)",
            [=] {
              f(x(), integers({0, 4}), 4);
            }},
           {op + ": indices are f32; expected i64", [=] { f(x(), gt::zeros({2}), 4); }},
           {op + ": no meaning for boolean; convert with .to(gradtape::f32)", [=] {
              f(gt::zeros({2}, {.dtype = gt::boolean}), integers({0, 0}), 1);
            }}}};
}

const cases::Rows reductions([]() -> std::vector<cases::Row> {
  return {row("segment_sum", gt::segment_sum, any), row("segment_mean", gt::segment_mean, any),
          row("segment_max", gt::segment_max, cases::distinct())};
});

}  // namespace

TEST_CASE("segments: rows") { reductions.check(); }

TEST_CASE("segments: sum, mean and max by plain loops, over ids in any order") {
  const std::vector<std::int64_t> ids{2, 0, 2, 4, 0, 2};  // none for 1 and 3
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const Tensor packed = random({6, 2, 3}).to(gt::f32).to(gt::f64);
    for (const Tensor& x : {packed, gt::transpose(packed), gt::flip(packed)}) {
      const auto over = [&](double start, auto combine) {
        return [=, &ids](const Index& i) {
          double sum = start;
          for (std::size_t row = 0; row < ids.size(); ++row)
            if (ids[row] == i[0]) sum = combine(sum, at(x, {static_cast<std::int64_t>(row), i[1], i[2]}));
          return sum;
        };
      };
      gt::Shape shape = x.shape();
      shape.set(0, 6);
      const auto sum = over(0, [](double a, double b) { return a + b; });
      const auto most = over(-inf, [](double a, double b) { return std::max(a, b); });
      const double count[] = {2, 0, 3, 0, 1, 0};
      const Tensor data = x.to(dtype);
      CHECK(gt::segment_sum(data, integers(ids), 6) == gt::approx(by_index(shape, sum).to(dtype)));
      CHECK(gt::segment_mean(data, integers(ids), 6) ==
            gt::approx(by_index(shape, [&](const Index& i) { return sum(i) / std::max(count[i[0]], 1.0); }).to(dtype)));
      CHECK(gt::equal(gt::segment_max(data, integers(ids), 6),
                      by_index(shape, [&](const Index& i) { return count[i[0]] == 0 ? 0 : most(i); }).to(dtype)));
    }
  }
  CHECK(gt::equal(gt::segment_sum(integers({1, 2, 3}), integers({1, 0, 1}), 3), integers({2, 4, 0})));
  CHECK(gt::equal(gt::segment_max(integers({-1, -2, -3}), integers({1, 0, 1}), 3), integers({-2, -1, 0})));
}

TEST_CASE("segment_max: ties share the gradient; NaN and infinities") {
  const Tensor data = gt::tensor({3., 3., 1., 3., 2.}), ids = integers({0, 0, 0, 0, 1});
  const auto most = [&](const Tensor& x) { return gt::segment_max(x, ids, 3); };
  CHECK(gt::vjp(most, data, gt::tensor({6., 5., 4.})) == gt::approx(gt::tensor({2., 2., 0., 2., 5.})));
  CHECK(cases::same_bits(gt::segment_max(gt::tensor({-inf, cases::nan, 1., inf}), integers({0, 1, 1, 3}), 4),
                         gt::tensor({-inf, cases::nan, 0., inf})));
  CHECK(cases::same_bits(gt::segment_max(gt::tensor({1., cases::nan}), integers({0, 0}), 1), gt::tensor({cases::nan})));
}

TEST_CASE("segment_mean counts beyond what f32 can") {
  const std::int64_t n = (1 << 24) + 8;
  const Tensor ones = gt::broadcast_to(gt::zeros({}), {n}),
               ids = gt::broadcast_to(gt::zeros({}, {.dtype = gt::i64}), {n});
  const auto mean = [&](const Tensor& x) { return gt::segment_mean(x, ids, 1); };
  const Tensor g = gt::vjp(mean, ones, gt::ones({1}))[0];
  CHECK(g.item() == static_cast<float>(1.0 / static_cast<double>(n)));
}
