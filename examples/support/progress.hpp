#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace support {

/// Shows how a training gets on. On a terminal one line, rewritten in place about ten times a second; each finished
/// epoch leaves a line behind, and where `out` is no terminal those are all there is. Lines fit into 80 columns.
///
///     Progress progress(epochs, batches);
///     for each epoch {
///       for each batch { …; progress.step(loss.item(), opt.lr()); }
///       train_loss = progress.end_epoch(accuracy(net, test));
///     }
class Progress {
 public:
  /// `epochs` of `steps` mini-batches each.
  Progress(int epochs, int steps, std::FILE* out = stdout)
      : epochs_(epochs), steps_(steps), out_(out), live_(isatty(fileno(out)) != 0) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (width_ > 0) std::fputc('\n', out_);  // an exception cut the epoch short: its last line stays readable
  }

  /// One mini-batch is done: its loss, and the learning rate it was trained with.
  void step(double loss, double rate) {
    ++step_;
    loss_sum_ += loss;
    rate_ = rate;
    last_step_ = Clock::now();
    if (live_ && last_step_ - drawn_ >= std::chrono::milliseconds(100)) draw();
  }

  /// The epoch is done and was tested: prints its line, returns its mean loss.
  double end_epoch(double test_accuracy) {
    const double loss = mean_loss(), trained = seconds(last_step_ - epoch_start_);
    train_seconds_ += trained;
    show(fmt::format("{}  train loss {:<7.4g}  test accuracy {:.4f}  rate {:<7.3g}  {:.2f} s", epoch_name(), loss,
                     test_accuracy, rate_, trained));
    std::fputc('\n', out_);
    std::fflush(out_);
    width_ = 0;
    ++epoch_;
    step_ = 0;
    loss_sum_ = 0;
    epoch_start_ = Clock::now();
    return loss;
  }

  /// Seconds spent on training so far: from each epoch's start to its last step, so without the tests between.
  double train_seconds() const { return train_seconds_; }

 private:
  using Clock = std::chrono::steady_clock;

  static double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }
  std::string epoch_name() const {
    return fmt::format("epoch {:>{}}/{}", epoch_, fmt::formatted_size("{}", epochs_), epochs_);
  }
  double mean_loss() const { return loss_sum_ / std::max(step_, 1); }

  void draw() {
    drawn_ = last_step_;
    const double done = (epoch_ - 1 + static_cast<double>(step_) / steps_) / epochs_;
    const int left = static_cast<int>(seconds(last_step_ - start_) * (1 - done) / done + 0.5);
    const std::string text =
        fmt::format("  loss {:<7.4g}  rate {:<7.3g}  {}:{:02} left", mean_loss(), rate_, left / 60, left % 60);
    const std::string name = epoch_name() + "  ";
    const int room = 79 - static_cast<int>(name.size() + text.size());
    show(name + bar(static_cast<double>(step_) / steps_, std::clamp(room, 0, 24)) + text);
    std::fflush(out_);
  }

  static std::string bar(double done, int width) {
    const int full = static_cast<int>(std::min(done, 1.0) * width);
    std::string text;
    for (int i = 0; i < width; ++i) text += i < full ? "━" : "╌";
    return text;
  }

  /// Writes over the line before; blanks hide the rest of it, so nothing is cleared first and nothing flickers.
  void show(const std::string& text) {
    const auto is_head = [](char c) { return (c & 0xc0) != 0x80; };  // a UTF-8 character's first byte
    const auto width = static_cast<int>(std::ranges::count_if(text, is_head));
    const std::string line = fmt::format("{}{}{:{}}", live_ ? "\r" : "", text, "", std::max(width_ - width, 0));
    std::fwrite(line.data(), 1, line.size(), out_);
    width_ = width;
  }

  int epochs_, steps_;
  std::FILE* out_;
  bool live_;
  int epoch_ = 1, step_ = 0;
  int width_ = 0;  // columns of the line that stands on the terminal, 0 for none
  double loss_sum_ = 0, rate_ = 0, train_seconds_ = 0;
  Clock::time_point start_ = Clock::now(), epoch_start_ = start_, last_step_ = start_, drawn_{};
};

}  // namespace support
