#pragma once

#include <gradtape/core/anomaly.hpp>
#include <gradtape/core/backward.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

namespace gradtape::inline v0 {

/// A set of nodes that gives the newest first.
class Worklist {
 public:
  /// The id of the newest node, 0 without nodes.
  std::uint64_t newest() const { return first_ ? first_->id : nodes_.empty() ? 0 : nodes_.front()->id; }
  void push(Node* node);  ///< adds one
  Node* pop_newest();     ///< takes one out; there must be one

 private:
  Node* first_ = nullptr;     // newer than all others: in a chain, what is pushed is popped next
  std::vector<Node*> nodes_;  // a heap
};

/// The leaves, and other nodes older than `start`, that `root` depends on without another such between: newest first.
std::vector<Node*> outside(Node* root, std::uint64_t start);

/// One pass over the tape. Backwards: a worklist of nodes that have a gradient, newest first, so that a node's gradient
/// is complete when the node is reached. Forwards: the nodes between inputs and output, oldest first. Gradients of
/// leaves and targets stay in flight until the end.
class Sweep {
 public:
  /// `recording`: the sweep is recorded itself. `retain`: saved values are kept for another one.
  Sweep(bool recording, bool retain);
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// Restricts the sweep from `root` to the nodes that lead to one of `inputs`.
  void restrict_to(std::span<const Tensor> inputs, Node* root);
  /// Backwards from `root`, whose gradient is `seed`.
  void run(const Tensor& root, Tensor seed);
  /// From the tangents of `inputs`, to which the sweep must be restricted, to that of `root`.
  Tensor run_forward(const Tensor& root, std::span<const Tensor> inputs, std::span<const Tensor> tangents);
  /// Moves the gradients to where `.grad()` finds them: all of them, or none if something throws.
  void commit();

 private:
  friend class Backward;
  friend class Forward;

  /// Lists whose memory is kept from one sweep to the next; a sweep inside a sweep has its own.
  struct Scratch {
    Worklist work;
    std::vector<Node*> finished, order;
    bool taken;
  };
  static thread_local constinit Scratch of_thread;
  struct Inner {
    Scratch scratch;
    std::unordered_set<const Node*> reached;
  };

  enum Mark : std::uint64_t { visited = 1, leads = 2, target = 4, mark_bits = 8 };
  static std::uint64_t next_epoch();
  bool has(const Node* node, Mark mark) const {
    return node->mark / mark_bits * mark_bits == epoch_ && (node->mark & mark);
  }
  void set(Node* node, Mark mark) const {
    node->mark = (node->mark / mark_bits * mark_bits == epoch_ ? node->mark : epoch_) | mark;
  }
  bool wants(const Node* input) const { return input && (!restricted_ || has(input, leads)); }
  bool leads_on(const Node* node) const;
  /// Fills `order` with what `root` depends on and is newer than `floor`, newest first, and marks what leads to a
  /// target.
  void mark(Node* root, std::uint64_t floor, Worklist& ahead, std::vector<Node*>& order) const;
  void arrive(Node* node, Tensor&& gradient);
  /// Throws GradientError if `node` holds what is in flight for the sweep around this one.
  void claim(const Node* node);
  /// Backwards, down to the nodes that are not newer than `floor`.
  void drain(std::uint64_t floor);
  void go_forward(const std::vector<Node*>& order);
  void splice(const Tensor& result, Tensor gradient, std::uint64_t floor, bool stays);
  Tensor splice_forward(const Tensor& result, std::uint64_t floor);

  bool recording_, retain_, restricted_ = false;
  bool checking_;    // gradients must be finite (see DetectAnomaly), so a rule may not write over what it is given
  AnomalyMode off_;  // of the ops in rules
  Tensor given_;     // if checking, the gradient that the rule at work was given
  std::uint64_t epoch_;
  std::optional<Inner> inner_;  // of a sweep inside a sweep
  Scratch& scratch_;
  std::vector<detail::Ref<Node>> spliced_;  // recorded by rules of this sweep, which still refers to them
};

}  // namespace gradtape::inline v0
