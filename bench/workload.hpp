#pragma once

/// \file
/// What gradtape's benchmarks and those of its peers have in common. C++17, for libtorch's headers.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

using Step = std::function<void()>;

/// What is timed. `prepare` makes the data that a step works on, so that a workload which is not asked for takes no
/// memory.
struct Workload {
  std::string name;
  std::function<Step()> prepare;
};

/// Those of one program; called once, by main.cpp.
std::vector<Workload> workloads();

/// A perceptron and one training step of it: sigmoid after hidden layers, mean squared error, SGD. Weights are [out,
/// in].
struct Mlp {
  std::vector<std::int64_t> widths;
  std::int64_t batch;

  std::string name() const {
    std::string text = "MLP " + std::to_string(widths[0]);
    for (std::size_t i = 1; i < widths.size(); ++i) text.append("-").append(std::to_string(widths[i]));
    return text + " B" + std::to_string(batch);
  }
};

inline std::vector<Mlp> mlps() {
  return {{{2, 8, 1}, 4},
          {{4, 16, 16, 1}, 32},
          {{784, 128, 10}, 64},
          {{784, 512, 512, 10}, 128},
          {{1024, 4096, 1024}, 256}};
}

constexpr double learning_rate = 0.01;
constexpr int chain_length = 1000;
constexpr std::int64_t side = 1000;  // of the square matrices in every workload of 1M elements
constexpr std::int64_t points = side * side / 3;  // of three coordinates each, for short rows
constexpr std::int64_t pinn_width = 32, pinn_points = 64;

/// Two convolutions 3x3 with relu and 2x2 maxima after each, then two linear layers: one channel -> 32 -> 64, 128, 10.
struct Cnn {
  static constexpr const char* name = "CNN 32-64-128 B64 Adam";
  static constexpr std::int64_t batch = 64, image = 28, first = 32, second = 64, hidden = 128, classes = 10;
  static constexpr std::int64_t flat = second * (image / 4) * (image / 4);
};

struct Lstm {
  static constexpr const char* name = "LSTM 64-128 T50 B32";
  static constexpr std::int64_t steps = 50, batch = 32, in = 64, hidden = 128;
};

/// One layer of an encoder, without dropout.
struct Transformer {
  static constexpr const char* name = "Transformer C256 T128 B8";
  static constexpr std::int64_t steps = 128, batch = 8, width = 256, heads = 8, feedforward = 4 * width;
};

constexpr const char* gates_by_op = "sum(sigmoid(a*b+a)) 1M";
constexpr const char* gates_fused = "sum(sigmoid(a*b+a)) 1M, map";

}  // namespace bench
