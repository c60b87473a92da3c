#include <gradtape/core/array.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/data/file.hpp>
#include <gradtape/data/npy.hpp>
#include <gradtape/data/npy_header.hpp>
#include <gradtape/data/zip.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::data {
namespace {

using detail::NpyHeader, detail::Source;

/// Elements of the file's type as those of an array. Every byte order comes as the machine's own.
template <class From, class To>
void convert(const Source& source, std::size_t start, std::span<const std::uint8_t> bytes, bool swap,
             const Array& out) {
  for (std::size_t i = 0; i * sizeof(From) < bytes.size(); ++i) {
    std::uint8_t raw[sizeof(From)];
    std::memcpy(raw, bytes.data() + i * sizeof(From), sizeof(From));
    if (swap) std::ranges::reverse(raw);
    From value;
    std::memcpy(&value, raw, sizeof(From));
    if constexpr (std::same_as<To, bool>) {
      if (value > 1) source.fail_at(start + i, fmt::format("found boolean {}, expected 0 or 1", value));
    } else if constexpr (std::same_as<From, std::uint64_t>) {
      if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
        source.fail_at(start + i * sizeof(From), fmt::format("found {}, expected at most 2^63 - 1", value));
    }
    out.data<To>()[i] = static_cast<To>(value);
  }
}

/// Calls `f` with the C++ types of the file and of the array.
template <class F>
void with_types(std::string_view type, F f) {
  using std::type_identity;
  if (type == "f4") return f(type_identity<float>{}, type_identity<float>{});
  if (type == "f8") return f(type_identity<double>{}, type_identity<double>{});
  if (type == "b1") return f(type_identity<std::uint8_t>{}, type_identity<bool>{});
  if (type == "i1") return f(type_identity<std::int8_t>{}, type_identity<std::int64_t>{});
  if (type == "i2") return f(type_identity<std::int16_t>{}, type_identity<std::int64_t>{});
  if (type == "i4") return f(type_identity<std::int32_t>{}, type_identity<std::int64_t>{});
  if (type == "i8") return f(type_identity<std::int64_t>{}, type_identity<std::int64_t>{});
  if (type == "u1") return f(type_identity<std::uint8_t>{}, type_identity<std::int64_t>{});
  if (type == "u2") return f(type_identity<std::uint16_t>{}, type_identity<std::int64_t>{});
  if (type == "u4") return f(type_identity<std::uint32_t>{}, type_identity<std::int64_t>{});
  return f(type_identity<std::uint64_t>{}, type_identity<std::int64_t>{});
}

Tensor read(Source& source) {
  const NpyHeader header = detail::read_npy_header(source);
  const std::size_t start = source.offset();
  const auto count = detail::element_count(source, header.shape_at, header.sizes, header.item_size);
  const std::string what = fmt::format("shape {}", header.sizes);
  const auto bytes = source.read_data(count * header.item_size, what);
  source.expect_end(what);

  const std::vector<std::int64_t> dims(header.sizes.begin(), header.sizes.end());
  Array out;
  with_types(header.type, [&]<class From, class To>(std::type_identity<From>, std::type_identity<To>) {
    out = Array::make(dtype_of<To>, Shape(dims));
    convert<From, To>(source, start, bytes, header.swapped, out);
  });
  if (!header.fortran_order) return Tensor(out);
  Strides strides{};
  std::int64_t step = 1;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    strides[axis] = step;
    step *= dims[axis];
  }
  return Tensor(packed(Array::view(out, Shape(dims), strides)));
}

std::vector<std::uint8_t> to_npy(const Tensor& x) {
  const Array array = packed(x.array());
  std::vector<std::uint8_t> bytes = detail::npy_header(array.dtype(), array.shape());
  const std::size_t data_at = bytes.size();
  const auto size = static_cast<std::size_t>(array.numel()) * size_of(array.dtype());
  bytes.resize(data_at + size);
  if (size > 0) std::memcpy(bytes.data() + data_at, array.data(), size);
  return bytes;
}

constexpr std::string_view suffix = ".npy";

}  // namespace

Tensor read_npy(const std::string& path) {
  Source source("npy", path);
  return read(source);
}

void write_npy(const std::string& path, const Tensor& array) { detail::write_file(path, to_npy(array)); }

NamedTensors read_npz(const std::string& path) {
  NamedTensors arrays;
  for (const auto& member : detail::read_zip_directory("npz", path)) {
    Source source("npz", path, member);
    std::string name = member.name;
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    arrays.emplace_back(std::move(name), read(source));
  }
  return arrays;
}

void write_npz(const std::string& path, const NamedTensors& arrays, const NpzOptions& options) {
  detail::ZipWriter zip("npz", path);
  for (auto entry = arrays.begin(); entry != arrays.end(); ++entry) {
    const auto& [name, array] = *entry;
    if (std::find_if(arrays.begin(), entry, [&](const auto& before) { return before.first == name; }) != entry)
      throw ValueError(fmt::format("write_npz: the name \"{}\" appears twice", name));
    zip.add(name + std::string(suffix), to_npy(array), options.compressed);
  }
  zip.write();
}

}  // namespace gradtape::inline v0::data
