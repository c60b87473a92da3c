#include <gradtape/core/error.hpp>
#include <gradtape/core/sweep.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

constexpr auto older = [](const Node* a, const Node* b) { return a->id < b->id; };

detail::Value value_of(const Tensor& tensor) { return {tensor.array(), tensor.node()}; }

void require_saved(const Node* node) {
  if (node->released)
    throw GradientError(
        fmt::format("backward: `{}` was swept before and its saved values are released; pass {{.retain_graph = true}} "
                    "to the first sweep, or compute the result again",
                    node->name()));
}

std::string in_rule_of(const Node& node) {
  return fmt::format(" (in the backward rule of `{}`, whose output is {} {})", node.name(), to_string(node.dtype),
                     to_string(node.shape));
}

}  // namespace

void Worklist::push(Node* node) {
  if (!first_ && node->id > newest()) {
    first_ = node;
    return;
  }
  if (first_ && node->id > first_->id) std::swap(first_, node);
  nodes_.push_back(node);
  std::push_heap(nodes_.begin(), nodes_.end(), older);
}

Node* Worklist::pop_newest() {
  if (first_) return std::exchange(first_, nullptr);
  std::pop_heap(nodes_.begin(), nodes_.end(), older);
  Node* node = nodes_.back();
  nodes_.pop_back();
  return node;
}

std::vector<Node*> outside(Node* root, std::uint64_t start) {
  std::vector<Node*> out;
  Worklist work;
  work.push(root);
  for (const Node* last = nullptr; work.newest() > 0;) {
    Node* node = work.pop_newest();
    if (node == std::exchange(last, node)) continue;  // reached in several ways
    if (node->is_leaf() || node->id < start) {
      out.push_back(node);
      continue;
    }
    for (const auto& edge : node->edges())
      if (edge) work.push(edge.get());
  }
  return out;
}

thread_local constinit Sweep::Scratch Sweep::of_thread{};

// A number for each sweep of the process: a node that changes hands may carry marks of another thread's sweeps.
std::uint64_t Sweep::next_epoch() {
  thread_local constinit std::uint64_t sweeps = 0;
  if (sweeps == 0) sweeps = std::uint64_t{detail::thread_index()} << 40;
  return ++sweeps * mark_bits;
}

Sweep::Sweep(bool recording, bool retain)
    : recording_(recording),
      retain_(retain),
      checking_(detail::thread_state.detect_anomaly),
      off_(false),
      epoch_(next_epoch()),
      scratch_(of_thread.taken ? inner_.emplace().scratch : of_thread) {
  scratch_.taken = true;
}

Sweep::~Sweep() {
  while (scratch_.work.newest() > 0) scratch_.work.pop_newest()->flight = {};
  for (Node* node : scratch_.finished) node->flight = {};
  scratch_.finished.clear();
  scratch_.order.clear();
  scratch_.taken = false;
}

void Sweep::restrict_to(std::span<const Tensor> inputs, Node* root) {
  restricted_ = true;
  std::uint64_t oldest = ~std::uint64_t{0};  // what is older than every input cannot lead to one
  for (const Tensor& input : inputs) {
    input.node()->mark = epoch_ | target | leads;
    oldest = std::min(oldest, input.node()->id);
  }
  mark(root, oldest - 1, scratch_.work, scratch_.order);
}

void Sweep::mark(Node* root, std::uint64_t floor, Worklist& ahead, std::vector<Node*>& order) const {
  if (has(root, visited)) return;
  set(root, visited);
  ahead.push(root);
  while (ahead.newest() > 0) {
    order.push_back(ahead.pop_newest());
    for (const auto& edge : order.back()->edges()) {
      if (!edge || edge->id <= floor || has(edge.get(), visited)) continue;
      set(edge.get(), visited);
      ahead.push(edge.get());
    }
  }
  for (auto node = order.rbegin(); node != order.rend(); ++node)
    if (leads_on(*node)) set(*node, leads);
}

void Sweep::run(const Tensor& root, Tensor seed) {
  const GradMode mode(recording_);
  checking_ = checking_ && detail::is_finite(seed.array());
  arrive(root.node().get(), std::move(seed));
  drain(0);
}

void Sweep::drain(std::uint64_t floor) {
  while (scratch_.work.newest() > floor) {
    Node* node = scratch_.work.pop_newest();
    if (checking_) [[unlikely]]
      given_ = Tensor(node->flight), detail::check_sum(*node);
    const bool keep = node->keeps_grad || (restricted_ && has(node, target));
    if (keep) scratch_.finished.push_back(node);
    if (node->is_leaf() || (restricted_ && !leads_on(node))) continue;
    require_saved(node);
    Backward pass(*this, *node, Tensor(keep ? node->flight : std::exchange(node->flight, {})), recording_,
                  retain_ || checking_, !recording_ && !checking_ && !inner_);
    try {
      node->backward(pass);
    } catch (ShapeError& error) {  // of an op within the rule, which knows nothing of it
      error.add(in_rule_of(*node));
      throw;
    } catch (DtypeError& error) {
      error.add(in_rule_of(*node));
      throw;
    }
    if (!retain_) node->release();
  }
}

