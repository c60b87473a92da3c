#pragma once

#include <cstdio>
#include <iostream>
#include <string>

#include <unistd.h>

/// Holds back what is printed to stdout while it lives, so that a test can compare it; prints what nobody has taken.
/// std::cout, where doctest reports, goes to stderr meanwhile.
class CapturedOutput {
 public:
  CapturedOutput() {
    std::fflush(stdout);
    dup2(fileno(file_), STDOUT_FILENO);
  }
  ~CapturedOutput() {
    const std::string rest = take();
    dup2(stdout_, STDOUT_FILENO);
    close(stdout_);
    std::cout.rdbuf(cout_);
    std::cout << rest << std::flush;
    std::fclose(file_);
  }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  /// What was printed since the last call.
  std::string take() {
    std::fflush(stdout);
    std::rewind(file_);
    std::string text;
    for (int c; (c = std::fgetc(file_)) != EOF;) text += static_cast<char>(c);
    std::rewind(file_);
    if (ftruncate(fileno(file_), 0) != 0) std::perror("ftruncate");
    return text;
  }

 private:
  std::streambuf* cout_ = std::cout.rdbuf(std::cerr.rdbuf());
  std::FILE* file_ = std::tmpfile();
  int stdout_ = dup(STDOUT_FILENO);
};
