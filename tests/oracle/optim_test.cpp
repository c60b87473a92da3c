#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libtorch.hpp"

namespace {

using namespace oracle;

/// A small network, linear of tanh of linear, with the same weights and data in both libraries.
struct Twins {
  explicit Twins(gt::Dtype dtype) {
    const gt::DefaultDtype scope(dtype);
    const gt::RandomStream stream(6);
    for (const gt::Tensor& w : {gt::randn({8, 3}), gt::randn({8}), gt::randn({5, 8}), gt::randn({5})}) {
      ours.push_back(gt::parameter(w));
      theirs.push_back(to_torch(w).set_requires_grad(true));
    }
    x = gt::randn({7, 3}), y = gt::randn({7, 5});
    x_torch = to_torch(x), y_torch = to_torch(y);
  }
  gt::Tensor our_loss() const {
    return gt::mse_loss(gt::linear(gt::tanh(gt::linear(x, ours[0], ours[1])), ours[2], ours[3]), y);
  }
  torch::Tensor their_loss() const {
    return torch::mse_loss(torch::linear(torch::linear(x_torch, theirs[0], theirs[1]).tanh(), theirs[2], theirs[3]),
                           y_torch);
  }

  std::vector<gt::Tensor> ours;
  std::vector<torch::Tensor> theirs;
  gt::Tensor x, y;
  torch::Tensor x_torch, y_torch;
};

/// One step of each, down the same loss.
template <class Ours, class Theirs>
void step(const Twins& twins, Ours& ours, Theirs& theirs) {
  ours.zero_grad();
  theirs.zero_grad();
  twins.our_loss().backward();
  twins.their_loss().backward();
  ours.step();
  theirs.step();
}

/// 50 steps of each, after which the parameters agree.
template <class Ours, class Theirs>
void compare_steps(const Twins& twins, Ours ours, Theirs theirs) {
  for (int i = 0; i < 50; ++i) step(twins, ours, theirs);
  for (std::size_t i = 0; i < twins.ours.size(); ++i) check_equal(twins.ours[i].detach(), twins.theirs[i].detach());
}

gt::Tensor part(const gt::Tensor& w, int begin, int end) { return gt::slice(w, {.begin = begin, .end = end}); }
torch::Tensor part(const torch::Tensor& w, int begin, int end) { return w.slice(0, begin, end); }

/// How L-BFGS went, in either library.
struct Outcome {
  double loss = 0;
  std::int64_t iterations = 0, evaluations = 0;

  Outcome& operator+=(const Outcome& other) {
    loss += other.loss, iterations += other.iterations, evaluations += other.evaluations;
    return *this;
  }
};

Outcome minimise(std::vector<gt::Tensor> parameters, int iterations, auto loss) {
  gt::optim::LBFGS opt(
      parameters, {.max_iter = iterations, .max_eval = 2 * iterations, .tolerance_grad = 1e-8, .tolerance_change = 0});
  const double reached = opt.step([&] {
    const gt::Tensor value = loss();
    value.backward();
    return value;
  });
  return {reached, opt.iterations(), opt.evaluations()};
}

Outcome minimise(std::vector<torch::Tensor> parameters, int iterations, auto loss) {
  auto options = torch::optim::LBFGSOptions(1).max_iter(iterations).max_eval(2 * iterations);
  torch::optim::LBFGS opt(parameters, options.tolerance_grad(1e-8).tolerance_change(0).line_search_fn("strong_wolfe"));
  Outcome outcome;
  opt.step([&] {
    opt.zero_grad();
    const torch::Tensor value = loss();
    value.backward();
    ++outcome.evaluations;
    return value;
  });
  outcome.iterations = static_cast<const torch::optim::LBFGSParamState&>(*opt.state().begin()->second).n_iter();
  outcome.loss = loss().template item<double>();
  return outcome;
}

}  // namespace