void Sweep::splice(const Tensor& result, Tensor gradient, std::uint64_t floor, bool stays) {
  Node* root = result.node().get();
  if (restricted_) {
    Worklist ahead;
    std::vector<Node*> order;
    mark(root, floor, ahead, order);
  }
  if (!wants(root)) return;
  if (!stays) spliced_.push_back(result.node());
  const std::size_t finished = scratch_.finished.size();
  arrive(root, std::move(gradient));
  if (stays) return;
  const bool retain = std::exchange(retain_, false);  // nobody else will sweep it
  drain(floor);
  retain_ = retain;
  const auto of_result = [floor](const Node* node) { return node->id > floor; };
  if (std::none_of(scratch_.finished.begin() + static_cast<std::ptrdiff_t>(finished), scratch_.finished.end(),
                   of_result))
    spliced_.pop_back();
}

Tensor Sweep::run_forward(const Tensor& root, std::span<const Tensor> inputs, std::span<const Tensor> tangents) {
  const GradMode mode(recording_);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inner_) claim(inputs[i].node().get());
    scratch_.finished.push_back(inputs[i].node().get());
    inputs[i].node()->flight = value_of(tangents[i]);
    checking_ = checking_ && detail::is_finite(tangents[i].array());
  }
  go_forward(scratch_.order);
  return Tensor(root.node()->flight);
}

void Sweep::go_forward(const std::vector<Node*>& order) {
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    Node* node = *at;
    if (has(node, target) || !has(node, leads)) continue;
    require_saved(node);
    scratch_.finished.push_back(node);
    Forward pass(*this, *node, recording_);
    node->forward(pass);
  }
}

Tensor Sweep::splice_forward(const Tensor& result, std::uint64_t floor) {
  spliced_.push_back(result.node());
  Worklist ahead;
  std::vector<Node*> order;
  mark(result.node().get(), floor, ahead, order);
  go_forward(order);
  return Tensor(result.node()->flight);
}

void Sweep::commit() {
  const GradMode mode(recording_);
  for (Node* node : scratch_.finished) {
    const auto& grad = static_cast<Keeper*>(node)->grad;
    if (grad.array) node->flight = value_of(add(Tensor(grad), Tensor(node->flight)));
    if (!recording_) node->flight.array = packed(node->flight.array);
  }
  for (Node* node : scratch_.finished) static_cast<Keeper*>(node)->grad = std::exchange(node->flight, {});
}

bool Sweep::leads_on(const Node* node) const {
  return std::ranges::any_of(node->edges(), [&](const auto& edge) { return wants(edge.get()); });
}

void Sweep::claim(const Node* node) {
  if (!inner_->reached.insert(node).second || !node->flight.array) return;
  throw GradientError(
      fmt::format("backward: a sweep inside a rule has reached a `{}` of shape {} for which the sweep around it has a "
                  "gradient already; let the rule work on a copy: gradtape::parameter(x.detach())",
                  node->name(), to_string(node->shape)));
}

void Sweep::arrive(Node* node, Tensor&& gradient) {
  if (inner_) [[unlikely]]
    claim(node);
  if (node->flight.array) {
    node->flight = add(Tensor(node->flight), gradient).take();
    return;
  }
  if (node->is_leaf() && !checking_)
    scratch_.finished.push_back(node);  // there is nothing to do at it
  else
    scratch_.work.push(node);
  node->flight = std::move(gradient).take();
}

bool Backward::needs(int input) const { return sweep_.wants(node_.edges()[static_cast<std::size_t>(input)].get()); }

unsigned Backward::needs() const {
  unsigned mask = 0, bit = 1;
  for (const auto& edge : node_.edges()) mask |= sweep_.wants(edge.get()) ? bit : 0, bit <<= 1;
  return mask;
}

void Backward::give(int input, Tensor gradient) {
  Node* to = node_.edges()[static_cast<std::size_t>(input)].get();
  if (!gradient.defined() || gradient.shape() != to->shape || gradient.dtype() != to->dtype)
    throw GradientError(fmt::format(
        "{}: the backward rule gave input {} a gradient of {}, where the input is {} {}", node_.name(), input,
        gradient.defined() ? fmt::format("{} {}", to_string(gradient.dtype()), to_string(gradient.shape())) : "nothing",
        to_string(to->dtype), to_string(to->shape)));
  if (!sweep_.wants(to)) return;
  if (sweep_.checking_) [[unlikely]]
    detail::check_gradient(node_, sweep_.given_.array(), input, gradient.array());
  sweep_.arrive(to, std::move(gradient));
}

void Backward::splice(const Tensor& result, std::uint64_t floor, bool stays) {
  sweep_.splice(result, std::move(gradient_), floor, stays);
}

Tensor Forward::tangent(int input) const {
  const auto& edge = node_.edges()[static_cast<std::size_t>(input)];
  return edge && edge->flight.array ? Tensor(edge->flight) : Tensor();
}

void Forward::give(const Tensor& tangent) {
  if (!tangent.defined() || tangent.shape() != node_.shape || tangent.dtype() != node_.dtype)
    throw GradientError(fmt::format(
        "{}: the forward rule gave a tangent of {}, where the output is {} {}", node_.name(),
        tangent.defined() ? fmt::format("{} {}", to_string(tangent.dtype()), to_string(tangent.shape())) : "nothing",
        to_string(node_.dtype), to_string(node_.shape)));
  if (sweep_.checking_) [[unlikely]]
    detail::check_tangent(node_, tangent.array());
  node_.flight = value_of(node_.flight.array ? add(Tensor(node_.flight), tangent) : tangent);
}

void Forward::splice(const Tensor& result, std::uint64_t floor) {
  if (const Tensor t = sweep_.splice_forward(result, floor); t.defined()) give(t);
}

}  // namespace gradtape::inline v0
