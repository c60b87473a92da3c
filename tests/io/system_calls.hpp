#pragma once

#include <string>
#include <vector>

/// The calls of the system that write a file, so that a test can make them fail: the linker puts those of
/// system_calls.cpp in their place.
namespace system_calls {

/// While it lives, calls are listed, and go wrong as told.
class Disturbed {
 public:
  /// Call `nth`, 0 at first, fails with this errno; every write stores no more than `most` bytes.
  explicit Disturbed(int nth, int error, std::size_t most = ~std::size_t{0});
  Disturbed(const Disturbed&) = delete;
  Disturbed& operator=(const Disturbed&) = delete;
  ~Disturbed();

  std::vector<std::string> calls;

  bool fails(const char* call);
  std::size_t most() const { return most_; }

 private:
  int nth_, error_;
  std::size_t most_;
};

}  // namespace system_calls
