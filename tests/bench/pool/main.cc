// Google Benchmark's own main, but for one rule: figures of a build that is not optimised are none.
#include <benchmark/benchmark.h>

#include <cstdio>

int main([[maybe_unused]] int argc, [[maybe_unused]] char** argv) {
#ifndef NDEBUG
  std::fputs("pool_bench: built for debugging; its figures would mean nothing\n", stderr);
  return 2;
#else
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
#endif
}
