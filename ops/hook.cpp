#include <gradtape/core/backward.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/ops/hook.hpp>

#include <array>

namespace gradtape::inline v0 {
namespace {

/// A node that hands its input on.
template <class Base>
class PassOn : public Base {
 public:
  explicit PassOn(const Tensor& x) : Base(x.shape(), x.dtype(), detail::thread_state.index), edge_(x.node()) {
    this->keep(&edge_, saved_.data(), 1);
  }
  void forward(Forward& pass) override {
    if (const Tensor t = pass.tangent(0); t.defined()) pass.give(t);
  }

 private:
  detail::Ref<Node> edge_;
  std::array<Array, 2> saved_;
};

class HookNode final : public PassOn<Node> {
 public:
  HookNode(const Tensor& x, Function<Tensor(const Tensor&)> f) : PassOn(x), f_(std::move(f)) {}
  std::string_view name() const override { return "hook"; }
  void backward(Backward& pass) override { pass.give(0, f_(pass.gradient())); }

 private:
  Function<Tensor(const Tensor&)> f_;
};

class RetainNode final : public PassOn<Keeper> {
 public:
  using PassOn::PassOn;
  std::string_view name() const override { return "retain_grad"; }
  void backward(Backward& pass) override { pass.give(0, pass.gradient()); }
};

bool recorded(const Tensor& x) { return x.requires_grad() && detail::thread_state.grad_enabled; }

}  // namespace

Tensor detail::hook(const Tensor& x, Function<Tensor(const Tensor&)> f) {
  return recorded(x) ? Tensor(x.array(), Ref<Node>::adopt(new HookNode(x, std::move(f)))) : x;
}

Tensor retain_grad(const Tensor& x) {
  if (!recorded(x) || x.node()->keeps_grad) return x;
  return Tensor(x.array(), detail::Ref<Node>::adopt(new RetainNode(x)));
}

}  // namespace gradtape::inline v0
