#pragma once

#include <gradtape/core/node.hpp>
#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

class Sweep;

/// One node's view of the sweep that has reached it.
class Backward {
 public:
  /// Whether input i needs a gradient in this sweep.
  bool needs(int input) const;
  /// The same as a mask, bit i for input i, for ops of fewer than 32 inputs.
  unsigned needs() const;
  /// The sweep is itself being recorded: gradients are to be computed by recorded ops.
  bool recording() const { return recording_; }
  /// Saved values may be overwritten, because this sweep is the last to read them.
  bool consuming() const { return !retain_; }
  /// The gradient of the node's output. May be moved from.
  Tensor& gradient() { return gradient_; }

  /// The gradient already there for input i if it may be added to in place, else null.
  const Array* partial(int input) const {
    const Array& there = node_.edges()[static_cast<std::size_t>(input)]->flight.array;
    return adds_in_place_ && there.exclusive() ? &there : nullptr;
  }
  /// The gradient already there for input i if a sum with it may take its place, else null. Others may see it.
  const Array* beginning(int input) const {
    const Array& there = node_.edges()[static_cast<std::size_t>(input)]->flight.array;
    return adds_in_place_ && there ? &there : nullptr;
  }
  /// Puts the sum of that and a further part in its place; of the input's shape and dtype.
  void replace(int input, Array sum) { node_.edges()[static_cast<std::size_t>(input)]->flight.array = std::move(sum); }
  /// Hands over (a further part of) the gradient of input i. Throws GradientError if its shape or dtype is not the
  /// input's.
  void give(int input, Tensor gradient);
  /// Instead of giving gradients: goes on through `result`, the node's output that its rule has recorded anew on its
  /// inputs, as if that had stood on the tape all the time. The nodes recorded are those with ids above `floor`, the
  /// inputs' are below. Unless it `stays` on the tape, it is used up on the way.
  void splice(const Tensor& result, std::uint64_t floor, bool stays);

 private:
  friend class Sweep;
  Backward(Sweep& sweep, Node& node, Tensor gradient, bool recording, bool retain, bool adds_in_place)
      : sweep_(sweep),
        node_(node),
        gradient_(std::move(gradient)),
        recording_(recording),
        retain_(retain),
        adds_in_place_(adds_in_place) {}

  Sweep& sweep_;
  Node& node_;
  Tensor gradient_;
  bool recording_, retain_, adds_in_place_;
};

/// One node's view of a forward sweep: derivatives along some direction in the inputs, oldest node first.
class Forward {
 public:
  /// The derivative of input i, undefined where it is zero.
  Tensor tangent(int input) const;
  /// The sweep is itself being recorded: tangents are to be computed by recorded ops.
  bool recording() const { return recording_; }
  /// Hands over (a further part of) the derivative of the output. Throws GradientError if its shape or dtype is not the
  /// output's.
  void give(const Tensor& tangent);
  /// Instead: goes through `result`, the node's output recorded anew.
  void splice(const Tensor& result, std::uint64_t floor);

 private:
  friend class Sweep;
  Forward(Sweep& sweep, Node& node, bool recording) : sweep_(sweep), node_(node), recording_(recording) {}

  Sweep& sweep_;
  Node& node_;
  bool recording_;
};

}  // namespace gradtape::inline v0