TEST_CASE("oracle: every option of Adam moves parameters as libtorch's does") {
  const gt::optim::AdamOptions choices[] = {
      {},
      {.lr = 0.02},
      {.lr = 0.02, .betas = {0.5, 0.9}},
      {.lr = 0.02, .eps = 1e-2},
      {.lr = 0.02, .weight_decay = 0.2},
      {.lr = 0.02, .betas = {0.9, 0.8}, .amsgrad = true},
      {.lr = 0.02, .betas = {0.9, 0.8}, .weight_decay = 0.2, .amsgrad = true},
  };
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const gt::optim::AdamOptions& options : choices) {
      CAPTURE(to_string(dtype));
      CAPTURE(&options - choices);
      const Twins twins(dtype);
      compare_steps(twins, gt::optim::Adam(twins.ours, options),
                    torch::optim::Adam(twins.theirs, torch::optim::AdamOptions(options.lr)
                                                         .betas(options.betas)
                                                         .eps(options.eps)
                                                         .weight_decay(options.weight_decay)
                                                         .amsgrad(options.amsgrad)));
    }
}

TEST_CASE("oracle: decoupled weight decay moves parameters as libtorch's AdamW does") {
  const gt::optim::AdamWOptions choices[] = {{}, {.lr = 0.02, .weight_decay = 0.2}, {.lr = 0.02, .amsgrad = true}};
  for (const gt::optim::AdamWOptions& options : choices) {
    CAPTURE(&options - choices);
    const auto theirs = [&](const Twins& twins) {
      return torch::optim::AdamW(
          twins.theirs,
          torch::optim::AdamWOptions(options.lr).weight_decay(options.weight_decay).amsgrad(options.amsgrad));
    };
    const Twins twins(gt::f64), others(gt::f64);
    compare_steps(twins, gt::optim::AdamW(twins.ours, options), theirs(twins));
    const gt::optim::AdamOptions decoupled{.lr = options.lr,
                                           .weight_decay = options.weight_decay,
                                           .amsgrad = options.amsgrad,
                                           .decoupled_weight_decay = true};
    compare_steps(others, gt::optim::Adam(others.ours, decoupled), theirs(others));
  }
}

TEST_CASE("oracle: every option of SGD moves parameters as libtorch's does") {
  const gt::optim::SGDOptions choices[] = {
      {.lr = 0.05},
      {.lr = 0.05, .momentum = 0.9},
      {.lr = 0.05, .momentum = 0.9, .dampening = 0.3},
      {.lr = 0.05, .weight_decay = 0.1},
      {.lr = 0.05, .momentum = 0.9, .nesterov = true},
      {.lr = 0.05, .momentum = 0.8, .weight_decay = 0.1, .nesterov = true},
  };
  for (const gt::optim::SGDOptions& options : choices) {
    CAPTURE(&options - choices);
    const Twins twins(gt::f64);
    compare_steps(twins, gt::optim::SGD(twins.ours, options),
                  torch::optim::SGD(twins.theirs, torch::optim::SGDOptions(options.lr)
                                                      .momentum(options.momentum)
                                                      .dampening(options.dampening)
                                                      .weight_decay(options.weight_decay)
                                                      .nesterov(options.nesterov)));
  }
}

TEST_CASE("oracle: every option of RMSprop moves parameters as libtorch's does") {
  const gt::optim::RMSpropOptions choices[] = {
      {},
      {.lr = 0.002, .alpha = 0.9},  // past the minimum, steps of a full rate multiply every rounding
      {.lr = 0.02, .eps = 1e-2},
      {.lr = 0.02, .weight_decay = 0.1},
      {.lr = 0.005, .momentum = 0.9},
      {.lr = 0.005, .alpha = 0.9, .eps = 1e-3, .weight_decay = 0.1, .momentum = 0.9, .centered = true},
  };
  for (const gt::optim::RMSpropOptions& options : choices) {
    CAPTURE(&options - choices);
    const Twins twins(gt::f64);
    compare_steps(twins, gt::optim::RMSprop(twins.ours, options),
                  torch::optim::RMSprop(twins.theirs, torch::optim::RMSpropOptions(options.lr)
                                                          .alpha(options.alpha)
                                                          .eps(options.eps)
                                                          .weight_decay(options.weight_decay)
                                                          .momentum(options.momentum)
                                                          .centered(options.centered)));
  }
}

