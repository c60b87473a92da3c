#include <gradtape/core/state.hpp>
#include <gradtape/io/safetensors.hpp>
#include <gradtape/nn/weights.hpp>

#include <utility>

namespace gradtape::inline v0::nn {

void save_weights(const Module& module, const std::string& path) {
  io::Safetensors content{module.named_parameters(), {{"format", "pt"}}};  // PyTorch's mark, which some loaders demand
  for (auto& buffer : module.named_buffers()) content.tensors.push_back(std::move(buffer));
  io::write_safetensors(path, content);
}

void load_weights(Module& module, const std::string& path) {
  load_state(module, io::read_safetensors(path).tensors, "load_weights: " + path);
}

}  // namespace gradtape::inline v0::nn
