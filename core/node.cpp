#include <gradtape/core/error.hpp>
#include <gradtape/core/node.hpp>

namespace gradtape::inline v0 {

// A loop, not recursion: a node that dies inside another's destructor waits in a list, so chains of any length fit a
// small stack.
void Node::destroy(Node* node) noexcept {
  static_assert(sizeof(std::uintptr_t) <= sizeof(node->mark));
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Node* waiting = nullptr;  // as thread_state
  node->mark = reinterpret_cast<std::uintptr_t>(std::exchange(waiting, node));
  bool& running = detail::thread_state.destroying;
  if (running) return;
  running = true;
  while (waiting) {
    delete std::exchange(waiting, reinterpret_cast<Node*>(waiting->mark));
  }
  running = false;
}

#ifdef GRADTAPE_CHECKS
void Node::check_thread() {
  const std::uint32_t here = detail::thread_index(), owner = thread.load(std::memory_order_relaxed);
  if (owner == here || count.shared()) return;
  if (owner != 0 && detail::thread_is_alive(owner))
    throw ThreadError(
        is_leaf()
            ? "a parameter is used by a second thread; let many threads run one model under NoGrad with a guard from "
              "gt::share(net), or train on a copy of your own"
            : "a recorded tensor is used by a second thread; a graph belongs to the thread that recorded it: hand over "
              "detach()ed values, or share a model under NoGrad with gt::share(net)");
  thread.store(here, std::memory_order_relaxed);
}
#else
void Node::check_thread() {}
#endif

}  // namespace gradtape::inline v0
