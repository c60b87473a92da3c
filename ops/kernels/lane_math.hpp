#pragma once

/// Every function of SIMD registers that a rule may call.
#include <gradtape/ops/kernels/lane_arithmetic.hpp>
#include <gradtape/ops/kernels/lane_erf.hpp>
#include <gradtape/ops/kernels/lane_exp.hpp>
#include <gradtape/ops/kernels/lane_gamma.hpp>
#include <gradtape/ops/kernels/lane_hyperbolic.hpp>
#include <gradtape/ops/kernels/lane_inverse_trig.hpp>
#include <gradtape/ops/kernels/lane_pow.hpp>
#include <gradtape/ops/kernels/lane_round.hpp>
#include <gradtape/ops/kernels/lane_trig.hpp>
