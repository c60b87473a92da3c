#include <gradtape/core/error.hpp>
#include <gradtape/core/shape.hpp>
#include <gradtape/data/file.hpp>
#include <gradtape/data/idx.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::data {
namespace {

using detail::Source;

std::string describe(std::uint32_t magic) {
  return fmt::format("magic 0x{:08x}{}", magic, magic == 0x803 ? " (images)" : magic == 0x801 ? " (labels)" : "");
}

struct Idx {
  std::vector<std::size_t> sizes;
  std::vector<std::uint8_t> data;
};

/// Magic and sizes, big endian.
std::vector<std::size_t> read_header(Source& source, std::uint32_t magic) {
  const std::size_t rank = magic & 0xff;
  const auto read_word = [&](const std::string& what) {
    std::array<std::uint8_t, 4> b{};
    source.read(b, what);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]};
  };
  const std::uint32_t found = read_word(describe(magic));
  if (found != magic) source.fail_at(0, fmt::format("found {}, expected {}", describe(found), describe(magic)));
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < rank; ++i) sizes.push_back(read_word(fmt::format("size {} of {}", i + 1, rank)));
  return sizes;
}

Idx read(Source& source, std::uint32_t magic) {
  Idx idx{read_header(source, magic), {}};
  const std::string what = fmt::format("sizes {}", idx.sizes);
  idx.data = source.read_data(detail::element_count(source, 4, idx.sizes), what);
  source.expect_end(what);
  return idx;
}

constexpr std::uint32_t images_magic = 0x803, labels_magic = 0x801;  // u8 in three dimensions, in one

}  // namespace

Tensor read_idx_images(const std::string& path) {
  Source source("idx", path);
  const Idx idx = read(source, images_magic);
  std::vector<float> values(idx.data.size());
  std::ranges::transform(idx.data, values.begin(), [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
  return tensor(std::span<const float>(values), Shape{idx.sizes[0], idx.sizes[1], idx.sizes[2]});
}

Tensor read_idx_labels(const std::string& path, const IdxOptions& options) {
  if (options.classes < 1) {
    throw ValueError(fmt::format("read_idx_labels: classes is {}, expected at least 1", options.classes));
  }
  Source source("idx", path);
  const Idx idx = read(source, labels_magic);
  const auto no_class = [&](std::uint8_t label) { return label >= options.classes; };
  if (const auto bad = std::ranges::find_if(idx.data, no_class); bad != idx.data.end()) {
    const auto index = static_cast<std::size_t>(bad - idx.data.begin());
    const std::size_t header = source.offset() - idx.data.size();
    source.fail_at(header + index, fmt::format("label {} is {}, expected 0 to {}", index, *bad, options.classes - 1));
  }
  const std::vector<std::int64_t> values(idx.data.begin(), idx.data.end());
  return tensor(std::span<const std::int64_t>(values), Shape{values.size()});
}

Labelled read_idx_pair(const std::string& images, const std::string& labels, const IdxOptions& options) {
  Labelled read{read_idx_images(images), read_idx_labels(labels, options)};
  if (const auto found = read.images.shape()[0], expected = read.labels.shape()[0]; found != expected) {
    throw FileError(fmt::format("idx: {}: byte 4: found {} images, expected {}, one for each label in {}", images,
                                found, expected, labels));
  }
  return read;
}

}  // namespace gradtape::inline v0::data
