#include <gradtape/core/error.hpp>
#include <gradtape/data/image.hpp>
#include <gradtape/data/png.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/pad.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <system_error>

#include <fmt/format.h>

namespace gradtape::inline v0::data {
namespace {

namespace fs = std::filesystem;

/// What `wanted` keeps of a folder, by name; without what starts with a dot.
template <class F>
std::vector<fs::path> list(const fs::path& folder, F wanted) {
  std::vector<fs::path> paths;
  std::error_code fault;
  for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault))
    if (!entry->path().filename().string().starts_with('.') && wanted(*entry)) paths.push_back(entry->path());
  if (fault) throw FileError(fmt::format("image folder: {}: cannot be read: {}", folder.string(), fault.message()));
  std::ranges::sort(paths);
  return paths;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;  // of a link that leads nowhere
  return entry.is_directory(ignored);
}

bool is_png(const fs::directory_entry& entry) {
  std::string suffix = entry.path().extension().string();
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix == ".png" && !is_folder(entry);
}

std::uint8_t to_byte(double x) {
  return static_cast<std::uint8_t>(std::lround(255 * (x > 0 ? std::min(x, 1.) : 0.)));  // NaN is not above 0
}

}  // namespace

Tensor read_png(const std::string& path, const ImageOptions& options) {
  if (options.channels != 1 && options.channels != 3 && options.channels != 4)
    throw ValueError(fmt::format("read_png: channels is {}, expected 1, 3 or 4", options.channels));
  const detail::Png png = detail::read_png_file(path);
  const auto channels = static_cast<std::size_t>(options.channels);
  const std::size_t pixels = png.width * png.height;
  const Array out = Array::make(f32, {channels, png.height, png.width});
  for (std::size_t i = 0; i < pixels; ++i) {
    const auto sample = [&](std::size_t channel) { return png.sample(i, channel); };
    if (channels == 1) {
      out.data<float>()[i] = static_cast<float>((299 * sample(0) + 587 * sample(1) + 114 * sample(2)) / 1000);
      continue;
    }
    for (std::size_t c = 0; c < channels; ++c) out.data<float>()[c * pixels + i] = static_cast<float>(sample(c));
  }
  return Tensor(out);
}

ImageFolder read_image_folder(const std::string& path, const ImageOptions& options) {
  ImageFolder folder;
  std::vector<Tensor> images;
  std::vector<std::int64_t> labels;
  for (const fs::path& name : list(path, is_folder)) {
    const auto files = list(name, is_png);
    if (files.empty()) throw FileError(fmt::format("image folder: {}: there is no PNG file in it", name.string()));
    for (const fs::path& file : files) {
      images.push_back(read_png(file.string(), options));
      labels.push_back(static_cast<std::int64_t>(folder.classes.size()));
      if (images.back().shape() != images[0].shape())
        throw FileError(fmt::format("image folder: {}: found shape {}, expected {} as of the first image",
                                    file.string(), to_string(images.back().shape()), to_string(images[0].shape())));
    }
    folder.classes.push_back(name.filename().string());
  }
  if (images.empty()) throw FileError(fmt::format("image folder: {}: there is no folder of a class in it", path));
  folder.images = stack(images);
  folder.labels = tensor(std::span<const std::int64_t>(labels), {labels.size()});
  return folder;
}

void write_png(const std::string& path, const Tensor& image) {
  const Shape& shape = image.shape();
  const std::int64_t channels = image.rank() == 3 ? shape[0] : 1;
  if (image.rank() < 2 || image.rank() > 3 || (channels != 1 && channels != 3 && channels != 4) || image.numel() == 0) {
    throw ShapeError(fmt::format(
        "write_png: image has shape {}, expected [height, width] or [1, 3 or 4, height, width]", to_string(shape)));
  }
  const auto width = static_cast<std::size_t>(shape[-1]), height = static_cast<std::size_t>(shape[-2]),
             depth = static_cast<std::size_t>(channels);
  std::vector<std::uint8_t> samples(width * height * depth);
  const Array array = packed(image.array());
  with_floating("write_png", image.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::size_t i = 0; i < width * height; ++i)
      for (std::size_t c = 0; c < depth; ++c)
        samples[i * depth + c] = to_byte(static_cast<double>(array.data<T>()[c * width * height + i]));
  });
  detail::write_png_file(path, width, height, depth, samples);
}

Tensor image_grid(const Tensor& images, const GridOptions& options) {
  if (images.rank() != 4 || images.numel() == 0)
    throw ShapeError(fmt::format("image_grid: images have shape {}, expected [n, channels, height, width]",
                                 to_string(images.shape())));
  if (options.columns < 1 || options.gap < 0)
    throw ValueError(fmt::format("image_grid: {} columns with a gap of {}, expected at least 1 and 0", options.columns,
                                 options.gap));
  const std::int64_t n = images.shape()[0], columns = std::min(options.columns, n), rows = (n + columns - 1) / columns;
  Tensor cells = pad(images.detach(), {{options.gap, options.gap}, {options.gap, options.gap}});
  Shape missing = cells.shape();
  missing.set(0, rows * columns - n);
  cells = concatenate({cells, zeros(missing, {.dtype = cells.dtype()})}, {.axis = 0});
  const std::int64_t c = missing[1], h = missing[2], w = missing[3];
  return reshape(permute(reshape(cells, {rows, columns, c, h, w}), {2, 0, 3, 1, 4}), {c, rows * h, columns * w});
}

}  // namespace gradtape::inline v0::data
