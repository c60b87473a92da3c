#include <ops/norms.hpp>

namespace gt = gradtape;
using cases::layer, cases::rms, cases::group, cases::batch, cases::random;
using gt::Tensor;

namespace {

Tensor batch_by(const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& weight, const Tensor& bias) {
  return gt::batch_norm(x, {.mean = mean, .var = var, .weight = weight, .bias = bias}).output;
}

gt::Shape last(const gt::Shape& shape, int axes) {
  gt::Shape out;
  for (int axis = shape.rank() - axes; axis < shape.rank(); ++axis) out.push_back(shape[axis]);
  return out;
}

const auto any = cases::between(-1, 1), positive = cases::between(0.5, 2);

/// Over the last one and the last two axes, with and without parameters.
std::vector<cases::Call> of_rows(auto with, auto without) {
  std::vector<cases::Call> out;
  for (const gt::Shape& shape : {gt::Shape{5}, {3, 4}, {3, 37}, {3, 1}, {2, 3, 5}, {0}, {3, 0}, {0, 3}})
    for (int axes = 1; axes <= std::min(shape.rank(), 2); ++axes) {
      const gt::Shape rows = last(shape, axes);
      out = cases::calls({out, with(shape, rows), cases::at({shape}, any, without(rows))});
    }
  return out;
}

std::vector<cases::Call> of_channels(const std::vector<gt::Shape>& shapes, auto f) {
  std::vector<cases::Call> out;
  for (const gt::Shape& shape : shapes)
    out = cases::calls({out, cases::on({{shape, any}, {{shape[1]}, any}, {{shape[1]}, any}}, f)});
  return out;
}

std::vector<cases::Call> of_batches() {
  const std::vector<gt::Shape> shapes{{5, 3}, {4, 37}, {2, 3, 5}, {2, 3, 2, 2}, {1, 2, 3}, {3, 0}};
  auto out = cases::calls({of_channels(shapes, batch),
                           cases::at(shapes, any, [](const Tensor& x) { return gt::batch_norm(x).output; }),
                           cases::at(shapes, any, [](const Tensor& x) { return gt::batch_norm(x).mean; }),
                           cases::at(shapes, any, [](const Tensor& x) { return gt::batch_norm(x).var; }),
                           cases::on({{{2, 3, 4}, any}, {{3}, any}, {{3}, positive}},
                                     [](const Tensor& x, const Tensor& mean, const Tensor& var) {
                                       return gt::batch_norm(x, {.mean = mean, .var = var}).output;
                                     })});
  for (const gt::Shape& shape : {gt::Shape{5, 3}, {1, 37}, {2, 3, 4}, {0, 3}, {3, 0}}) {
    const gt::Shape each{shape[1]};
    out = cases::calls(
        {out, cases::on({{shape, any}, {each, any}, {each, positive}, {each, any}, {each, any}}, batch_by)});
  }
  return out;
}

std::vector<cases::Misuse> misuse_of_rows(const std::string& name, auto f) {
  const auto message = [&](const char* rest) { return name + ": " + rest; };
  return {{message("x [4, 3] does not end in the normalized shape [4]"),
           [=] {
             f(gt::zeros({4, 3}), {4}, {});
           }},
          {message("x [3] does not end in the normalized shape [4, 3]"),
           [=] {
             f(gt::zeros({3}), {4, 3}, {});
           }},
          {message("x [3] does not end in the normalized shape []; name at least one axis"),
           [=] { f(gt::zeros({3}), {}, {}); }},
          {message("weight has shape [1]; expected [3]"),
           [=] {
             f(gt::zeros({4, 3}), {3}, {.weight = gt::zeros({1})});
           }},
          {message("eps is -1; expected at least 0"), [=] { f(gt::zeros({3}), {3}, {.eps = -1}); }},
          {message("eps is nan; expected at least 0"), [=] { f(gt::zeros({3}), {3}, {.eps = cases::nan}); }},
          {message("dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)"),
           [=] { f(gt::zeros({3}), {3}, {.weight = random({3})}); }},
          {message("no meaning for i64; convert with .to(gradtape::f32)"), [=] {
             f(cases::integers({1, 2}), {2}, {});
           }}};
}

std::vector<cases::Misuse> misuse_of_channels(const std::string& name, auto f) {
  const auto message = [&](const char* rest) { return name + ": " + rest; };
  return {{message("x [3] has no channels; expected (n, channels, …)"), [=] { f(gt::zeros({3}), {}); }},
          {message("weight has shape [4]; expected [3]"),
           [=] {
             f(gt::zeros({4, 3}), {.weight = gt::zeros({4})});
           }},
          {message("bias has shape [1]; expected [3]"),
           [=] {
             f(gt::zeros({4, 3}), {.bias = gt::zeros({1})});
           }},
          {message("eps is -1; expected at least 0"),
           [=] {
             f(gt::zeros({4, 3}), {.eps = -1});
           }},
          {message("dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)"),
           [=] {
             f(gt::zeros({4, 3}), {.bias = random({3})});
           }},
          {message("no meaning for i64; convert with .to(gradtape::f32)"), [=] {
             f(gt::zeros({4, 3}, {.dtype = gt::i64}), {});
           }}};
}

std::vector<cases::Misuse> with(std::vector<cases::Misuse> list, const std::vector<cases::Misuse>& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

const cases::Rows normalizations([]() -> std::vector<cases::Row> {
  return {
      {"layer_norm",
       of_rows(
           [](const gt::Shape& x, const gt::Shape& rows) {
             return cases::on({{x, any}, {rows, any}, {rows, any}}, layer(rows));
           },
           [](const gt::Shape& rows) { return [=](const Tensor& x) { return gt::layer_norm(x, rows); }; }),
       with(misuse_of_rows("layer_norm", gt::layer_norm),
            {{"layer_norm: bias has shape [4]; expected [3]",
              [] {
                gt::layer_norm(gt::zeros({4, 3}), {3}, {.bias = gt::zeros({4})});
              }}})},
      {"rms_norm",
       of_rows(
           [](const gt::Shape& x, const gt::Shape& rows) {
             return cases::on({{x, any}, {rows, any}}, rms(rows));
           },
           [](const gt::Shape& rows) { return [=](const Tensor& x) { return gt::rms_norm(x, rows, {.eps = 0.1}); }; }),
       misuse_of_rows("rms_norm", gt::rms_norm)},
      {"group_norm",
       cases::calls({of_channels({{5, 6}, {2, 4, 3}, {2, 4, 3, 2}, {1, 2, 37}, {0, 4}, {3, 0}, {3, 2, 0}}, group(2)),
                     of_channels({{2, 3, 4}}, group(3)), of_channels({{2, 3, 4}}, group(1)),
                     cases::at({{2, 4, 3}}, any, [](const Tensor& x) { return gt::group_norm(x, 2); })}),
       with(misuse_of_channels(
                "group_norm",
                [](const Tensor& x, const gt::GroupNormOptions& options) { return gt::group_norm(x, 1, options); }),
            {{"group_norm: 0 groups; expected at least 1",
              [] {
                gt::group_norm(gt::zeros({2, 4}), 0);
              }},
             {"group_norm: 3 groups do not divide the 4 channels of x [2, 4]",
              [] {
                gt::group_norm(gt::zeros({2, 4}), 3);
              }}})},
      {"batch_norm", of_batches(),
       with(misuse_of_channels("batch_norm", gt::batch_norm),
            {{"batch_norm: x [1, 3] has 1 values per channel, which have no variance; give more, or the mean and var "
              "to use",
              [] {
                gt::batch_norm(gt::zeros({1, 3}));
              }},
             {"batch_norm: x [0, 3] has 0 values per channel, which have no variance; give more, or the mean and var "
              "to use",
              [] {
                gt::batch_norm(gt::zeros({0, 3}));
              }},
             {"batch_norm: of mean and var only one is given; give both, or none to take those of x",
              [] {
                gt::batch_norm(gt::zeros({4, 3}), {.mean = gt::zeros({3})});
              }},
             {"batch_norm: mean has shape [4]; expected [3]",
              [] {
                gt::batch_norm(gt::zeros({4, 3}), {.mean = gt::zeros({4}), .var = gt::zeros({4})});
              }},
             {"batch_norm: var has shape [1]; expected [3]",
              [] {
                gt::batch_norm(gt::zeros({4, 3}), {.mean = gt::zeros({3}), .var = gt::zeros({1})});
              }}})},
  };
});

}  // namespace

TEST_CASE("normalization: rows") { normalizations.check(); }
