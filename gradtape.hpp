#pragma once

/// \file
/// All of gradtape but two opt-in headers: `<gradtape/ops/extend.hpp>`, to write ops, and `<gradtape/xtensor.hpp>`, the bridge
/// to xtensor.

#include <gradtape/core/dtype.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/function.hpp>
#include <gradtape/core/grad.hpp>
#include <gradtape/core/print.hpp>
#include <gradtape/core/shape.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/data/idx.hpp>
#include <gradtape/nn/init.hpp>
#include <gradtape/nn/layers.hpp>
#include <gradtape/nn/module.hpp>
#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/functional.hpp>
#include <gradtape/ops/index.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/loss.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/pad.hpp>
#include <gradtape/ops/product.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/scan.hpp>
#include <gradtape/ops/segment.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>
#include <gradtape/ops/sort.hpp>
#include <gradtape/ops/statistics.hpp>
#include <gradtape/optim/adam.hpp>
#include <gradtape/optim/lbfgs.hpp>
#include <gradtape/optim/line_search.hpp>
#include <gradtape/optim/sgd.hpp>
#include <gradtape/optim/update.hpp>
#include <gradtape/testing/approx.hpp>
#include <gradtape/testing/gradcheck.hpp>
#include <gradtape/testing/sample.hpp>
