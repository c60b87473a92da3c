#include <gradtape/core/backward.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/grad.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/tensor.hpp>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace gradtape {
namespace {

bool older(const Node* a, const Node* b) { return a->id < b->id; }

/// A set of nodes that gives the newest first.
class Worklist {
 public:
  bool empty() const { return nodes_.empty(); }
  void push(Node* node) {
    nodes_.push_back(node);
    std::push_heap(nodes_.begin(), nodes_.end(), older);
  }
  Node* pop_newest() {
    std::pop_heap(nodes_.begin(), nodes_.end(), older);
    Node* node = nodes_.back();
    nodes_.pop_back();
    return node;
  }
  const std::vector<Node*>& nodes() const { return nodes_; }
  void clear() { nodes_.clear(); }

 private:
  std::vector<Node*> nodes_;
};

/// Lists whose memory is kept from one sweep to the next; a sweep inside a sweep finds none and makes its own.
struct Scratch {
  Worklist work;
  std::vector<Node*> finished, order;
};
thread_local std::optional<Scratch> spare;

const Array none;

enum Mark : std::uint64_t { visited = 1, leads = 2, target = 4, mark_bits = 8 };

/// A number for each sweep of the process: a node that changes hands may carry marks of another thread's sweeps.
std::uint64_t next_epoch() {
  thread_local constinit std::uint64_t sweeps = 0;
  if (sweeps == 0) sweeps = std::uint64_t{detail::thread_index()} << 40;
  return ++sweeps * mark_bits;
}

}  // namespace

/// One backward pass: a worklist of nodes that have a gradient, newest first, so that a node's gradient is complete when
/// the node is reached. Leaves and targets keep theirs in flight until the end.
class Sweep {
 public:
  Sweep(bool recording, bool retain) : recording_(recording), retain_(retain), epoch_(next_epoch()) {
    if (spare) scratch_ = std::move(*spare), spare.reset();
  }

  ~Sweep() {
    for (Node* node : scratch_.work.nodes()) node->flight = {};
    for (Node* node : scratch_.finished) node->flight = {};
    scratch_.work.clear();
    scratch_.finished.clear();
    scratch_.order.clear();
    spare = std::move(scratch_);
  }

  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// Restricts the sweep from `root` to the nodes that lead to one of `inputs`.
  void restrict_to(std::span<const Tensor> inputs, Node* root) {
    restricted_ = true;
    std::uint64_t oldest = ~std::uint64_t{0};  // what is older than every input cannot lead to one
    for (const Tensor& input : inputs) {
      input.node()->mark = epoch_ | target | leads;
      oldest = std::min(oldest, input.node()->id);
    }
    std::vector<Node*>& order = scratch_.order;
    set(root, visited);
    scratch_.work.push(root);
    while (!scratch_.work.empty()) {
      order.push_back(scratch_.work.pop_newest());
      for (const auto& edge : order.back()->edges()) {
        if (!edge || edge->id < oldest || has(edge.get(), visited)) continue;
        set(edge.get(), visited);
        scratch_.work.push(edge.get());
      }
    }
    for (auto node = order.rbegin(); node != order.rend(); ++node)
      if (leads_on(*node)) set(*node, leads);
  }

  void run(const Tensor& root, Tensor seed) {
    const GradMode mode(recording_);
    arrive(root.node().get(), std::move(seed));
    while (!scratch_.work.empty()) {
      Node* node = scratch_.work.pop_newest();
      const bool keep = node->is_leaf() || has(node, target);
      if (keep) scratch_.finished.push_back(node);
      if (node->is_leaf() || (restricted_ && !leads_on(node))) continue;
      require_saved(node);
      Backward pass(*this, *node, Tensor(keep ? node->flight : std::exchange(node->flight, {})), recording_, retain_);
      node->backward(pass);
      if (!retain_) node->release();
    }
  }

  /// From the tangents of `inputs`, to which the sweep must be restricted, to that of `root`: oldest first.
  Tensor run_forward(const Tensor& root, std::span<const Tensor> inputs, std::span<const Tensor> tangents) {
    const GradMode mode(recording_);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      scratch_.finished.push_back(inputs[i].node().get());
      inputs[i].node()->flight = value_of(tangents[i]);
    }
    for (auto at = scratch_.order.rbegin(); at != scratch_.order.rend(); ++at) {
      Node* node = *at;
      if (has(node, target) || !has(node, leads)) continue;
      require_saved(node);
      scratch_.finished.push_back(node);
      Forward pass(*node, recording_);
      node->forward(pass);
    }
    return Tensor(root.node()->flight);
  }

  /// Moves the gradients into the leaves' `.grad()`: all of them, or none if something throws.
  void commit() {
    const GradMode mode(recording_);
    for (Node* node : scratch_.finished) {
      const auto& grad = static_cast<Leaf*>(node)->grad;
      if (grad.array) node->flight = value_of(add(Tensor(grad), Tensor(node->flight)));
      if (!recording_) node->flight.array = packed(node->flight.array);
    }
    for (Node* node : scratch_.finished) static_cast<Leaf*>(node)->grad = std::exchange(node->flight, {});
  }

  bool wants(const Node* input) const { return input && (!restricted_ || has(input, leads)); }

  void arrive(Node* node, Tensor gradient) {
    if (node->flight.array) {
      node->flight = value_of(add(Tensor(node->flight), gradient));
    } else {
      scratch_.work.push(node);
      node->flight = value_of(gradient);
    }
  }

 private:
  friend class Forward;
  static detail::Value value_of(const Tensor& tensor) { return {tensor.array(), tensor.node()}; }
  static void require_saved(const Node* node) {
    if (node->released)
      throw GradientError(fmt::format("backward: `{}` was swept before and its saved values are released; pass {{.retain_graph = true}} "
                                      "to the first sweep, or compute the result again", node->name()));
  }
  bool leads_on(const Node* node) const {
    return std::ranges::any_of(node->edges(), [&](const auto& edge) { return wants(edge.get()); });
  }
  bool has(const Node* node, Mark mark) const { return node->mark / mark_bits * mark_bits == epoch_ && (node->mark & mark); }
  void set(Node* node, Mark mark) const { node->mark = (node->mark / mark_bits * mark_bits == epoch_ ? node->mark : epoch_) | mark; }

  bool recording_, retain_, restricted_ = false;
  std::uint64_t epoch_;
  Scratch scratch_;
};

