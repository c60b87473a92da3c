#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/pool.hpp>
#include <gradtape/core/ref.hpp>
#include <gradtape/core/shape.hpp>

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

namespace gradtape::inline v0 {

class Backward;
class Forward;
class Node;

namespace detail {

/// An array and its place on the tape: what a Tensor is made of.
struct Value {
  Array array;
  Ref<Node> node;
};

}  // namespace detail

/// One record of the tape: an edge to every input that needs a gradient, the values its rule reads, and the gradient in
/// flight. A node knows its inputs, never its consumers, so graphs have no cycles. Ids grow in order of creation and
/// exceed those of the inputs: newest first is a topological order.
class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() { detail::count(detail::thread_state.live_nodes, -1); }

  virtual std::string_view name() const = 0;
  /// Applies the op's backward rule: reads `pass.gradient()`, hands a gradient to each input that `pass.needs()`.
  virtual void backward(Backward& pass) = 0;
  /// The same rule forwards: from the inputs' tangents, `pass.tangent(i)`, to the output's.
  virtual void forward(Forward& pass) = 0;

  /// One per input; null where the input needs no gradient.
  std::span<detail::Ref<Node>> edges() { return {edges_, arity_}; }
  std::span<const detail::Ref<Node>> edges() const { return {edges_, arity_}; }
  /// Saved inputs, then the output; null where no rule reads the value.
  std::span<Array> saved() { return {saved_, edges_ ? arity_ + 1u : 0u}; }
  std::span<const Array> saved() const { return {saved_, edges_ ? arity_ + 1u : 0u}; }
  bool is_leaf() const { return edges_ == nullptr; }

  /// Drops the saved values; a sweep through this node throws from then on.
  void release() {
    for (Array& array : saved()) array.reset();
    released = true;
  }

  /// In the dev build, throws ThreadError if another living thread owns this node and it is not shared.
  void check_thread();

  static void destroy(Node* node) noexcept;
  static void* operator new(std::size_t bytes) {
    return detail::take(detail::size_class(bytes), bytes, detail::MemoryKind::tape);
  }
  static void operator delete(void* memory, std::size_t bytes) {
    detail::put(memory, detail::size_class(bytes), detail::MemoryKind::tape);
  }

  detail::Count count;
  std::atomic<std::uint32_t> thread;  // the owner's index; a leaf has none (0) until its first use
  std::uint64_t id;
  std::uint64_t mark = 0;  // scratch of the sweep that last looked at it; the next in line while being destroyed
  detail::Value flight;    // the gradient, or tangent, while a sweep is on its way
  Shape shape;             // of the output
  Dtype dtype;
  bool released = false;
  bool keeps_grad = false;  // it is a Keeper

 protected:
  Node(const Shape& output, Dtype output_dtype, std::uint32_t owner)
      : thread(owner), id(detail::thread_state.next_id++), shape(output), dtype(output_dtype) {
    detail::count(detail::thread_state.live_nodes, 1);
  }

  /// Tells the base where the derived class keeps its edges (`arity`) and saved values (`arity + 1`), and moves the id
  /// past those of inputs that came from another thread.
  void keep(detail::Ref<Node>* edges, Array* saved, std::uint32_t arity) {
    edges_ = edges, saved_ = saved, arity_ = arity;
    for (std::uint32_t i = 0; i < arity; ++i)
      if (edges[i] && edges[i]->id >= id) [[unlikely]]
        detail::thread_state.next_id = (id = edges[i]->id + 1) + 1;
  }

 private:
  std::uint32_t arity_ = 0;
  detail::Ref<Node>* edges_ = nullptr;
  Array* saved_ = nullptr;
};

/// A node that keeps its gradient after `backward`: a leaf, or what retain_grad makes.
class Keeper : public Node {
 public:
  detail::Value grad;

 protected:
  Keeper(const Shape& output, Dtype output_dtype, std::uint32_t owner) : Node(output, output_dtype, owner) {
    keeps_grad = true;
  }
};

/// A node without inputs: a parameter. Its value lives here, so that every handle sees an assignment.
class Leaf final : public Keeper {
 public:
  explicit Leaf(Array initial) : Keeper(initial.shape(), initial.dtype(), 0), value(std::move(initial)) {}
  std::string_view name() const override { return "leaf"; }
  void backward(Backward&) override {}
  void forward(Forward&) override {}

  Array value;
};

}  // namespace gradtape::inline v0
