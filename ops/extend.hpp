#pragma once

/// \file
/// The one door for ops of your own, and the one the built-in ops use: `elementwise` for rules that work element by
/// element, `record` for everything else. See docs/tutorial.md, "An op of your own", and examples/03_new_op.cpp.

#include <gradtape/ops/adjoint.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/map.hpp>
#include <gradtape/ops/record.hpp>
