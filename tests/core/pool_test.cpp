#include <gradtape/gradtape.hpp>

#include <cstddef>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

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
#endif
