#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <gradtape/core/pool.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace {

/// After every test, nothing of it may be alive: no node, no array.
struct NothingLeft : doctest::IReporter {
  explicit NothingLeft(const doctest::ContextOptions&) {}

  void test_case_start(const doctest::TestCaseData&) override { before_ = gradtape::memory(); }
  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    const gradtape::Memory now = gradtape::memory();
    if (now.live_nodes == before_.live_nodes && now.live_bytes == before_.live_bytes) return;
    fmt::print(stderr, "left alive by this test: {} nodes, {} bytes\n", now.live_nodes - before_.live_nodes,
               now.live_bytes - before_.live_bytes);
    std::abort();
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  gradtape::Memory before_;
};

}  // namespace

REGISTER_LISTENER("nothing_left", 1, NothingLeft);
