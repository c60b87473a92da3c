#include <gradtape/core/backward.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/sweep.hpp>
#include <gradtape/ops/checkpoint.hpp>
#include <gradtape/ops/random.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using Segment = Function<Tensor(std::span<const Tensor>)>;

/// Whether y is the result of an op that was recorded since then.
bool made_since(std::uint64_t start, const Tensor& y) {
  return y.node() && !y.node()->is_leaf() && y.node()->id >= start;
}

/// While it lives, new nodes have ids from `first`.
class Ids {
 public:
  explicit Ids(std::uint64_t first) : next_(std::exchange(detail::thread_state.next_id, first)) {}
  ~Ids() { detail::thread_state.next_id = std::max(detail::thread_state.next_id, next_); }
  Ids(const Ids&) = delete;
  Ids& operator=(const Ids&) = delete;

 private:
  std::uint64_t next_;
};

/// While it lives, the leaves among `nodes` have these values.
class LeafValues {
 public:
  LeafValues(std::span<const detail::Ref<Node>> nodes, std::span<Array> values) : nodes_(nodes), values_(values) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) swap(i);
  }
  ~LeafValues() {
    for (std::size_t i = nodes_.size(); i-- > 0;) swap(i);  // a leaf may stand here twice
  }
  LeafValues(const LeafValues&) = delete;
  LeafValues& operator=(const LeafValues&) = delete;

 private:
  void swap(std::size_t i) {
    if (nodes_[i] && nodes_[i]->is_leaf()) std::swap(static_cast<Leaf&>(*nodes_[i]).value, values_[i]);
  }
  std::span<const detail::Ref<Node>> nodes_;
  std::span<Array> values_;
};

/// Its inputs are those of the function, then the nodes that the function captures, of which the values of leaves are
/// saved.
class CheckpointNode final : public Node {
 public:
  CheckpointNode(const Tensor& y, Segment f, std::span<const Tensor> x, std::span<Node* const> captured,
                 std::uint64_t start, const RandomState& random)
      : Node(y.shape(), y.dtype(), detail::thread_state.index),
        f_(std::move(f)),
        inputs_(x.size()),
        start_(start),
        random_(random) {
    for (const Tensor& input : x) add(input.node(), input.array());
    for (Node* node : captured)
      add(detail::Ref<Node>::of(node), node->is_leaf() ? static_cast<Leaf*>(node)->value : Array());
    saved_.emplace_back();
    keep(edges_.data(), saved_.data(), static_cast<std::uint32_t>(edges_.size()));
  }

  std::string_view name() const override { return "checkpoint"; }
  void backward(Backward& pass) override {
    const auto [result, floor] = recorded(pass.recording());
    pass.splice(result, floor, kept_.defined());
  }
  void forward(Forward& pass) override {
    const auto [result, floor] = recorded(pass.recording());
    pass.splice(result, floor);
  }

 private:
  void add(detail::Ref<Node> edge, Array saved) {
    edges_.push_back(std::move(edge));
    saved_.push_back(std::move(saved));
  }

  /// The output, recorded by nodes with ids above a floor. For a sweep that is recorded it stays, where the first run
  /// would have stood, because what that records leads there.
  std::pair<Tensor, std::uint64_t> recorded(bool recording) {
    if (recording && !kept_.defined()) kept_ = again(start_);
    if (kept_.defined()) return {kept_, start_ - 1};
    const std::uint64_t first =
        std::max(detail::thread_state.next_id, id + 1);  // another thread may have recorded this node
    return {again(first), first - 1};
  }

  /// Runs the function again.
  Tensor again(std::uint64_t first) {
    std::vector<Tensor> x;
    for (std::size_t i = 0; i < inputs_; ++i) x.emplace_back(saved_[i], edges_[i]);
    const EnableGrad on;
    const DefaultDtype default_dtype(dtype_then_);
    const RandomStream random(random_);
    const LeafValues values(edges_, saved());
    const Ids ids(first);
    Tensor y = f_(x);
    const bool recorded = made_since(first, y);
    if (y.shape() != shape || y.dtype() != dtype || !recorded)
      throw GradientError(fmt::format(
          "checkpoint: run again, the function gives {} {}{}, where it gave {} {}; it must do the same each time",
          to_string(y.dtype()), to_string(y.shape()), recorded ? "" : " that depends on no parameter", to_string(dtype),
          to_string(shape)));
    return y;
  }

  Segment f_;
  std::size_t inputs_;
  std::uint64_t start_;  // the id of the first node it recorded
  Tensor kept_;          // what a recorded sweep has run again
  RandomState random_;
  Dtype dtype_then_ = default_dtype();
  std::vector<detail::Ref<Node>> edges_;
  std::vector<Array> saved_;
};

}  // namespace

Tensor detail::checkpoint(Segment f, std::span<const Tensor> x) {
  if (!thread_state.grad_enabled) return f(x);
  for (const Tensor& input : x)
    if (input.node()) thread_state.next_id = std::max(thread_state.next_id, input.node()->id + 1);
  const std::uint64_t start = thread_state.next_id;
  const RandomState random = random_state();
  // Recorded, to see on what it depends; all but that is dropped here.
  const Tensor y = f(x);
  if (!made_since(start, y)) return y;
  std::vector<Node*> captured = outside(y.node().get(), start);
  std::erase_if(captured, [&](const Node* node) {
    return std::ranges::any_of(x, [&](const Tensor& input) { return input.node().get() == node; });
  });
  return Tensor(y.array(), Ref<Node>::adopt(new CheckpointNode(y, std::move(f), x, captured, start, random)));
}

}  // namespace gradtape::inline v0
