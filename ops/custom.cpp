#include <gradtape/core/backward.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/ops/custom.hpp>
#include <gradtape/ops/record.hpp>

namespace gradtape::inline v0 {
namespace {

class CustomNode final : public Node {
 public:
  CustomNode(const Array& output, std::span<const Tensor> x, detail::Rule rule)
      : Node(output.shape(), output.dtype(), detail::thread_state.index), rule_(std::move(rule)) {
    for (const Tensor& input : x) {
      edges_.push_back(input.node());
      saved_.push_back(input.array());
    }
    saved_.push_back(output);
    keep(edges_.data(), saved_.data(), static_cast<std::uint32_t>(x.size()));
  }

  std::string_view name() const override { return "custom_gradient"; }

  void backward(Backward& pass) override {
    std::vector<Tensor> found = gradients(pass.gradient(), pass.recording());
    for (std::size_t i = 0; i < found.size(); ++i)
      if (pass.needs(static_cast<int>(i))) pass.give(static_cast<int>(i), std::move(found[i]));
  }

  void forward(Forward& pass) override {
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      const Tensor t = pass.tangent(static_cast<int>(i));
      if (!t.defined()) continue;
      const EnableGrad on;
      const Tensor g = detail::zero_gradient(*this), result = gradients(g, pass.recording())[i];
      if (result.requires_grad()) pass.give(detail::turned(result, g, t, pass.recording()));
    }
  }

 private:
  /// The rule on values that are on the tape if the sweep is.
  std::vector<Tensor> gradients(const Tensor& g, bool recording) {
    std::vector<Tensor> x;
    for (std::size_t i = 0; i < edges_.size(); ++i)
      x.push_back(recording ? Tensor(saved_[i], edges_[i]) : Tensor(saved_[i]));
    return rule_(g, x, recording ? Tensor(saved_.back(), detail::Ref<Node>::of(this)) : Tensor(saved_.back()));
  }

  detail::Rule rule_;
  std::vector<detail::Ref<Node>> edges_;
  std::vector<Array> saved_;
};

}  // namespace

Tensor detail::with_rule(const Tensor& y, std::span<const Tensor> x, Rule rule) {
  if (!is_floating(y.dtype())) return y.detach();
  return Tensor(y.array(), Ref<Node>::adopt(new CustomNode(y.array(), x, std::move(rule))));
}

}  // namespace gradtape::inline v0
