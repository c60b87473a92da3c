#include <iostream>
#include <string>
#include <string_view>

#include "workload.hpp"

namespace {

/// Prints the processor time of each run in microseconds.
struct Microseconds : benchmark::BenchmarkReporter {
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) std::cout << run.GetAdjustedCPUTime() << ' ';
  }
};

}  // namespace

/// A program of Google Benchmark's like any other. With `--serve` as its last argument it answers each line of its
/// input, a regular expression, with the times of the benchmarks that match: compare.py alternates between programs
/// that way.
int main(int argc, char** argv) {
  const bool serve = argc > 1 && std::string_view(argv[argc - 1]) == "--serve";
  if (serve) --argc;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  bench::register_workloads();

  if (!serve) {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }
  Microseconds reporter;
  for (std::string filter; std::getline(std::cin, filter);) {
    benchmark::RunSpecifiedBenchmarks(&reporter, filter);
    std::cout << std::endl;
  }
}
