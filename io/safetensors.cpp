#include <gradtape/core/error.hpp>
#include <gradtape/io/atomic_file.hpp>
#include <gradtape/io/safetensors.hpp>
#include <gradtape/io/safetensors_header.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <sys/stat.h>

namespace gradtape::inline v0::io {
namespace {

using detail::StoredTensor;

/// A file of known size, read from its start to its end.
class Source {
 public:
  explicit Source(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb")) {
    if (!file_) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
    struct stat status {};
    if (fstat(fileno(file_.get()), &status) != 0 || !S_ISREG(status.st_mode)) fail("is no regular file");
    left_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t left() const { return left_; }  // bytes not read yet

  void read(void* out, std::size_t size) {
    if (size == 0) return;
    const std::size_t got = std::fread(out, 1, size, file_.get());
    offset_ += got;
    if (got < size)
      fail(fmt::format("byte {}: cannot be read: {}", offset_,
                       std::ferror(file_.get()) ? std::strerror(errno) : "the file has become shorter"));
    left_ -= size;
  }

  [[noreturn]] void fail(const std::string& what) const { detail::fail_safetensors(path_, what); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::string& path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t left_ = 0, offset_ = 0;
};

detail::SafetensorsHeader read_header(Source& source, const std::string& path) {
  std::uint64_t size = 0;
  if (source.left() < sizeof size)
    source.fail(fmt::format("byte {}: the file ends, expected 8 bytes for the size of the header", source.left()));
  source.read(&size, sizeof size);
  if (size > detail::max_header_size)
    source.fail(fmt::format("byte 0: a header of {} bytes; at most {} are allowed", size, detail::max_header_size));
  if (size > source.left())
    source.fail(fmt::format("byte {}: the file ends, expected a header of {} bytes", 8 + source.left(), size));
  std::string text(size, '\0');
  source.read(text.data(), text.size());
  return detail::parse_header(path, text, source.left());
}

Tensor read_tensor(Source& source, const StoredTensor& stored) {
  const Array out = Array::make(stored.dtype->dtype, stored.shape);
  const std::size_t size = stored.end - stored.begin;
  if (!stored.dtype->convert) {
    source.read(out.data(), size);
    return Tensor(out);
  }
  const auto bytes = std::make_unique_for_overwrite<std::byte[]>(size);
  source.read(bytes.get(), size);
  if (const std::int64_t fitting = stored.dtype->convert(bytes.get(), out.numel(), out.data()); fitting < out.numel())
    source.fail(fmt::format("key {}: the {} at {} is no {}", detail::in_quotes(stored.name), stored.dtype->name,
                            index_string(stored.shape, fitting), to_string(stored.dtype->dtype)));
  return Tensor(out);
}

}  // namespace

Safetensors read_safetensors(const std::string& path) {
  Source source(path);
  detail::SafetensorsHeader header = read_header(source, path);
  Safetensors content{.tensors = {}, .metadata = std::move(header.metadata)};
  for (StoredTensor& stored : header.tensors) {
    Tensor tensor = read_tensor(source, stored);
    content.tensors.emplace_back(std::move(stored.name), std::move(tensor));
  }
  return content;
}

void write_safetensors(const std::string& path, const Safetensors& content) {
  std::vector<std::pair<std::string, Tensor>> tensors = content.tensors;
  std::ranges::stable_sort(tensors, std::ranges::greater(),
                           [](const auto& named) { return size_of(named.second.dtype()); });  // so all are aligned
  detail::SafetensorsHeader header{.tensors = {}, .metadata = content.metadata};
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t begin = at;
    at += static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype());
    header.tensors.push_back({name, &detail::stored_dtype(tensor.dtype()), tensor.shape(), begin, at});
  }
  const std::string text = detail::header_text(header);
  const std::uint64_t size = text.size();
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(text.data(), text.size());
  for (const auto& [name, tensor] : tensors) {
    const Array array = packed(tensor.array());
    file.write(array.data(), static_cast<std::size_t>(array.numel()) * size_of(array.dtype()));
  }
  file.commit();
}

}  // namespace gradtape::inline v0::io
