#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "data/support.hpp"
#include "system_calls.hpp"
#include <sys/wait.h>
#include <unistd.h>

namespace gt = gradtape;
using files::TempDir;
using system_calls::Disturbed;

namespace {

/// A number and many elements that equal it.
struct Counter {
  explicit Counter(std::int64_t start, std::int64_t size = 1000) : n(start), values(gt::full({size}, 0)) { set(start); }
  void set(std::int64_t to) { n = to, values = gt::full_like(values, static_cast<double>(to)); }
  bool sound() const { return gt::equal(values, gt::full_like(values, static_cast<double>(n))); }
  void visit(gt::StateVisitor& v) { v("n", n), v("values", values); }

  std::int64_t n;
  gt::Tensor values;
};

std::vector<std::string> files_in(const TempDir& dir) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "")) names.push_back(entry.path().filename());
  return names;
}

/// A process that counts and saves on and on; returns when it is about to start.
pid_t save_forever(const std::string& path, const Counter& from) {
  int started[2];
  REQUIRE(pipe(started) == 0);
  const pid_t child = fork();
  if (child == 0) {
    Counter next = from;
    if (write(started[1], "x", 1) != 1) _exit(1);
    try {
      for (;;) next.set(next.n + 1), gt::save(path, next);
    } catch (...) {
      _exit(1);
    }
  }
  char byte = 0;
  CHECK(read(started[0], &byte, 1) == 1);
  close(started[0]);
  close(started[1]);
  return child;
}

/// All that training has: batches in a random order, noise, an optimizer, a rate that falls, a metric that lowers it.
struct Run {
  gt::nn::MLP net{{3, 16, 1}};
  gt::optim::AdamW optimizer{net.parameters(), {.amsgrad = true}};
  gt::optim::PlateauLR plateau{{.lr = 1, .factor = 0.9, .patience = 3}};
  gt::optim::EMA average{net.parameters(), {.decay = 0.9}};
  gt::Tensor order = gt::permutation(64);
  gt::ThreadRandom random;
  std::int64_t step = 0;

  void visit(gt::StateVisitor& v) {
    v("net", net), v("optimizer", optimizer), v("plateau", plateau), v("average", average);
    v("order", order), v("random", random), v("step", step);
  }

  void train(std::int64_t until) {
    const gt::Tensor x = gt::reshape(gt::linspace(-1, 1, 192), {64, 3}),
                     y = gt::sum(gt::sin(3 * x), {.axes = {1}, .keepdims = true});
    const gt::optim::CosineLR schedule{.lr = 0.02, .steps = 200};
    for (; step < until; ++step) {
      const std::int64_t at = step % 8;
      if (at == 0) order = gt::permutation(64);
      const gt::Tensor batch = order[{gt::Slice{8 * at, 8 * at + 8}}];
      const gt::Tensor noisy = gt::take(x, batch, {.axis = 0}) + 0.05 * gt::randn({8, 3});
      const gt::Tensor loss = gt::mse_loss(net(noisy), gt::take(y, batch, {.axis = 0}));
      optimizer.zero_grad();
      loss.backward();
      plateau.observe(loss.item());
      optimizer.lr = schedule(step) * plateau(step);
      optimizer.step();
      average.update();
    }
  }
};

/// Runs the test "save: a part of a training" in a process of its own.
void train_elsewhere(const std::string& from, const std::string& to, int until) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = fmt::format(
      "PART_FROM='{}' PART_TO='{}' PART_UNTIL={} '{}' --no-skip -m -tc='save: a part of a training' > /dev/null", from,
      to, until, program);
  REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace

TEST_CASE("save: all state of a training") {
  const TempDir dir;
  const std::string path = dir / "run";
  gt::manual_seed(7);
  Run first;
  first.train(11);
  gt::save(path, first);
  const gt::Tensor next = gt::randn({4});

  gt::manual_seed(8);
  Run second;
  const auto leaves = second.net.parameters();
  gt::load(path, second);
  CHECK(gt::equal(gt::randn({4}), next));
  const gt::State expected = gt::state_of(first), found = gt::state_of(second);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(expected[i].first);
    CHECK(found[i].first == expected[i].first);
    if (!found[i].first.starts_with("random.")) CHECK(gt::equal(found[i].second, expected[i].second));
  }
  CHECK(gt::equal(leaves[0], first.net.parameters()[0]));  // the leaves are those that the optimizer has
}

TEST_CASE("save: what does not fit is listed in full, and nothing changes") {
  const TempDir dir;
  const std::string path = dir / "counter";
  gt::save(path, Counter(3, 4));
  Counter other(5, 6);
  CHECK_THROWS_WITH_AS(
      gt::load(path, other),
      fmt::format("load: {}: the state does not fit:\n  values: f32 [4] instead of f32 [6]", path).c_str(),
      gt::ValueError);
  CHECK(other.n == 5);
  CHECK(other.sound());
}

