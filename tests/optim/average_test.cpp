#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::EMA, gt::load_state, gt::state_of;
using one_leaf::set_gradient, one_leaf::size, one_leaf::start;

TEST_CASE("EMA: the recurrence in plain loops") {
  const gt::Tensor w = start(), single = gt::parameter(w.detach().to(gt::f32));
  gt::optim::SGD opt({w, single}, {.lr = 0.1});
  EMA ema({w, single}, {.decay = 0.8});
  std::vector<double> average = w.to_vector<double>();
  for (int t = 0; t < 50; ++t) {
    set_gradient(w, t), set_gradient(single, t);
    opt.step();
    ema.update();
    const auto value = w.to_vector<double>();
    for (std::size_t i = 0; i < size; ++i) average[i] = 0.8 * average[i] + (1 - 0.8) * value[i];
  }
  const auto last = w.to_vector<double>();
  ema.apply();
  const auto applied = w.to_vector<double>();
  const auto applied_single = single.to_vector<float>();
  for (std::size_t i = 0; i < size; ++i) {
    CHECK(std::abs(applied[i] - average[i]) < 1e-13);
    CHECK(std::abs(static_cast<double>(applied_single[i]) - average[i]) < 2e-6);
  }
  ema.restore();
  CHECK(w.to_vector<double>() == last);
  ema.update();
  CHECK(w.to_vector<double>() == last);
}

TEST_CASE("EMA: before the first update it is the parameters") {
  const gt::Tensor w = start();
  EMA ema({w});
  CHECK(ema.decay == 0.999);
  set_gradient(w, 0);
  gt::optim::SGD({w}, {.lr = 1}).step();
  ema.apply();
  CHECK(gt::equal(w, start()));
}

TEST_CASE("EMA: a live graph keeps its values") {
  const gt::Tensor w = start();
  EMA ema({w}, {.decay = 0.5});
  w.assign(2 * start());
  const gt::Tensor loss = gt::sum(gt::square(w));
  ema.update();
  ema.apply();
  loss.backward();
  CHECK(w.grad() == gt::approx(4 * start()));
  CHECK(w == gt::approx(1.5 * start()));
}

TEST_CASE("EMA: starts anew after the module is converted") {
  gt::nn::Linear layer(2, 1);
  EMA ema(layer.parameters(), {.decay = 0.5});
  layer.to(gt::f64);
  layer.weight.assign(gt::ones({1, 2}, {.dtype = gt::f64}));
  ema.apply();
  CHECK(gt::equal(layer.weight, gt::ones({1, 2}, {.dtype = gt::f64})));
  ema.restore();
  layer.weight.assign(3 * gt::ones({1, 2}, {.dtype = gt::f64}));
  ema.update();
  ema.apply();
  CHECK(gt::equal(layer.weight, gt::full({1, 2}, 2, {.dtype = gt::f64})));
}

TEST_CASE("EMA: goes on where its state was taken") {
  const gt::Tensor w = start(), v = start();
  EMA first({w}, {.decay = 0.9}), second({v});
  w.assign(2 * start());
  first.update();
  load_state(second, state_of(first));
  v.assign(w.detach());
  first.update(), second.update();
  first.apply(), second.apply();
  CHECK(second.decay == 0.9);
  CHECK(gt::equal(w, v));
}

TEST_CASE("EMA: misuse") {
  const gt::Tensor w = start();
  CHECK_THROWS_WITH_AS(EMA({w}, {.decay = 1}), "EMA: decay is 1; it must be in [0, 1)", gt::ValueError);
  one_leaf::check_wants_leaves<EMA>("EMA");
  EMA ema({w});
  CHECK_THROWS_WITH_AS(ema.restore(), "EMA: restore: the averages are not applied; call apply() first", gt::Error);
  ema.apply();
  CHECK_THROWS_WITH_AS(ema.apply(), "EMA: apply: the averages are applied; call restore() first", gt::Error);
  CHECK_THROWS_WITH_AS(ema.update(), "EMA: update: the averages are applied; call restore() first", gt::Error);
  CHECK_THROWS_WITH_AS(state_of(ema), "EMA: visit: the averages are applied; call restore() first", gt::Error);
}
