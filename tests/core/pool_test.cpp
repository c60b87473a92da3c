#include <gradtape/gradtape.hpp>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

namespace gt = gradtape;

TEST_CASE("pool: every size gets an aligned block that holds it") {
  std::vector<std::pair<std::byte*, std::size_t>> blocks;
  for (std::size_t bytes = 1; bytes < (1 << 20); bytes = bytes * 5 / 4 + 1) {
    auto* block = static_cast<std::byte*>(gt::detail::allocate(bytes));
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
    std::memset(block, static_cast<int>(blocks.size()), bytes);
    blocks.emplace_back(block, bytes);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, bytes] = blocks[i];
    bool intact = true;
    for (std::size_t k = 0; k < bytes; ++k) intact &= block[k] == static_cast<std::byte>(i);
    CHECK_MESSAGE(intact, bytes);
    gt::detail::deallocate(block, bytes);
  }
}

TEST_CASE("pool: figures follow what is alive and return to where they were") {
  const gt::Memory before = gt::memory();
  {
    const auto x = gt::zeros({1000});
    CHECK(gt::memory().live_bytes - before.live_bytes >= 4000);
    CHECK(gt::memory().live_bytes - before.live_bytes <
          4000 + 1000);  // header, one lane, and at most an eighth of slack
    const auto w = gt::parameter(x);
    const auto y = gt::sum(w * w);
    CHECK(gt::memory().live_nodes - before.live_nodes == 3);
  }
  CHECK(gt::memory().live_bytes == before.live_bytes);
  CHECK(gt::memory().live_nodes == before.live_nodes);
}

TEST_CASE("pool: figures by kind") {
  const gt::Memory before = gt::memory();
  const auto x = gt::zeros({1000});
  const gt::Memory with_array = gt::memory();
  CHECK(with_array.arrays.live_bytes - before.arrays.live_bytes >= 4000);
  CHECK(with_array.tape.live_bytes == before.tape.live_bytes);
  {
    const auto y = gt::square(gt::parameter(x));
    CHECK(gt::memory().tape.live_bytes > with_array.tape.live_bytes);
    void* panel = gt::detail::allocate(5000);
    CHECK(gt::memory().buffers.live_bytes - before.buffers.live_bytes >= 5000);
    gt::detail::deallocate(panel, 5000);
    const gt::Memory now = gt::memory();
    CHECK(now.live_bytes == now.arrays.live_bytes + now.tape.live_bytes + now.buffers.live_bytes);
  }
  CHECK(gt::memory().tape.live_bytes == before.tape.live_bytes);
  CHECK(gt::memory().buffers.live_bytes == before.buffers.live_bytes);
}

TEST_CASE("pool: peaks are of what was alive at once, since they were reset") {
  gt::reset_peak_memory();
  const gt::Memory before = gt::memory();
  CHECK(before.peak_bytes == before.live_bytes);
  for (int i = 0; i < 3; ++i) gt::zeros({1 << 20});  // one after the other
  const gt::Memory after = gt::memory();
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.peak_bytes - before.live_bytes >= 4 << 20);
  CHECK(after.peak_bytes - before.live_bytes < (4 << 20) * 5 / 4);
  CHECK(after.arrays.peak_bytes - before.arrays.live_bytes >= 4 << 20);
  CHECK(after.buffers.peak_bytes - before.buffers.live_bytes < 64 << 10);
  gt::reset_peak_memory();
  CHECK(gt::memory().peak_bytes == after.live_bytes);
}

TEST_CASE("threads: figures add up over threads that live, that have ended and that free what others made") {
  const gt::Memory before = gt::memory();
  gt::Tensor kept;
  std::thread([&] { kept = gt::zeros({100'000}); }).join();
  CHECK(gt::memory().live_bytes - before.live_bytes >= 400'000);
  std::thread([&] { kept = {}; }).join();
  CHECK(gt::memory().live_bytes == before.live_bytes);
  CHECK(gt::memory().arrays.live_bytes == before.arrays.live_bytes);
}

TEST_CASE("threads: figures count what a thread frees after its end") {
  const gt::Memory before = gt::memory();
  std::thread([] {
    thread_local gt::Tensor held;  // made before the thread's pools, so it outlives them
    held = gt::exp(gt::exp(gt::parameter(gt::ones({2}))));
  }).join();
  CHECK(gt::memory().live_nodes == before.live_nodes);
  CHECK(gt::memory().live_bytes == before.live_bytes);
}

TEST_CASE("pool: a request beyond any memory is bad_alloc") {
  CHECK_THROWS_AS(gt::detail::allocate(std::size_t{1} << 60), std::bad_alloc);
  CHECK_THROWS_AS(gt::zeros({std::int64_t{1} << 43}), std::bad_alloc);
}

#ifndef GRADTAPE_PLAIN_MALLOC
TEST_CASE("pool: a freed block is the next one of its size") {
  void* first = gt::detail::allocate(5000);
  gt::detail::deallocate(first, 5000);
  void* second = gt::detail::allocate(5000);
  CHECK(second == first);
  gt::detail::deallocate(second, 5000);
}

TEST_CASE("pool: a power of two with its header is not doubled") {
  const gt::Memory before = gt::memory();
  const auto x = gt::zeros({1 << 20});
  CHECK(gt::memory().live_bytes - before.live_bytes <= (4 << 20) * 9 / 8);
}

TEST_CASE("pool: released caches go back to the system") {
  const auto resident = [] {
    long pages = 0, of_them = 0;
    std::ifstream("/proc/self/statm") >> pages >> of_them;
    return of_them * sysconf(_SC_PAGESIZE);
  };
  gt::release_cache();
  const auto kept = gt::full({1000}, 3);
  const long before = resident();
  const auto cached = gt::memory().cached_bytes;  // by threads of ops, which have not woken since
  std::thread([] { gt::zeros({8 << 20}), gt::zeros({10'000}); }).join();  // an ended thread's
  {
    std::vector<gt::Tensor> many;  // and this thread's, in sizes that malloc does not map one by one
    for (int i = 0; i < 3000; ++i) many.push_back(gt::zeros({5000}));
  }
  CHECK(gt::memory().cached_bytes - cached > 80 << 20);
  CHECK(resident() - before > 80 << 20);
  gt::release_cache();
  CHECK(gt::memory().cached_bytes - cached < 1 << 20);
  CHECK(resident() - before < 16 << 20);
  CHECK(gt::equal(kept, gt::full({1000}, 3)));
  CHECK(gt::zeros({5000}).numel() == 5000);  // and pools go on
}
#endif
