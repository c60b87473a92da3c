// A training step in its steady state asks the heap for nothing.
#include <gradtape/gradtape.hpp>

#include "heap_calls.hpp"
#include <doctest/doctest.h>

#ifndef GRADTAPE_PLAIN_MALLOC  // under a sanitizer pools are off

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace gt = gradtape;

namespace {

/// Trains to its steady state, in which one hundred steps ask for nothing: some steps after the first, for which thread
/// takes which part of an op is left to chance. What oneDNN asks for on its own account is listed; the rest is ours.
void check_steps(auto&& step) {
  std::map<std::string, int> found, ours;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 20; ++i) step();
    found = heap_calls_of([&] {
      for (int i = 0; i < 100; ++i) step();
    });
    ours = found;
    std::erase_if(ours, [](const auto& call) { return call.first.find("libdnnl") != std::string::npos; });
    if (ours.empty()) break;
  }
  for (const auto& [call, n] : ours) CHECK_MESSAGE(n == 0, n, " calls of ", call, " in 100 steps");
  for (const auto& [call, n] : found)
    if (!ours.contains(call)) MESSAGE("100 steps: ", n, " of ", call);
}

/// The same of steps against the gradient of `loss()`.
void check_training(gt::optim::Optimizer& optimizer, auto&& loss) {
  check_steps([&] {
    const gt::Tensor now = loss();
    optimizer.zero_grad();
    now.backward();
    optimizer.step();
  });
}

}  // namespace

TEST_CASE("heap: none in a step of the MLP 2-8-1") {
  gt::nn::MLP net({2, 8, 1}, {.activation = gt::sigmoid});
  gt::optim::SGD sgd(net.parameters(), {.lr = 0.5, .momentum = 0.9});
  const auto x = gt::tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}}), y = gt::tensor({{0.}, {1.}, {1.}, {0.}});
  check_training(sgd, [&] { return gt::mse_loss(net(x), y); });
}

TEST_CASE("heap: none in a step of the MLP 784-128-10") {
  gt::nn::MLP net({784, 128, 10}, {.activation = gt::sigmoid});
  gt::optim::SGD sgd(net.parameters(), {.lr = 0.1});
  const auto x = gt::randn({64, 784}), y = gt::randn({64, 10});
  check_training(sgd, [&] { return gt::mse_loss(net(x), y); });
}

TEST_CASE("heap: none in a line about a step whether written or not") {
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  for (const double every : {0., 1e-9}) {
    gt::report::ProgressLine line(1000, {.label = "epoch 1", .out = nowhere, .every = every});
    line.start();
    check_steps([&] {
      line.set("training loss", 0.25);
      line.step();
    });
  }
  std::fclose(nowhere);
}

TEST_CASE("heap: none in a step with relu and cross-entropy on fresh batches") {
  gt::nn::MLP net({20, 32, 5}, {.activation = gt::relu});
  gt::optim::SGD sgd(net.parameters(), {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true});
  const auto data = gt::randn({256, 20}), labels = gt::argmax(gt::randn({256, 5}));
  check_training(sgd, [&] {
    const auto order = gt::permutation(256);
    const auto batch = gt::slice(order, {.begin = 0, .end = 32});
    return gt::cross_entropy(net(gt::take(data, batch)), gt::take(labels, batch));
  });
}

TEST_CASE("heap: none in a step of a convolutional network") {
  const gt::nn::Sequential net({gt::nn::Conv2d(1, 16, 3, {.padding = 1}), gt::relu, gt::nn::MaxPool2d(2),
                                gt::nn::Conv2d(16, 16, 3), gt::relu, gt::nn::AvgPool2d(2), gt::nn::Flatten(),
                                gt::nn::Linear(144, 5)});
  gt::optim::SGD sgd(net.parameters(), {.lr = 0.1, .momentum = 0.9});
  const auto x = gt::randn({8, 1, 16, 16}), labels = gt::argmax(gt::randn({8, 5}));
  check_training(sgd, [&] { return gt::cross_entropy(net(x), labels); });
}

TEST_CASE("heap: none in a step of Adam") {
  gt::nn::MLP net({20, 32, 5}, {.activation = gt::tanh});
  gt::optim::Adam adam(net.parameters(), {.weight_decay = 1e-4, .amsgrad = true});
  const auto x = gt::randn({32, 20}), y = gt::randn({32, 5});
  check_training(adam, [&] { return gt::mse_loss(net(x), y); });
}

TEST_CASE("heap: none in a step of the other optimizers, with clipping, a schedule and an average") {
  gt::nn::MLP net({20, 32, 5}, {.activation = gt::tanh});
  const auto w = net.parameters(), matrices = std::vector<gt::Tensor>{w[0], w[2]};
  namespace optim = gt::optim;
  optim::AdamW adamw(w);
  optim::RMSprop rmsprop(w, {.lr = 1e-3, .momentum = 0.9, .centered = true});
  optim::Adagrad adagrad(w);
  optim::Adadelta adadelta(w);
  optim::NAdam nadam(w);
  optim::Lion lion({{.parameters = {w[0], w[1]}}, {.parameters = {w[2], w[3]}, .weight_decay = 0.1}});
  optim::Muon muon(matrices);
  optim::EMA ema(w);
  const optim::CosineLR schedule{.lr = 1e-3, .steps = 1000};
  const auto x = gt::randn({32, 20}), y = gt::randn({32, 5});
  std::int64_t t = 0;
  check_steps([&] {
    const auto loss = gt::mse_loss(net(x), y);
    adamw.zero_grad();
    loss.backward();
    optim::clip_grad_norm(w, 1);
    adamw.lr = schedule(t++);
    adamw.step(), rmsprop.step(), adagrad.step(), adadelta.step(), nadam.step(), lion.step(), muon.step();
    ema.update();
  });
}

