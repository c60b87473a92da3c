#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "captured_output.hpp"
#include <doctest/doctest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace gt = gradtape;
namespace report = gradtape::report;

namespace {

/// A file in memory, no terminal.
class Sink {
 public:
  ~Sink() {
    std::fclose(file);
    std::free(data_);
  }
  std::string text() const {
    std::fflush(file);
    return {data_, size_};
  }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;

 public:
  std::FILE* const file = open_memstream(&data_, &size_);
};

/// A terminal of so many columns, and what a program wrote to it.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) {
    const winsize size{24, columns, 0, 0};
    int slave = -1;
    REQUIRE(openpty(&master_, &slave, nullptr, nullptr, &size) == 0);
    file = fdopen(slave, "w");
    setenv("TERM", "xterm", 1);
  }
  ~Terminal() {
    if (file) std::fclose(file);
    close(master_);
    setenv("TERM", term_.c_str(), 1);
  }
  std::string text() {
    std::fclose(file);  // so that reading ends
    file = nullptr;
    std::string out;
    std::array<char, 4096> part{};
    for (ssize_t n; (n = read(master_, part.data(), part.size())) > 0;) out.append(part.data(), std::size_t(n));
    return out;
  }

  std::FILE* file = nullptr;

 private:
  int master_ = -1;
  std::string term_ = std::getenv("TERM") ? std::getenv("TERM") : "";
};

/// Digits of rates and times, which no test can know, become '#', one for a number.
std::string without_times(std::string text) {
  const auto mask = [&](const std::string& after) {
    for (std::size_t at = 0; (at = text.find(after, at)) != std::string::npos;) {
      std::size_t begin = at;
      while (begin > 0 && std::string("0123456789.:").find(text[begin - 1]) != std::string::npos) --begin;
      if (begin < at) text.replace(begin, at - begin, "#");
      at = text.find(after, begin) + after.size();
    }
  };
  mask(" steps/s");
  mask(" left");
  mask("\x1b[K\r\n");
  mask("\r\n");
  mask("\n");
  return text;
}

void wait() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

