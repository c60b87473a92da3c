#pragma once

#include <gradtape/core/state.hpp>
#include <gradtape/io/safetensors.hpp>

#include <string>
#include <type_traits>

namespace gradtape::inline v0 {

/// Writes all state of a training to one safetensors file, so that it goes on after `load` as if it had never stopped.
/// What the state is, StateVisitor shows. The file appears as a whole or not at all; see io::write_safetensors, also
/// for what it throws.
template <class T>
  requires Stateful<std::remove_reference_t<T>>
void save(const std::string& path, T&& training) {
  io::write_safetensors(path, {state_of(training), {{"format", "gradtape"}}});
}

/// Reads what `save` wrote into a training made in the same way: same modules, same optimizer. Throws what
/// io::read_safetensors throws, and ValueError that lists entries that are missing, unknown, or of another shape or
/// dtype; nothing has changed then.
template <class T>
  requires Stateful<std::remove_reference_t<T>>
void load(const std::string& path, T&& training) {
  load_state(training, io::read_safetensors(path).tensors, "load: " + path);
}

}  // namespace gradtape::inline v0
