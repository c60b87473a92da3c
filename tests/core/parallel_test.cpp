#include <gradtape/gradtape.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gt = gradtape;
namespace nn = gt::nn;
using gt::detail::parallel, gt::detail::parallel_for;

namespace {

#ifdef GRADTAPE_PLAIN_MALLOC  // under sanitizers
constexpr int steps = 4;
#else
constexpr int steps = 50;
#endif

/// As many threads as told, while it lives.
class Threads {
 public:
  explicit Threads(int n) { gt::set_num_threads(n); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { gt::set_num_threads(before_); }

 private:
  int before_ = gt::num_threads();
};

/// `f` with 1, 2 and 4 threads gives the same bits, and with its parts in the other order.
void check_same(const std::string& name, auto f) {
  CAPTURE(name);
  const auto with = [&](int n) {
    const Threads threads(n);
    gt::manual_seed(1);
    return f();
  };
  const gt::Tensor expected = with(1);
  CHECK(gt::equal(with(1), expected));  // in the other order if f is an odd number of operations,
  parallel(2, [](std::int64_t) {});
  CHECK(gt::equal(with(1), expected));  // or if it is an even one
  CHECK(gt::equal(with(2), expected));
  CHECK(gt::equal(with(4), expected));
}

/// All parameters after some steps, one after another.
template <class Net, class Optimizer>
gt::Tensor trained(Net& net, Optimizer&& opt, auto loss_of) {
  for (int step = 0; step < steps; ++step) {
    opt.zero_grad();
    loss_of(net).backward();
    opt.step();
  }
  std::vector<gt::Tensor> all;
  for (const gt::Tensor& p : net.parameters()) all.push_back(gt::reshape(p.detach(), {-1}));
  return gt::concatenate(all);
}

struct Cnn : nn::Module {
  nn::Conv2d conv1{1, 16, 3, {.padding = 1}}, conv2{16, 16, 3, {.padding = 1}};
  nn::BatchNorm2d norm{16};
  nn::Linear head{16 * 7 * 7, 10};
  gt::Tensor operator()(const gt::Tensor& x) {
    const gt::Tensor y = gt::max_pool2d(gt::relu(norm(conv1(x))), 2);
    return head(gt::flatten(gt::max_pool2d(gt::relu(conv2(y)), 2), {.start_axis = 1}));
  }
  void visit(nn::Visitor& v) override { v("conv1", conv1), v("norm", norm), v("conv2", conv2), v("head", head); }
};

}  // namespace

TEST_CASE("threads: an operation begins where the one before it ended") {
  const Threads threads(1);
  std::vector<std::int64_t> order;
  for (int operation = 0; operation < 2; ++operation) parallel(3, [&](std::int64_t i) { order.push_back(i); });
  REQUIRE(order.size() == 6);
  CHECK(order[3] == order[2]);
  CHECK(std::set(order.begin(), order.begin() + 3) == std::set<std::int64_t>{0, 1, 2});
  CHECK(std::set(order.begin() + 3, order.end()) == std::set<std::int64_t>{0, 1, 2});
}

TEST_CASE("threads: an operation's parts do not write into each other, in whichever order") {
  const Threads threads(1);
  for (const std::int64_t width : {513, 515, 600, 1023}) {
    CAPTURE(width);
    const gt::Tensor x = gt::ones({9, 57, width}), b = gt::full({57, 1}, 2), all = gt::ones({9, 57, width + 1});
    for (int order = 0; order < 2; ++order) {
      CHECK(gt::all(x + b == 3).item<bool>());
      CHECK(gt::all(all[{gt::Slice{}, gt::Slice{}, gt::Slice{0, width}}] * 2 == 2).item<bool>());
      const gt::Tensor p = gt::parameter(x);
      CHECK(gt::all(gt::grad(gt::sum(p * b), {p})[0] == 2).item<bool>());
    }
  }
}

TEST_CASE("threads: every part runs once, at any number of threads") {
  for (const int n : {1, 2, 4, 2, 5}) {
    const Threads threads(n);
    CHECK(gt::num_threads() == n);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> runs(37);
      parallel(37, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
      for (const auto& count : runs) REQUIRE(count == 1);
    }
    std::atomic<std::int64_t> sum = 0;
    parallel_for(1000, 64, [&](std::int64_t begin, std::int64_t end) {
      CHECK(begin % 64 == 0);
      for (std::int64_t i = begin; i < end; ++i) sum += i;
    });
    CHECK(sum == 999 * 500);
  }
}

TEST_CASE("threads: parts inside of parts, and of two threads at once") {
  const Threads threads(3);
  std::atomic<int> runs = 0;
  const auto work = [&] {
    for (int round = 0; round < 50; ++round)
      parallel(8, [&](std::int64_t) { parallel(8, [&](std::int64_t) { ++runs; }); });
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(runs == 2 * 50 * 64);
}

TEST_CASE("threads: what a part throws is thrown, and the pool goes on") {
  const Threads threads(4);
  for (int round = 0; round < 50; ++round)
    CHECK_THROWS_WITH_AS(parallel(16,
                                  [](std::int64_t i) {
                                    if (i % 5 == 3) throw std::runtime_error("part");
                                  }),
                         "part", std::runtime_error);
  std::atomic<int> runs = 0;
  parallel(16, [&](std::int64_t) { ++runs; });
  CHECK(runs == 16);
}

TEST_CASE("threads: a smaller number holds from the next op on, and a part may ask for it") {
  const auto threads_of_an_op = [] {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    gt::detail::parallel(64, [&](std::int64_t) {
      gt::num_threads();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
    return seen.size();
  };
  const Threads threads(4);
  for (int i = 0; i < 5; ++i) {
    gt::set_num_threads(4);
    threads_of_an_op();
    gt::set_num_threads(2);
    CHECK(threads_of_an_op() <= 2);
  }
  gt::set_num_threads(1);
  CHECK(threads_of_an_op() == 1);
}

#ifndef __SANITIZE_THREAD__  // which refuses threads of a forked process
TEST_CASE("threads: a process that forks computes on both sides") {
  const Threads threads(2);
  const gt::Tensor x = gt::randn({300, 300}), expected = gt::matmul(x, x);
  const pid_t child = fork();
  if (child == 0) _exit(gt::equal(gt::matmul(x, x), expected) ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(gt::equal(gt::matmul(x, x), expected));
}

TEST_CASE("threads: figures of memory outlive a fork, though not the threads they were of") {
  const Threads threads(9);  // so many stacks that the C library unmaps some of those that are left in the child
  const gt::Tensor x = gt::randn({2048, 1024});
  for (int i = 0; i < 20; ++i) gt::contiguous(gt::transpose(x));
  const gt::Memory before = gt::memory();
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { gt::sum(gt::square(gt::parameter(gt::ones({3})))); }).join();
    const gt::Memory now = gt::memory();
    _exit(now.live_bytes == before.live_bytes && now.live_nodes == before.live_nodes ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

TEST_CASE("threads: how many") {
  CHECK_THROWS_WITH_AS(gt::set_num_threads(0), "set_num_threads: 0 threads, expected at least 1", gt::ValueError);
}

// Run by tests of their own, which set the variable.
TEST_CASE("threads: GRADTAPE_NUM_THREADS") {
  const char* text = std::getenv("GRADTAPE_NUM_THREADS");
  if (!text || text == std::string("3")) {
    CHECK(gt::num_threads() == (text ? 3 : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))));
    return;
  }
  const std::string message =
      "GRADTAPE_NUM_THREADS is \"" + std::string(text) + "\"; expected a whole number of at least 1";
  CHECK_THROWS_WITH_AS(gt::num_threads(), message.c_str(), gt::ValueError);
  gt::set_num_threads(2);
  CHECK(gt::num_threads() == 2);
}

TEST_CASE("threads: ops give the same bits at any number") {
  const auto backward = [](const gt::Tensor& x, auto f) {
    const gt::Tensor leaf = gt::parameter(x), y = f(leaf);
    gt::sum(y * y).backward();
    return gt::concatenate({gt::reshape(y.detach(), {-1}), gt::reshape(leaf.grad(), {-1})});
  };
  const auto check = [&](const std::string& name, const gt::Shape& shape, auto f) {
    check_same(name, [&] { return backward(gt::randn(shape), f); });
  };
  using Tensor = gt::Tensor;
  check("sum", {300, 1001}, [](const Tensor& x) { return gt::sum(x); });
  check("sum over rows", {300, 1001}, [](const Tensor& x) { return gt::sum(x, {.axes = 0}); });
  check("sum over columns", {300, 1001}, [](const Tensor& x) { return gt::sum(x, {.axes = 1}); });
  check("max", {300, 1001}, [](const Tensor& x) { return gt::max(x, {.axes = 1}); });
  check("elementwise", {300, 1001}, [](const Tensor& x) { return gt::sigmoid(x) * x + gt::exp(-x); });
  check("broadcasting", {300, 1001}, [](const Tensor& x) {
    return x * x[0] + gt::reshape(x[{gt::Slice{}, 1}], {300, 1});
  });
  for (std::int64_t width = 513; width < 529; ++width)  // parts and rows end at all sorts of places
    check("broadcasting along " + std::to_string(width), {160, width}, [=](const Tensor& x) {
      return (x * gt::reshape(x[{gt::Slice{}, 1}], {160, 1}))[{gt::Slice{}, gt::Slice{0, width - 1}}] * 2;
    });
  check("strided", {301, 1001}, [](const Tensor& x) { return gt::transpose(x) * 2 + gt::flip(gt::transpose(x), 0); });
  check("softmax", {300, 1001}, [](const Tensor& x) { return gt::softmax(x) + gt::log_softmax(x); });
  check("normalization", {600, 500},
        [](const Tensor& x) { return gt::layer_norm(x, {500}, {.weight = x[0], .bias = x[1]}); });
  check("matmul", {300, 300}, [](const Tensor& x) { return gt::matmul(x, gt::transpose(x)); });
  check("batched matmul", {40, 70, 70}, [](const Tensor& x) { return gt::matmul(x, x); });
  check("attention", {2, 4, 100, 32},
        [](const Tensor& x) { return gt::scaled_dot_product_attention(x, x, x, {.causal = true}); });
  check("attention with keys for all", {8, 4, 100, 32}, [](const Tensor& x) {
    return gt::scaled_dot_product_attention(x, x[{gt::Slice{0, 1}, gt::Slice{0, 1}}], x[0][0]);
  });
  check("attention with dropout", {2, 4, 100, 32},
        [](const Tensor& x) { return gt::scaled_dot_product_attention(x, x, x, {.dropout_p = 0.1}); });
  check("convolution", {20, 8, 28, 28}, [](const Tensor& x) {
    return gt::max_pool2d(
        gt::conv2d(x, gt::reshape(x[0][{gt::Slice{}, 0}][{gt::Slice{}, gt::Slice{0, 18}}], {2, 8, 3, 3})), 2);
  });
  check("convolution of many channels", {20, 16, 18, 18}, [](const Tensor& x) {
    return gt::conv2d(
        x, gt::reshape(x[{gt::Slice{0, 16}, gt::Slice{}, gt::Slice{0, 3}, gt::Slice{0, 3}}], {16, 16, 3, 3}));
  });
}

TEST_CASE("threads: training gives the same bits at any number") {
  check_same("MLP", [] {
    nn::MLP net({300, 400, 300, 10});
    const gt::Tensor x = gt::randn({128, 300}), y = gt::randint(0, 10, {128});
    return trained(net, gt::optim::SGD(net.parameters(), {.lr = 0.1, .momentum = 0.9}),
                   [&](nn::MLP& m) { return gt::cross_entropy(m(x), y); });
  });
  check_same("CNN", [] {
    Cnn net;
    const gt::Tensor x = gt::randn({20, 1, 28, 28}), y = gt::randint(0, 10, {20});
    return trained(net, gt::optim::Adam(net.parameters()), [&](Cnn& m) { return gt::cross_entropy(m(x), y); });
  });
  check_same("Transformer and LSTM", [] {
    struct Net : nn::Module {
      nn::TransformerEncoderLayer layer{64, 4, {.dim_feedforward = 128}};
      nn::LSTM lstm{64, 64, {.batch_first = true}};
      void visit(nn::Visitor& v) override { v("layer", layer), v("lstm", lstm); }
    } net;
    const gt::Tensor x = gt::randn({8, 50, 64});
    return trained(net, gt::optim::AdamW(net.parameters()),
                   [&](Net& m) { return gt::mean(gt::square(m.lstm(m.layer(x)).output - x)); });
  });
}
