#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace gradtape::inline v0::report {

/// Writes curves for TensorBoard, into a new event file of a folder; `log` takes what Report::log does. Each point is
/// in the file when `log` returns, so that a run can be watched, and one that is killed keeps its curves.
class EventWriter {
 public:
  /// Makes the folder, where it is missing, and the file. Throws FileError.
  explicit EventWriter(const std::string& folder);
  /// Adds a point to a curve, whose value is kept as f32. A tensor has one element. Throws FileError, and leaves the
  /// points before this one as they are.
  void log(std::string_view curve, std::int64_t step, const Operand& value);
  const std::string& path() const { return path_; }  ///< of the file

 private:
  void write_event();

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  long size_ = 0;                       // of the file
  std::string value_, event_, record_;  // kept, so that a point does not allocate
};

}  // namespace gradtape::inline v0::report
