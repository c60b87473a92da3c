#pragma once

#include <gradtape/core/tensor.hpp>

#include <string>
#include <utility>
#include <vector>

/// Files of tensors.
namespace gradtape::inline v0::io {

/// What a safetensors file holds.
struct Safetensors {
  std::vector<std::pair<std::string, Tensor>> tensors;        ///< by name
  std::vector<std::pair<std::string, std::string>> metadata;  ///< free text by name
};

/// Reads a safetensors file (https://github.com/huggingface/safetensors, "Format"), in the order of its data. F32, F64,
/// I64 and BOOL keep their dtype; F16 and BF16 become f32, I8, I16, I32, U8, U16, U32 and U64 i64, each to the same
/// number. Nothing is allocated on the word of the header alone: memory grows with the size of the file. Throws
/// FileError that names the file and the byte or the key for a file that cannot be read and for one that breaks a rule
/// of the format: the header is JSON of at most 100,000,000 bytes that starts with `{`, no key stands twice, and the
/// data are those of the tensors, without a hole, an overlap or a byte more. The same for what no tensor here can hold:
/// more axes than max_rank, another dtype, an U64 of 2⁶³ or more, a BOOL that is neither 0 nor 1.
Safetensors read_safetensors(const std::string& path);

/// Writes a safetensors file, in place of the one that is there only when all of it is on the disk (see AtomicFile).
/// Throws ValueError for a name that stands twice, is "__metadata__" or is no UTF-8, FileError for a file that cannot
/// be written.
void write_safetensors(const std::string& path, const Safetensors& content);

}  // namespace gradtape::inline v0::io
