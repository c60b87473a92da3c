#pragma once

#include <gradtape/core/tensor.hpp>

#include <vector>

/// \file
/// Parameters as one vector, for optimizers that see all of them at once.

namespace gradtape::inline v0::optim {

/// Appends the elements of an f32 or f64 array, as double.
void append(std::vector<double>& to, const Array& from);

/// The values of all leaves, one behind the other.
std::vector<double> flat_values(const std::vector<Tensor>& parameters);

/// Gives the leaves these values, rounded to their dtypes; in place unless a graph still needs the old ones.
void assign_flat(const std::vector<Tensor>& parameters, const std::vector<double>& values);

}  // namespace gradtape::inline v0::optim
