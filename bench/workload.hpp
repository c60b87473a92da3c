#pragma once

/// \file
/// What gradtape's benchmarks and those of its peers have in common. C++17, for libtorch's headers.

#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

/// Names the workloads of one program to Google Benchmark, with `add`; called once, by main.cpp.
void register_workloads();

/// Times `step` under `name`, by the processor time of all threads: other programs on the machine do not count.
template <class F>
void add(const std::string& name, F step) {
  const auto run = [step](benchmark::State& state) {
    for (auto _ : state) step();
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime();
}

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
constexpr std::int64_t pinn_width = 32, pinn_points = 64;

}  // namespace bench
