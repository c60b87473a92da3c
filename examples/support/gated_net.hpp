#pragma once

#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace support {

/// x + sigmoid(gate) · outer(tanh(inner(x))): (n, width) -> (n, width). One gate a feature says how much of the detour
/// is let in; all start three quarters shut, so that a fresh block mostly hands on its input.
struct GatedBlock : gradtape::nn::Module {
  explicit GatedBlock(std::int64_t width)
      : inner(width, width), outer(width, width), gate(gradtape::full({width}, -1)) {}

  gradtape::Tensor operator()(const gradtape::Tensor& x) const {
    return x + gradtape::sigmoid(gate) * outer(gradtape::tanh(inner(x)));
  }
  void visit(gradtape::nn::Visitor& v) override { v("inner", inner), v("outer", outer), v("gate", gate); }

  gradtape::nn::Linear inner, outer;
  gradtape::nn::Parameter gate;
};

/// Points to class scores through a stack of gated blocks: (n, in) -> (n, out).
struct GatedNet : gradtape::nn::Module {
  GatedNet(std::int64_t in, std::int64_t width, int depth, std::int64_t out) : first(in, width), last(width, out) {
    for (int i = 0; i < depth; ++i) blocks.emplace_back(width);
  }

  gradtape::Tensor operator()(const gradtape::Tensor& x) const {
    gradtape::Tensor h = first(x);
    for (const GatedBlock& block : blocks) h = block(h);
    return last(h);
  }
  void visit(gradtape::nn::Visitor& v) override {
    v("first", first);
    for (std::size_t i = 0; i < blocks.size(); ++i) v("blocks." + std::to_string(i), blocks[i]);
    v("last", last);
  }

  gradtape::nn::Linear first, last;
  std::vector<GatedBlock> blocks;
};

}  // namespace support