TEST_CASE("heap: none in a step of a Transformer's layers") {
  const gt::nn::TransformerEncoderLayer encoder(16, 4, {.dim_feedforward = 32});
  const gt::nn::TransformerDecoderLayer decoder(16, 4, {.dim_feedforward = 32, .dropout = 0, .norm_first = true});
  auto parameters = encoder.parameters();
  for (const gt::Tensor& p : decoder.parameters()) parameters.push_back(p);
  gt::optim::SGD sgd(parameters, {.lr = 0.01});
  const auto x = gt::randn({2, 10, 16}), y = gt::randn({2, 7, 16});
  check_training(sgd, [&] { return gt::mse_loss(decoder(y, encoder(x), {.self = {.causal = true}}), y); });
}

TEST_CASE("heap: none on any thread in steps whose ops take several") {
  const int before = gt::num_threads();
  gt::set_num_threads(3);
  SUBCASE("of an MLP") {
    gt::nn::MLP net({256, 256, 10}, {.activation = gt::relu});
    gt::optim::Adam adam(net.parameters());
    const auto x = gt::randn({512, 256}), labels = gt::argmax(gt::randn({512, 10}));
    check_training(adam, [&] { return gt::cross_entropy(net(x), labels); });
  }
  SUBCASE("of a convolutional network") {
    const gt::nn::Sequential net({gt::nn::Conv2d(3, 16, 3, {.padding = 1}), gt::nn::BatchNorm2d(16), gt::relu,
                                  gt::nn::MaxPool2d(2), gt::nn::Flatten(), gt::nn::Linear(16 * 64, 5)});
    gt::optim::SGD sgd(net.parameters(), {.lr = 0.1, .momentum = 0.9});
    const auto x = gt::randn({32, 3, 16, 16}), labels = gt::argmax(gt::randn({32, 5}));
    check_training(sgd, [&] { return gt::cross_entropy(net(x), labels); });
  }
  SUBCASE("of a Transformer's block") {
    const gt::nn::TransformerEncoderLayer block(64, 4, {.dim_feedforward = 256});
    gt::optim::SGD sgd(block.parameters(), {.lr = 0.01});
    const auto x = gt::randn({8, 64, 64});
    check_training(sgd, [&] { return gt::mse_loss(block(x, {.causal = true}), x); });
  }
  gt::set_num_threads(before);
}

TEST_CASE("heap: none in a step written op by op") {
  const auto w = gt::parameter(gt::randn({6, 4})), b = gt::parameter(gt::zeros({4}));
  gt::optim::SGD sgd({w, b}, {.lr = 0.01});
  const auto x = gt::randn({10, 6}), y = gt::randn({10, 4});
  check_training(sgd, [&] {
    const auto out = gt::tanh(gt::matmul(x, w) + b);
    return 0.5 * gt::sum(gt::square(out - y), {.axes = {0, 1}}) + 0.01 * gt::sum(gt::abs(w));
  });
}

TEST_CASE("heap: none in a step of a recurrent network") {
  const auto check = [](const auto& net) {
    const gt::nn::Linear head(16, 5);
    const auto lengths = gt::randint(0, 8, {32});
    auto parameters = net.parameters();
    for (const auto& w : head.parameters()) parameters.push_back(w);
    gt::optim::SGD sgd(parameters, {.lr = 0.1});
    const auto x = gt::randn({7, 32, 6}), labels = gt::argmax(gt::randn({32, 5}));
    check_training(sgd, [&] { return gt::cross_entropy(head(net(x, {.lengths = lengths}).h[-1]), labels); });
  };
  check(gt::nn::GRU(6, 16));
  check(gt::nn::LSTM(6, 16, {.num_layers = 2, .bidirectional = true}));
  check(gt::nn::RNN(6, 16));
}

TEST_CASE("heap: none in a step of a bilinear layer") {
  const gt::nn::Bilinear net(6, 4, 5);
  gt::optim::SGD sgd(net.parameters(), {.lr = 0.1});
  const auto x = gt::randn({8, 6}), y = gt::randn({8, 4}), labels = gt::argmax(gt::randn({8, 5}));
  check_training(sgd, [&] { return gt::cross_entropy(net(x, y), labels); });
}

TEST_CASE("heap: none in a step with a second derivative") {
  const auto w = gt::parameter(gt::randn({1, 8})), v = gt::parameter(gt::randn({8, 1}));
  gt::optim::SGD sgd({w, v}, {.lr = 0.001});
  const auto points = gt::randn({16, 1});
  check_training(sgd, [&] {
    const auto x = gt::parameter(points);
    const auto u = gt::matmul(gt::tanh(gt::matmul(x, w)), v);
    const auto [slope] = gt::grad(gt::sum(u), {x}, {.create_graph = true});
    return gt::mean(gt::square(slope - u));
  });
}

#endif
