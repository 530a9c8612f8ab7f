// SPDX-License-Identifier: Apache-2.0
/// \file
/// Everything. With OFFRAY_COMPILED defined (the CMake target offray::offray does it) the heavy templates come from a library
/// that is built from cpp/src with the including program's own flags; without it the headers stand alone.
#pragma once

#include "offray/conditioning.hpp"
#include "offray/constraints.hpp"
#include "offray/design/planned.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/gauss_newton.hpp"
#include "offray/fit.hpp"
#include "offray/fit_many.hpp"
#include "offray/groups.hpp"
#include "offray/identify/identifiability.hpp"
#include "offray/identify/precision.hpp"
#include "offray/identify/tpp_diversity.hpp"
#include "offray/inference/bootstrap.hpp"
#include "offray/inference/compute_optimal.hpp"
#include "offray/inference/predict.hpp"
#include "offray/inference/profile.hpp"
#include "offray/inference/quantity.hpp"
#include "offray/inference/student_t.hpp"
#include "offray/inference/uncertainty.hpp"
#include "offray/laws/list.hpp"
#include "offray/rho.hpp"
#include "offray/runs.hpp"
#include "offray/status.hpp"
#include "offray/types.hpp"

#define OFFRAY_INSTANTIATE(prefix, S)                                                                               \
  prefix template struct Inputs<S>;                                                                                 \
  prefix template struct Runs<S>;                                                                                   \
  prefix template struct Constraints<S>;                                                                            \
  prefix template class Parametrisation<S>;                                                                         \
  prefix template class Conditioning<S>;                                                                            \
  prefix template class GaussNewton<S>;                                                                             \
  prefix template class DataStart<S>;                                                                               \
  prefix template class Separable<S>;                                                                               \
  prefix template class GridSearch<S>;                                                                              \
  prefix template class GlobalFit<S>;                                                                               \
  prefix template Fit<S> fit_any<S>(const AnyLaw<S>&, const Runs<S>&, const FitOptions<S>&, const Constraints<S>&); \
  prefix template class Resampler<S>;                                                                               \
  prefix template Bootstrap<S> bootstrap<S>(const Fit<S>&, const BootstrapOptions&, const Progress&);               \
  prefix template FitMany<S> fit_many<S>(const AnyLaw<S>&, Index, const RunsOf<S>&, const FitOptions<S>&,           \
                                         const Constraints<S>&, int, const Progress&);                              \
  prefix template Noise<S> noise<S>(const Fit<S>&);                                                                 \
  prefix template class Uncertainty<S>;                                                                             \
  prefix template class OptimalPoint<S>;                                                                            \
  prefix template class Profile<S>;                                                                                 \
  prefix template Conditioning<S> conditioning<S>(const Fit<S>&);                                                   \
  prefix template Findings findings<S>(const Fit<S>&);                                                              \
  prefix template Identifiability<S> identifiability<S>(const Fit<S>&);                                             \
  prefix template WeightedConditioning<S> conditioning_under<S>(const Fit<S>&, Loss<S>);                            \
  prefix template PrecisionReport<S> precision_report<S>(CRef<Jacobian<S>>);                                        \
  prefix template Prediction<S> predict<S>(const Fit<S>&, const Inputs<S>&);                                        \
  prefix template TppDiversity<S> tpp_diversity<S>(CRef<Vector<S>>, S, S);                                          \
  prefix template S student_t_half_width<S>(S, S);

#ifdef OFFRAY_COMPILED
namespace offray {
inline namespace OFFRAY_ABI {
OFFRAY_INSTANTIATE(extern, double)
OFFRAY_INSTANTIATE(extern, long double)
}  // namespace OFFRAY_ABI
}  // namespace offray
#endif