TEST_CASE("oracle: every option of Adagrad moves parameters as libtorch's does") {
  const gt::optim::AdagradOptions choices[] = {
      {},
      {.lr = 0.1, .lr_decay = 0.05},
      {.lr = 0.1, .weight_decay = 0.1},
      {.lr = 0.1, .initial_accumulator_value = 0.5, .eps = 1e-3},
  };
  for (const gt::optim::AdagradOptions& options : choices) {
    CAPTURE(&options - choices);
    const Twins twins(gt::f64);
    compare_steps(twins, gt::optim::Adagrad(twins.ours, options),
                  torch::optim::Adagrad(twins.theirs, torch::optim::AdagradOptions(options.lr)
                                                          .lr_decay(options.lr_decay)
                                                          .weight_decay(options.weight_decay)
                                                          .initial_accumulator_value(options.initial_accumulator_value)
                                                          .eps(options.eps)));
  }
}

TEST_CASE("oracle: L-BFGS takes the steps of libtorch's where neither searches for a length") {
  const Twins twins(gt::f64);
  gt::optim::LBFGS ours(twins.ours,
                        {.lr = 0.3, .max_iter = 15, .history_size = 6, .line_search = gt::optim::LineSearch::none});
  torch::optim::LBFGS theirs(twins.theirs, torch::optim::LBFGSOptions(0.3).max_iter(15).history_size(6));
  ours.step([&] {
    const gt::Tensor loss = twins.our_loss();
    loss.backward();
    return loss;
  });
  theirs.step([&] {
    theirs.zero_grad();
    const torch::Tensor loss = twins.their_loss();
    loss.backward();
    return loss;
  });
  for (std::size_t i = 0; i < twins.ours.size(); ++i)
    CHECK(twins.ours[i].detach() == gt::approx(from_torch(twins.theirs[i])).atol(1e-9));
}

TEST_CASE("oracle: L-BFGS needs about as many evaluations as libtorch's") {
  const gt::DefaultDtype scope(gt::f64);
  const auto compare = [](const std::string& what, const Outcome& ours, const Outcome& theirs) {
    MESSAGE(what, ": ", ours.iterations, " iterations and ", ours.evaluations, " evaluations, libtorch ",
            theirs.iterations, " and ", theirs.evaluations);
    CHECK(static_cast<double>(ours.evaluations) <= 1.05 * static_cast<double>(theirs.evaluations));
  };

  Outcome ours, theirs;
  for (const double start : {-1., -3., -10.})
    for (const int n : {2, 10, 100}) {
      const auto valley = [n](const auto& w) {
        const auto x = part(w, 0, n - 1), rise = part(w, 1, n) - square(x);
        return 100 * sum(square(rise)) + sum(square(1 - x));
      };
      const gt::Tensor w = gt::parameter(gt::full({n}, start));
      const torch::Tensor v = to_torch(w).set_requires_grad(true);
      ours += minimise(std::vector{w}, 2000, [&] { return valley(w); });
      theirs += minimise(std::vector{v}, 2000, [&] { return valley(v); });
    }
  CHECK(ours.loss < 1e-15);
  CHECK(theirs.loss < 1e-15);
  compare("Rosenbrock's valleys", ours, theirs);

  ours = theirs = {};
  for (unsigned seed = 0; seed < 20; ++seed) {
    const gt::RandomStream stream(seed);
    const gt::Tensor m = gt::randn({100, 100}), b = gt::randn({1, 100}), w = gt::parameter(gt::zeros({1, 100}));
    const torch::Tensor m_torch = to_torch(m), b_torch = to_torch(b), v = to_torch(w).set_requires_grad(true);
    const auto parabola = [](const auto& x, const auto& root, const auto& linear) {
      return sum(square(matmul(x, root))) / 200 + 0.02 * sum(square(x)) - sum(linear * x);
    };
    ours += minimise(std::vector{w}, 1000, [&] { return parabola(w, m, b); });
    theirs += minimise(std::vector{v}, 1000, [&] { return parabola(v, m_torch, b_torch); });
  }
  CHECK(ours.loss == doctest::Approx(theirs.loss).epsilon(1e-12));
  compare("parabolas", ours, theirs);

  ours = theirs = {};
  const Twins twins(gt::f64);
  ours = minimise(twins.ours, 500, [&] { return twins.our_loss(); });
  theirs = minimise(twins.theirs, 500, [&] { return twins.their_loss(); });
  CHECK(ours.loss < 1e-10);
  compare("a network", ours, theirs);
}
