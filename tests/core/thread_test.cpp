#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "core/support.hpp"

namespace gt = gradtape;
using gt::test::scalar_leaf;

namespace {

/// Sum of the gradients of a small net at x; the net and its graph are the calling thread's own.
double train_alone(std::uint64_t seed, int steps) {
  gt::manual_seed(seed);
  gt::nn::MLP net({3, 8, 2}, {.activation = gt::tanh});
  gt::optim::SGD sgd(net.parameters(), {.lr = 0.1});
  const auto x = gt::randn({16, 3}), y = gt::randn({16, 2});
  double loss_at_end = 0;
  for (int step = 0; step < steps; ++step) {
    const auto loss = gt::mse_loss(net(x), y);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    loss_at_end = loss.item();
  }
  return loss_at_end;
}

/// Hands tensors from one thread to another.
class Queue {
 public:
  void push(gt::Tensor tensor) {
    const std::lock_guard lock(mutex_);
    tensors_.push(std::move(tensor));
    ready_.notify_one();
  }
  gt::Tensor pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return !tensors_.empty(); });
    gt::Tensor tensor = std::move(tensors_.front());
    tensors_.pop();
    return tensor;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::queue<gt::Tensor> tensors_;
};

}  // namespace

TEST_CASE("threads: two of them with a graph each") {
  const double alone = train_alone(1, 50), other_alone = train_alone(2, 50);
  double together = 0, other_together = 0;
  std::thread a([&] { together = train_alone(1, 50); }), b([&] { other_together = train_alone(2, 50); });
  a.join();
  b.join();
  CHECK(together == alone);
  CHECK(other_together == other_alone);
  CHECK(alone != other_alone);
}

TEST_CASE("threads: several run one model under NoGrad") {
  const gt::nn::MLP net({3, 8, 2}, {.activation = gt::sigmoid});
  const auto x = gt::randn({16, 3});
  const auto expected = net(x).detach();
  std::vector<int> right(4, 0);
  {
    const auto guard = gt::share(net);
    const auto input = gt::share({x, expected});
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < right.size(); ++t)
      threads.emplace_back([&, t] {
        const gt::NoGrad off;
        for (int i = 0; i < 200; ++i) right[t] += gt::equal(net(x), expected) ? 1 : 0;
      });
    for (auto& thread : threads) thread.join();
  }
  for (const int n : right) CHECK(n == 200);
  gt::sum(net(x)).backward();  // and then one thread trains it again
  CHECK(net.parameters()[0].has_grad());
}

TEST_CASE("threads: tensors from workers that exit die at a consumer") {
  constexpr int workers = 100, tensors_each = 100, n = 16'384;
  const gt::Memory before = gt::memory();
  double total = 0;
  std::int64_t cached_half_way = 0;
  {
    Queue queue;
    for (int w = 0; w < workers; ++w) {
      std::thread worker([&, w] {
        for (int i = 0; i < tensors_each; ++i) queue.push(gt::full({n}, w));
      });
      for (int i = 0; i < tensors_each; ++i) total += queue.pop()[n - 1].item();
      worker.join();
      if (w == workers / 2) cached_half_way = gt::memory().cached_bytes;
    }
  }
  CHECK(total == 100. * (99 * 100 / 2));
  const gt::Memory after = gt::memory();
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.live_nodes == before.live_nodes);
  // 10,000 hand-overs of 64 KiB are 640 MB; what is kept for reuse has stopped growing long before.
  CHECK(after.cached_bytes - before.cached_bytes < 64 << 20);
  CHECK(after.cached_bytes - cached_half_way < 8 << 20);
}

TEST_CASE("threads: a model trained by a worker goes on training after join") {
  gt::nn::MLP net({2, 4, 1}, {.activation = gt::tanh});
  const auto x = gt::randn({8, 2}), y = gt::randn({8, 1});
  const auto step = [&](int steps) {
    gt::optim::SGD sgd(net.parameters(), {.lr = 0.1});
    double first = 0, last = 0;
    for (int i = 0; i < steps; ++i) {
      const auto loss = gt::mse_loss(net(x), y);
      sgd.zero_grad();
      loss.backward();
      sgd.step();
      (i == 0 ? first : last) = loss.item();
    }
    return std::pair(first, last);
  };
  std::pair<double, double> in_worker, here;
  std::thread([&] { in_worker = step(100); }).join();
  here = step(100);
  CHECK(in_worker.second < in_worker.first);
  CHECK(here.first < in_worker.second);
  CHECK(here.second < here.first);
}

TEST_CASE("threads: a leaf of a thread that has made many nodes is older than what is computed from it") {
  gt::Tensor w;
  std::thread([&] {
    for (int i = 0; i < 10'000; ++i) scalar_leaf(0);
    w = scalar_leaf(3);
  }).join();
  const auto v = scalar_leaf(2);
  const auto h = w * v;  // its id must exceed both
  const auto y = h * h + h * w;
  CHECK(h.node()->id > w.node()->id);
  CHECK(h.node()->id > v.node()->id);
  CHECK(y.node()->id > h.node()->id);
  y.backward();  // y = w²v² + w²v
  CHECK(w.grad().item() == 2 * 3 * 4 + 2 * 3 * 2);
  CHECK(v.grad().item() == 2 * 9 * 2 + 9);
}

TEST_CASE("threads: sweeps by one thread leave no marks that mislead another") {
  gt::Tensor v, w, y;
  std::thread([&] {
    v = scalar_leaf(2), w = scalar_leaf(3), y = v * v + w * w;
    gt::grad(y, {v}, {.retain_graph = true});  // the first sweep of that thread
  }).join();
  double dw = 0;
  std::thread([&] { dw = gt::grad(y, {w})[0].item(); }).join();  // the first of this one
  CHECK(dw == 6);
}

TEST_CASE("threads: pools outlive the threads that made their blocks") {
  gt::Tensor kept;
  std::thread([&] { kept = gt::sum(gt::parameter(gt::ones({1000})) * 2); }).join();
  CHECK(kept.item() == 2000);
  kept.backward();
}

#ifdef GRADTAPE_CHECKS
TEST_CASE("threads: a second thread without the guard is told of gt::share") {
  const auto w = gt::parameter(gt::ones({2}));
  const auto y = w * w;
  std::string parameter_message, graph_message;
  std::thread([&] {
    const auto message = [](auto f) -> std::string {
      try {
        f();
      } catch (const gt::ThreadError& error) {
        return error.what();
      }
      return "nothing thrown";
    };
    const gt::NoGrad off;
    parameter_message = message([&] { w + w; });
    graph_message = message([&] { y.backward(); });
  }).join();
  CHECK(parameter_message ==
        "a parameter is used by a second thread; let many threads run one model under NoGrad with a guard from "
        "gt::share(net), or train on a copy "
        "of your own");
  CHECK(graph_message ==
        "a recorded tensor is used by a second thread; a graph belongs to the thread that recorded it: hand over "
        "detach()ed values, or share a "
        "model under NoGrad with gt::share(net)");
}
#endif

TEST_CASE("share: a second guard on one model is refused, and the first goes on") {
  const auto w = gt::parameter(gt::ones({2}));
  {
    const auto guard = gt::share({w});
    CHECK_THROWS_WITH_AS((void)gt::share({w}),
                         "share: this model is shared already; keep one guard for as long as any thread runs it",
                         gt::ThreadError);
    CHECK(w.node()->count.shared());
  }
  CHECK_FALSE(w.node()->count.shared());
}
