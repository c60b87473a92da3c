#pragma once

#include <gradtape/core/observe.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gradtape::inline v0::onnx_export {

/// A call that was seen, with its attributes by name.
struct Step {
  std::string op;
  std::vector<Array> inputs;
  Array output;
  std::map<std::string, double> numbers;
  std::map<std::string, std::vector<std::int64_t>> lists;
};

/// The calls that lead from one array to another. It holds what they made, so that an identity stays one array's.
class Trace : public Observer {
 public:
  explicit Trace(const Array& input) : input_(input), dependent_{input.identity()} {}

  /// Forgets the calls on which `output` does not depend, or which the input does not reach.
  void finish(const Array& output);

  const std::vector<Step>& steps() const { return steps_; }

 private:
  void called(const Call& call) override;
  bool depends(const Array& array) const { return dependent_.contains(array.identity()); }

  Array input_;
  std::set<const void*> dependent_;  // on the input
  std::vector<Step> steps_;
};

}  // namespace gradtape::inline v0::onnx_export