int columns(const std::string& line) {
  return static_cast<int>(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

TEST_CASE("progress: elements come as from the range itself") {
  Sink sink;
  std::vector<int> values = {1, 2, 3};
  for (auto& value : report::progress(values, {.out = sink.file})) value *= 10;
  CHECK(values == std::vector{10, 20, 30});
  const std::vector<int> fixed = values;
  int total = 0;
  for (const int& value : report::progress(fixed, {.out = sink.file})) total += value;
  for (const int value : report::progress(std::vector{1, 2}, {.out = sink.file})) total += value;
  int plain[] = {5, 6};
  for (const int value : report::progress(plain, {.out = sink.file})) total += value;
  CHECK(total == 74);
}

TEST_CASE("progress: a file gets one line at the end of a pass") {
  Sink sink;
  const std::vector<int> values(3);
  for (auto bar = report::progress(values, {.label = "epoch 1", .out = sink.file}); const int& value : bar) {
    bar.set("loss", gt::tensor({0.25}) + value);
    bar.set("lr", 1e-5);
    bar.set("loss", 0.123456);
  }
  CHECK(without_times(sink.text()) == "epoch 1  3/3  loss 0.1235  lr 1e-05   # steps/s  #\n");
}

TEST_CASE("progress: a loader that was left early counts what is left") {
  Sink sink;
  gt::data::DataLoader loader(gt::data::TensorDataset{gt::zeros({7, 1})}, {.batch_size = 2});
  auto bar = report::progress(loader, {.out = sink.file});
  for ([[maybe_unused]] const auto& batch : bar) break;
  for (int pass = 0; pass < 2; ++pass)
    for ([[maybe_unused]] const auto& batch : bar) {
    }
  CHECK(without_times(sink.text()) == "0/4  # steps/s  #\n3/3  # steps/s  #\n4/4  # steps/s  #\n");
}

TEST_CASE("progress: lines every so many seconds") {
  Sink sink;
  const std::vector<int> values(12);
  for (auto& value : report::progress(values, {.out = sink.file, .every = 1e-9})) (void)value;
  const std::string text = without_times(sink.text());
  CHECK(text.starts_with(" 1/12  # steps/s  # left\n 2/12  # steps/s  # left\n"));
  CHECK(text.ends_with("12/12  # steps/s  # left\n12/12  # steps/s  #\n"));
}

TEST_CASE("progress: iterators that do not move and fail while stepping on") {
  struct Loader {
    struct Iterator {
      explicit Iterator(int n) : n_(n) {}
      Iterator(Iterator&&) = delete;
      const int& operator*() const { return n_; }
      Iterator& operator++() {
        if (++n_ == 3) throw std::runtime_error("a broken file");
        return *this;
      }
      bool operator==(std::nullptr_t) const { return n_ == 4; }
      int n_;
    };
    Iterator begin() { return Iterator(first); }
    std::nullptr_t end() const { return nullptr; }
    std::int64_t size() const { return 4; }
    int first = 0;
  };
  Sink sink;
  Loader loader;
  int seen = 0;
  CHECK_THROWS_AS(
      [&] {
        for (auto& batch : report::progress(loader, {.out = sink.file})) seen += batch;
      }(),
      std::runtime_error);
  CHECK(seen == 0 + 1 + 2);
  CHECK(without_times(sink.text()) == "3/4  # steps/s  #\n");
  loader.first = 3;
  CHECK_NOTHROW([&] {
    for (auto& batch : report::progress(loader, {.out = sink.file})) seen += batch;
  }());
  CHECK(seen == 6);
}

TEST_CASE("progress: without a size there is no time left") {
  struct Endless {
    const int* begin() const { return values.data(); }
    const int* end() const { return values.data() + values.size(); }
    std::array<int, 2> values{};
  };
  Sink sink;
  for (const int value : report::progress(Endless{}, {.out = sink.file, .every = 0})) (void)value;
  CHECK(without_times(sink.text()) == "2  # steps/s  #\n");
}

TEST_CASE("progress: a pass that ends early or by an exception leaves its line") {
  Sink sink;
  std::list<int> values(5);
  for (auto& value : report::progress(values, {.out = sink.file}))
    if (&value == &*std::next(values.begin(), 2)) break;
  CHECK(without_times(sink.text()) == "2/5  # steps/s  #\n");
  CHECK_THROWS_AS(
      [&] {
        for (auto& value : report::progress(values, {.label = "second", .out = sink.file}))
          if (&value == &values.back()) throw std::runtime_error("stop");
      }(),
      std::runtime_error);
  CHECK(without_times(sink.text()) == "2/5  # steps/s  #\nsecond  4/5  # steps/s  #\n");
}

TEST_CASE("progress: one object for several passes") {
  Sink sink;
  std::vector<int> values(2);
  auto bar = report::progress(values, {.out = sink.file});
  for (auto& value : bar) bar.set("a", value);
  for (auto& value : bar) bar.set("b", value);
  CHECK(without_times(sink.text()) == "2/2  a 0       # steps/s  #\n2/2  b 0       # steps/s  #\n");
}

TEST_CASE("progress: a terminal has one line that is rewritten") {
  Terminal terminal(80);
  std::vector<int> values(4);
  for (auto bar = report::progress(values, {.label = "epoch 2", .out = terminal.file}); auto& value : bar) {
    bar.set("loss", 0.5);
    wait();
    (void)value;
  }
  const std::string text = without_times(terminal.text());
  CHECK(text.starts_with("\repoch 2  1/4  ━━━━━━╌╌"));
  CHECK(text.find("  loss 0.5     # steps/s  # left\x1b[K\repoch 2  2/4  ━━━━━━━━━━━━╌") != std::string::npos);
  CHECK(text.ends_with("\x1b[K\repoch 2  4/4  loss 0.5     # steps/s  #\x1b[K\r\n"));
  CHECK(std::ranges::count(text, '\n') == 1);
}

TEST_CASE("progress: the terminal's width is respected") {
  for (const unsigned short width : std::initializer_list<unsigned short>{1, 2, 10, 20, 33, 48, 64, 200}) {
    CAPTURE(width);
    Terminal terminal(width);
    std::vector<int> values(2);
    for (auto bar = report::progress(values, {.label = "épreuve\nno. 3", .out = terminal.file}); auto& value : bar) {
      bar.set("validation loss", 0.5);
      wait();
      (void)value;
    }
    std::string text = terminal.text();
    for (std::size_t at; (at = text.find("\x1b[K")) != std::string::npos;) text.replace(at, 3, "\r");
    std::size_t begin = 0;
    for (std::size_t at; (at = text.find_first_of("\r\n", begin)) != std::string::npos; begin = at + 1)
      CHECK(columns(text.substr(begin, at - begin)) <= std::max(width - 1, 1));
    CHECK((width < 33 || text.find("épreuve no. 3  2/2") != std::string::npos));
    CHECK((width < 200 || text.find("2/2  validation loss 0.5   ") != std::string::npos));
  }
}

TEST_CASE("progress: a dumb terminal gets plain lines") {
  Terminal terminal(80);
  setenv("TERM", "dumb", 1);
  std::vector<int> values(2);
  for (auto& value : report::progress(values, {.out = terminal.file})) (void)value;
  CHECK(without_times(terminal.text()) == "2/2  # steps/s  #\r\n");
}

TEST_CASE("progress: nothing goes to standard output") {
  CapturedOutput output;
  Sink sink;
  for (const int value : report::progress(std::vector{1, 2}, {.out = sink.file})) (void)value;
  CHECK(output.take().empty());
}
