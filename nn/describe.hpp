#pragma once

#include <gradtape/core/shape.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// How modules describe themselves.
namespace gradtape::inline v0::nn::detail {

/// "3x2"; a single number is repeated for each of `axes` axes.
std::string size_text(const IntegerList& size, int axes = 1);

/// ", stride 2", or nothing if that is what it `usually` is.
std::string option_text(std::string_view name, const IntegerList& value, std::int64_t usually);

}  // namespace gradtape::inline v0::nn::detail