TEST_CASE("save: whichever call fails, the old file stays and no other is left") {
  const TempDir dir;
  const std::string path = dir / "counter", temporary = path + ".tmp0";
  const std::vector<std::string> calls{"open", "open", "write", "write", "write", "write", "fsync", "rename", "fsync"};
  const std::vector<std::string> steps{"open the folder " + (dir / ""),
                                       "create " + temporary,
                                       "write " + temporary,
                                       "write " + temporary,
                                       "write " + temporary,
                                       "write " + temporary,
                                       "fsync " + temporary,
                                       fmt::format("rename {} to {}", temporary, path),
                                       "fsync the folder of the new file"};
  const int count = static_cast<int>(calls.size());
  for (const bool there : {false, true}) {
    for (int nth = 0; nth < count; ++nth) {
      CAPTURE(nth);
      if (there) gt::save(path, Counter(1));
      {
        Disturbed system(nth, ENOSPC);
        CHECK_THROWS_WITH_AS(
            gt::save(path, Counter(2)),
            fmt::format("cannot write {}: {}: No space left on device", path, steps[static_cast<std::size_t>(nth)])
                .c_str(),
            gt::FileError);
        CHECK(system.calls == std::vector(calls.begin(), calls.begin() + nth + 1));
      }
      const bool renamed = nth == count - 1;
      CHECK(files_in(dir).size() == (there || renamed));
      if (there || renamed) {
        Counter found(0);
        gt::load(path, found);
        CHECK(found.n == (renamed ? 2 : 1));
        CHECK(found.sound());
      }
      std::filesystem::remove(path);
    }
  }
  Disturbed system(count, ENOSPC);
  gt::save(path, Counter(2));
  CHECK(system.calls == calls);
}

TEST_CASE("save: a write that is interrupted or cut short goes on") {
  const TempDir dir;
  const std::string path = dir / "counter";
  for (int nth = 2; nth < 6; ++nth) {
    {
      Disturbed system(nth, EINTR, 77);
      gt::save(path, Counter(nth));
      CHECK(system.calls.size() > 50);
    }
    Counter found(0);
    gt::load(path, found);
    CHECK(found.n == nth);
    CHECK(found.sound());
  }
}

TEST_CASE("save: another process's temporary is left alone") {
  const TempDir dir;
  const std::string path = dir / "counter", taken = dir.write("counter.tmp0", "theirs");
  gt::save(path, Counter(1));
  CHECK(files::read(taken) == "theirs");
  CHECK(files_in(dir).size() == 2);
}

TEST_CASE("save: a link stays a link, a file keeps its mode, and what is no file stays what it is") {
  const TempDir dir;
  const std::string file = dir.write("file", "old"), link = dir / "link";
  std::filesystem::create_symlink("file", link);
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  gt::save(link, Counter(1));
  CHECK(std::filesystem::is_symlink(link));
  CHECK(files::read(file).size() > 3);
  CHECK(static_cast<int>(std::filesystem::status(file).permissions()) == 0600);
  CHECK_THROWS_WITH_AS(gt::save("/dev/full", Counter(1)), "cannot write /dev/full: it is no regular file",
                       gt::FileError);
}

TEST_CASE("save: a process that is killed at any moment leaves a file that loads") {
  const TempDir dir;
  const std::string path = dir / "counter";
  Counter found(0, 1 << 17);
  std::mt19937 random(1);
  int saving = 0, saved = 0;  // rounds in which the child was killed while it wrote; in which it had saved before
  for (int round = 0; round < 200; ++round) {
    const auto start = std::chrono::steady_clock::now();
    gt::save(path, found);
    const std::chrono::duration<double, std::micro> one_save = std::chrono::steady_clock::now() - start;
    const auto files = files_in(dir).size();

    const pid_t child = save_forever(path, found);
    usleep(static_cast<useconds_t>(std::uniform_real_distribution<double>(0, 3 * one_save.count())(random)));
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const std::int64_t before = found.n;
    gt::load(path, found);
    CHECK(found.n >= before);
    CHECK(found.sound());
    saving += files_in(dir).size() > files;
    saved += found.n > before;
  }
  CAPTURE(saving);
  CAPTURE(saved);
  CHECK(saving > 10);
  CHECK(saved > 10);
}

TEST_CASE("save: a part of a training" * doctest::skip()) {
  const std::string from = std::getenv("PART_FROM"), to = std::getenv("PART_TO");
  gt::manual_seed(from.empty() ? 7 : 8);
  Run run;
  if (!from.empty()) gt::load(from, run);
  run.train(std::atoi(std::getenv("PART_UNTIL")));
  gt::save(to, run);
}

TEST_CASE("save: 200 steps are 100, a new process, and 100, to the byte") {
  const TempDir dir;
  train_elsewhere("", dir / "straight", 200);
  train_elsewhere("", dir / "half", 100);
  train_elsewhere(dir / "half", dir / "resumed", 200);
  const std::string straight = files::read(dir / "straight");
  CHECK(straight.size() > 1000);
  CHECK(straight != files::read(dir / "half"));
  CHECK(straight == files::read(dir / "resumed"));
}
