#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
namespace optim = gradtape::optim;
using gt::load_state, gt::State, gt::state_of;
using one_leaf::start;

namespace {

using Leaves = std::vector<gt::Tensor>;

/// Matrices of both dtypes: every optimizer takes them.
Leaves leaves() {
  const gt::Tensor w = gt::reshape(gt::linspace(-1, 1, 35, {.dtype = gt::f64}), {5, 7});
  return {gt::parameter(w), gt::parameter(w.to(gt::f32))};
}

gt::Tensor loss(const Leaves& w) {
  return gt::sum(gt::square(gt::sin(w[0]) - 0.3)) + gt::sum(gt::exp(w[1])).to(gt::f64);
}

void train(auto& opt, const Leaves& w, int steps) {
  for (int i = 0; i < steps; ++i)
    if constexpr (requires {
                    opt.zero_grad();
                    opt.step();
                  }) {
      opt.zero_grad();
      loss(w).backward();
      opt.step();
    } else if constexpr (requires {
                           opt.stop();
                           opt.zero_grad();
                         }) {
      opt.step([&] {
        const gt::Tensor value = loss(w);
        value.backward();
        return value;
      });
    } else {
      opt.step([&] { return gt::sin(w[0]) - 0.3 * gt::exp(w[1]).to(gt::f64); });
    }
}

/// 20 steps are 10, all state into an optimizer just made for other leaves of these values, and 10, to the bit.
template <class Optimizer, class Options>
void check_resumes(const Options& options) {
  const Leaves straight = leaves(), before = leaves();
  Optimizer uninterrupted(straight, options), first(before, options);
  train(uninterrupted, straight, 20);
  train(first, before, 10);

  const Leaves after{gt::parameter(before[0]), gt::parameter(before[1])};
  const State saved = state_of(first);
  train(first, before, 1);  // does not reach what was saved
  Optimizer second(after, options);
  load_state(second, saved);
  train(second, after, 5);
  const State on_the_way = state_of(second);
  train(second, after, 5);
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(gt::equal(after[i], straight[i]));

  const State expected = state_of(uninterrupted), reached = state_of(second);
  REQUIRE(reached.size() == expected.size());
  for (std::size_t i = 0; i < reached.size(); ++i) {
    CHECK(reached[i].first == expected[i].first);
    CHECK(gt::equal(reached[i].second, expected[i].second));
  }
}

std::vector<std::string> names(const State& state) {
  std::vector<std::string> out;
  for (const auto& [name, value] : state) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("state: every optimizer goes on where its state was taken, to the bit") {
  check_resumes<optim::SGD>(optim::SGDOptions{.lr = 0.01});
  check_resumes<optim::SGD>(optim::SGDOptions{.lr = 0.01, .momentum = 0.9, .dampening = 0.2});
  check_resumes<optim::Adam>(optim::AdamOptions{.lr = 0.01, .amsgrad = true});
  check_resumes<optim::AdamW>(optim::AdamWOptions{.lr = 0.01});
  check_resumes<optim::RMSprop>(optim::RMSpropOptions{.momentum = 0.9, .centered = true});
  check_resumes<optim::Adagrad>(optim::AdagradOptions{.lr_decay = 0.1, .initial_accumulator_value = 0.1});
  check_resumes<optim::Adadelta>(optim::AdadeltaOptions{});
  check_resumes<optim::NAdam>(optim::NAdamOptions{.lr = 0.01});
  check_resumes<optim::Lion>(optim::LionOptions{.lr = 0.01});
  check_resumes<optim::Muon>(optim::MuonOptions{.lr = 0.01});
  check_resumes<optim::LBFGS>(optim::LBFGSOptions{.lr = 0.1, .max_iter = 1, .tolerance_change = 0, .history_size = 6});
  check_resumes<optim::LevenbergMarquardt>(
      optim::LevenbergMarquardtOptions{.damping = 10, .max_iter = 1, .tolerance_change = 0});
}

TEST_CASE("state: names and dtypes") {
  const gt::Tensor w = start(), single = gt::parameter(w.detach().to(gt::f32));
  const State state = state_of(optim::NAdam({w, single}));
  CHECK(names(state) == std::vector<std::string>{"lr", "0.step", "0.exp_avg", "0.exp_avg_sq", "0.mu_product", "1.step",
                                                 "1.exp_avg", "1.exp_avg_sq", "1.mu_product"});
  CHECK(state[0].second.item() == 2e-3);
  CHECK(state[0].second.dtype() == gt::f64);
  CHECK(state[1].second.dtype() == gt::i64);
  CHECK(gt::equal(state[2].second, gt::zeros_like(w)));
  CHECK(gt::equal(state[6].second, gt::zeros_like(single)));
  CHECK(names(state_of(optim::SGD({w}))) == std::vector<std::string>{"lr", "0.step"});
  CHECK(names(state_of(optim::SGD({w}, {.momentum = 0.9}))).back() == "0.momentum_buffer");
  CHECK(names(state_of(optim::LBFGS({w}))) == std::vector<std::string>{"lr", "iterations", "evaluations", "changes"});
}

TEST_CASE("state: what does not fit is listed in full, and nothing changes") {
  const gt::Tensor w = start();
  optim::Adam opt({w}, {.lr = 0.5});
  State state = state_of(opt);
  REQUIRE(state.size() == 4);
  state[0].second = gt::tensor({0.25, 1.}, {.dtype = gt::f64});
  state[1].first = "0.steps";
  state[2].second = state[2].second.to(gt::f32);
  CHECK_THROWS_WITH_AS(load_state(opt, state),
                       "load_state: the state does not fit:\n"
                       "  lr: f64 [2] instead of f64 []\n"
                       "  0.step: missing\n"
                       "  0.exp_avg: f32 [37] instead of f64 [37]\n"
                       "  0.steps: unknown",
                       gt::ValueError);
  CHECK(opt.lr == 0.5);

  state = state_of(opt);
  state.push_back(state[0]);
  CHECK_THROWS_WITH_AS(load_state(opt, state), "load_state: the state does not fit:\n  lr: unknown", gt::ValueError);

  optim::LBFGS lbfgs({w});
  state = state_of(lbfgs);
  state[3].second = gt::tensor(101).to(gt::i64);
  CHECK_THROWS_WITH_AS(load_state(lbfgs, state), "LBFGS: a state with 101 changes does not fit a history_size of 100",
                       gt::ValueError);
}

TEST_CASE("state: strided tensors are taken over") {
  const gt::Tensor w = gt::parameter(gt::zeros({3, 2}));
  optim::SGD opt({w}, {.lr = 1, .momentum = 0.5});
  State state = state_of(opt);
  state[1].second = gt::tensor(1).to(gt::i64);
  state[2].second = gt::transpose(gt::tensor({{1., 2., 3.}, {4., 5., 6.}}));
  load_state(opt, state);
  gt::sum(0 * w).backward();
  opt.step();
  CHECK(gt::equal(w, gt::tensor({{-0.5, -2.}, {-1., -2.5}, {-1.5, -3.}})));
  CHECK(gt::equal(state[2].second, gt::tensor({{1., 4.}, {2., 5.}, {3., 6.}})));
}

TEST_CASE("state: of something made up of several") {
  struct Training {
    optim::SGD optimizer;
    optim::PlateauLR plateau;
    std::int64_t epoch = 0;
    std::vector<double> losses = {0, 0};
    void visit(gt::StateVisitor& v) {
      v("optimizer", optimizer), v("plateau", plateau), v("epoch", epoch), v("losses", losses);
    }
  };
  const gt::Tensor w = start();
  Training first{optim::SGD({w}), optim::PlateauLR({.lr = 0.5, .factor = 0.5, .patience = 0})};
  first.plateau.observe(1), first.plateau.observe(1);
  first.epoch = 7, first.losses = {3, 4};
  const State state = state_of(first);
  CHECK(names(state) == std::vector<std::string>{"optimizer.lr", "optimizer.0.step", "plateau.lr", "plateau.best",
                                                 "plateau.num_bad", "plateau.cooldown", "epoch", "losses"});
  Training second{optim::SGD({w}), optim::PlateauLR({.lr = 0.5, .factor = 0.5, .patience = 0})};
  load_state(second, state);
  CHECK(second.plateau(0) == 0.25);
  CHECK(second.epoch == 7);
  CHECK(second.losses == std::vector<double>{3, 4});
}
