#include <string>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::Adam, gt::optim::AdamW, gt::optim::SGD;
using one_leaf::set_gradient, one_leaf::start;

TEST_CASE("groups: each has its rate and weight decay, and one lr moves all") {
  const std::vector<gt::Tensor> w{start(), start(), start()}, alone{start(), start(), start()};
  AdamW opt({{.parameters = {w[0]}},
             {.parameters = {w[1]}, .lr_scale = 0.25},
             {.parameters = {w[2]}, .lr_scale = 2, .weight_decay = 0}},
            {.lr = 0.1});
  AdamW first({alone[0]}, {.lr = 0.1}), second({alone[1]}, {.lr = 0.025}),
      third({alone[2]}, {.lr = 0.2, .weight_decay = 0});
  for (int t = 0; t < 10; ++t) {
    if (t == 5) opt.lr = 0.4, first.lr = 0.4, second.lr = 0.1, third.lr = 0.8;
    for (const auto& leaves : {w, alone})
      for (const gt::Tensor& leaf : leaves) set_gradient(leaf, t);
    opt.step(), first.step(), second.step(), third.step();
  }
  for (std::size_t i = 0; i < w.size(); ++i) CHECK(gt::equal(w[i], alone[i]));
  opt.zero_grad();
  for (const gt::Tensor& leaf : w) CHECK_FALSE(leaf.has_grad());
}

TEST_CASE("groups: of a module's parameters, and one alone") {
  const gt::nn::MLP net({2, 3, 1}, {.activation = gt::tanh});
  SGD opt({{.parameters = net.layers[0].parameters(), .lr_scale = 0}, {.parameters = net.layers[1].parameters()}},
          {.lr = 0.1});
  const auto before = net.layers[0].weight.to_vector<float>(), moving = net.layers[1].weight.to_vector<float>();
  gt::sum(net(gt::ones({4, 2}))).backward();
  opt.step();
  CHECK(net.layers[0].weight.to_vector<float>() == before);
  CHECK(net.layers[1].weight.to_vector<float>() != moving);

  const gt::Tensor w = start();
  SGD single({{.parameters = {w}, .lr_scale = 0.5}}, {.lr = 1});
  gt::sum(w).backward();
  single.step();
  CHECK(w.to_vector<double>()[0] == one_leaf::initial(0) - 0.5);
}

TEST_CASE("groups: options outside of their domain") {
  CHECK_THROWS_WITH_AS(SGD({{.parameters = {start()}, .lr_scale = -1}}),
                       "SGD: a group's lr_scale is -1; it must not be negative", gt::ValueError);
  CHECK_THROWS_WITH_AS(Adam({{.parameters = {start()}}, {.parameters = {start()}, .weight_decay = -1}}),
                       "Adam: a group's weight_decay is -1; it must not be negative", gt::ValueError);
}

TEST_CASE("optimizers: none or one twice are no parameters to move") {
  CHECK_THROWS_WITH_AS(SGD(std::vector<gt::Tensor>{}),
                       "SGD: there are no parameters; does the module's visit name its members?", gt::ValueError);
  const gt::Tensor w = start();
  const std::string message =
      "Adam: parameter 2 of shape " + gt::to_string(w.shape()) + " is parameter 0 again; give each once";
  CHECK_THROWS_WITH_AS(Adam({w, start(), w}), message.c_str(), gt::ValueError);
}

TEST_CASE("a copy of an optimizer remembers on its own") {
  const gt::Tensor w = start();
  SGD opt({w}, {.lr = 0.5, .momentum = 0.5});
  set_gradient(w, 0);
  opt.step();
  SGD copy = opt;
  const gt::Tensor before = w.detach();
  copy.step();
  const gt::Tensor by_copy = w.detach();
  w.assign(before);
  opt.step();
  CHECK(gt::equal(w, by_copy));
}

TEST_CASE("gradients of two half batches add up to those of the whole") {
  const gt::DefaultDtype f64(gt::f64);
  const gt::RandomStream stream(2);
  const gt::nn::MLP whole({3, 5, 2}, {.activation = gt::tanh});
  const gt::nn::MLP halves = whole;
  const gt::Tensor x = gt::randn({8, 3}), y = gt::randn({8, 2});
  Adam opt_whole(whole.parameters(), {.lr = 0.1}), opt_halves(halves.parameters(), {.lr = 0.1});
  for (int step = 0; step < 20; ++step) {
    opt_whole.zero_grad();
    gt::mse_loss(whole(x), y).backward();
    opt_whole.step();

    opt_halves.zero_grad();
    for (const int begin : {0, 4}) {
      const gt::SliceOptions half{.begin = begin, .end = begin + 4};
      (gt::mse_loss(halves(gt::slice(x, half)), gt::slice(y, half)) / 2).backward();
    }
    opt_halves.step();
  }
  for (std::size_t i = 0; i < whole.parameters().size(); ++i)
    CHECK(halves.parameters()[i] == gt::approx(whole.parameters()[i].detach()).rtol(1e-11).atol(1e-11));
}
