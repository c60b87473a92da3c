#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "workload.hpp"

namespace {

/// Makes the workload's data when it is first timed, and warms up.
void add(const bench::Workload& workload) {
  const auto step = std::make_shared<bench::Step>();
  const auto run = [prepare = workload.prepare, step](benchmark::State& state) {
    if (!*step) {
      *step = prepare();
      (*step)(), (*step)();
    }
    for (auto _ : state) (*step)();
  };
  benchmark::RegisterBenchmark(workload.name.c_str(), run)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime();
}

/// Prints each run's processor time, of all threads, and its real time, in microseconds.
struct Microseconds : benchmark::BenchmarkReporter {
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) std::cout << run.GetAdjustedCPUTime() << ' ' << run.GetAdjustedRealTime() << ' ';
  }
};

void serve() {
  Microseconds reporter;
  for (std::string filter; std::getline(std::cin, filter);) {
    benchmark::RunSpecifiedBenchmarks(&reporter, filter);
    std::cout << std::endl;
  }
}

/// KiB of memory that this process has had at most.
long peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stol(line.substr(6));
  return 0;
}

/// Prints by how many KiB five steps raise the peak of memory.
void print_growth(const bench::Workload& workload) {
  const bench::Step step = workload.prepare();
  const long before = peak();
  for (int i = 0; i < 5; ++i) step();
  std::cout << peak() - before << '\n';
}

}  // namespace

/// A program of Google Benchmark's like any other, with two more ways of working, for compare.py. With `--serve` as its
/// last argument it answers each line of its input, a regular expression, with the times of the benchmarks that match,
/// so that programs can take turns. With `--memory` and the name of a workload it measures that one's memory.
int main(int argc, char** argv) {
  const auto workloads = bench::workloads();
  if (argc == 3 && std::string_view(argv[1]) == "--memory") {
    for (const auto& workload : workloads)
      if (workload.name == argv[2]) print_growth(workload);
    return 0;
  }

  const bool serves = argc > 1 && std::string_view(argv[argc - 1]) == "--serve";
  if (serves) --argc;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  for (const auto& workload : workloads) add(workload);
  if (serves)
    serve();
  else
    benchmark::RunSpecifiedBenchmarks();
}
