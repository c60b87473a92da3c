#pragma once

#include <gradtape/nn/module.hpp>

#include <string>

namespace gradtape::inline v0::nn {

/// Writes parameters and buffers to a safetensors file, under the dotted names and in the layout of PyTorch:
/// `safetensors.torch.load_file` reads it, and `load_state_dict` takes it. The file appears as a whole or not at all;
/// see io::write_safetensors, also for what it throws.
void save_weights(const Module& module, const std::string& path);

/// Reads parameters and buffers from a safetensors file, such as `safetensors.torch.save_file(model.state_dict(),
/// path)` writes; F16 and BF16 become f32. Parameters keep their leaves, so optimizers stay valid. Throws what
/// io::read_safetensors throws, and ValueError that lists names that are missing or unknown, and shapes and
/// dtypes that differ; nothing has changed then.
void load_weights(Module& module, const std::string& path);

}  // namespace gradtape::inline v0::nn