bool Backward::needs(int input) const { return sweep_.wants(node_.edges()[static_cast<std::size_t>(input)].get()); }

unsigned Backward::needs() const {
  unsigned mask = 0, bit = 1;
  for (const auto& edge : node_.edges()) mask |= sweep_.wants(edge.get()) ? bit : 0, bit <<= 1;
  return mask;
}

const Array& Backward::partial(int input) const {
  const Array& flight = node_.edges()[static_cast<std::size_t>(input)]->flight.array;
  return !recording_ && flight.exclusive() ? flight : none;
}

void Backward::give(int input, Tensor gradient) {
  Node* to = node_.edges()[static_cast<std::size_t>(input)].get();
  if (!gradient.defined() || gradient.shape() != to->shape || gradient.dtype() != to->dtype)
    throw GradientError(fmt::format("{}: the backward rule gave input {} a gradient of {}, where the input is {} {}", node_.name(), input,
                                    gradient.defined() ? fmt::format("{} {}", to_string(gradient.dtype()), to_string(gradient.shape())) : "nothing",
                                    to_string(to->dtype), to_string(to->shape)));
  if (sweep_.wants(to)) sweep_.arrive(to, std::move(gradient));
}

Tensor Forward::tangent(int input) const {
  const auto& edge = node_.edges()[static_cast<std::size_t>(input)];
  return edge && edge->flight.array ? Tensor(edge->flight) : Tensor();
}

void Forward::give(const Tensor& tangent) {
  if (!tangent.defined() || tangent.shape() != node_.shape || tangent.dtype() != node_.dtype)
    throw GradientError(fmt::format("{}: the forward rule gave a tangent of {}, where the output is {} {}", node_.name(),
                                    tangent.defined() ? fmt::format("{} {}", to_string(tangent.dtype()), to_string(tangent.shape())) : "nothing",
                                    to_string(node_.dtype), to_string(node_.shape)));
  node_.flight = Sweep::value_of(node_.flight.array ? add(Tensor(node_.flight), tangent) : tangent);
}

namespace {

/// The gradient a sweep starts with: `seed`, or one for an output of exactly one element.
Tensor start(const char* caller, const Tensor& output, const Tensor& seed) {
  if (!output.defined()) throw GradientError(fmt::format("{}: the output is an empty Tensor", caller));
  if (!output.requires_grad())
    throw GradientError(fmt::format("{}: this tensor depends on no parameter (requires_grad() is false); make leaves with "
                                    "gradtape::parameter and compute outside of NoGrad", caller));
  output.node()->check_thread();
  if (seed.defined()) {
    if (seed.shape() != output.shape() || seed.dtype() != output.dtype())
      throw ShapeError(fmt::format("{}: the gradient given is {} {}, but the output is {} {}; they must be alike", caller,
                                   to_string(seed.dtype()), to_string(seed.shape()), to_string(output.dtype()), to_string(output.shape())));
    return seed;
  }
  if (output.numel() != 1)
    throw ShapeError(fmt::format("{}: the output has shape {}; a sweep starts from exactly one element: reduce it first (sum, mean), "
                                 "or give its gradient to gradtape::vjp", caller, to_string(output.shape())));
  Array one = Array::make(output.dtype(), output.shape());
  fill(one, 1);
  return Tensor(one);
}

}  // namespace

void Tensor::backward(const BackwardOptions& options) const {
  Tensor seed = start("backward", *this, {});
  Sweep sweep(options.create_graph, options.retain_graph || options.create_graph);
  sweep.run(*this, std::move(seed));
  sweep.commit();
}

void detail::grad(const Tensor& output, const Tensor& seed, std::span<const Tensor> inputs, const GradOptions& options, std::span<Tensor> out) {
  Tensor first = start("grad", output, seed);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].requires_grad())
      throw GradientError(fmt::format("grad: input {} needs no gradient; make it with gradtape::parameter, or compute it from one", i));
  Sweep sweep(options.create_graph, options.retain_graph || options.create_graph);
  sweep.restrict_to(inputs, output.node().get());
  sweep.run(output, std::move(first));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const detail::Value& found = inputs[i].node()->flight;
    if (found.array) {
      out[i] = options.create_graph ? Tensor(found) : Tensor(packed(found.array));
      continue;
    }
    if (!options.allow_unused)
      throw GradientError(fmt::format("grad: input {} of shape {} was not reached from the output; pass {{.allow_unused = true}} to get zeros", i,
                                      to_string(inputs[i].shape())));
    Array zero = Array::make(inputs[i].dtype(), inputs[i].shape());
    fill(zero, 0);
    out[i] = Tensor(zero);
  }
}

Tensor detail::tangent(const Tensor& output, std::span<const Tensor> inputs, std::span<const Tensor> tangents, bool create_graph) {
  if (!output.requires_grad()) return {};
  Sweep sweep(create_graph, true);
  sweep.restrict_to(inputs, output.node().get());
  return sweep.run_forward(output, inputs, tangents);
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options) {
  std::vector<Tensor> out(inputs.size());
  detail::grad(output, {}, inputs, options, out);
  return out;
}

}  // namespace gradtape
