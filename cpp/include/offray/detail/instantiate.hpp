// SPDX-License-Identifier: Apache-2.0
/// \file
/// The templates that the compiled library holds, for one scalar. Whoever includes this takes them from there.
#pragma once

#include "offray/design/planned.hpp"
#include "offray/design/search.hpp"
#include "offray/fit_many.hpp"
#include "offray/fitter.hpp"
#include "offray/identify/identifiability.hpp"
#include "offray/identify/precision.hpp"
#include "offray/identify/tpp_diversity.hpp"
#include "offray/inference/bootstrap.hpp"
#include "offray/inference/compute_optimal.hpp"
#include "offray/inference/misfit.hpp"
#include "offray/inference/predict.hpp"
#include "offray/inference/profile.hpp"
#include "offray/inference/quantity.hpp"
#include "offray/inference/rolling.hpp"
#include "offray/inference/student_t.hpp"
#include "offray/inference/uncertainty.hpp"
#include "offray/laws/list.hpp"
#include "offray/online.hpp"

/// Laws, runs, and the solver that knows only residuals.
#define OFFRAY_INSTANTIATE_LAWS(prefix, S)                                 \
  prefix template std::array<const AnyLaw<S>*, Laws::size> Laws::all<S>(); \
  prefix template struct Inputs<S>;                                        \
  prefix template struct Runs<S>;                                          \
  prefix template struct Constraints<S>;                                   \
  prefix template class detail::Parametrisation<S>;                        \
  prefix template class detail::LawResidual<S>;                            \
  prefix template class detail::GaussNewton<S>;

/// The global fit.
#define OFFRAY_INSTANTIATE_FIT(prefix, S)                                                                           \
  prefix template class detail::DataStart<S>;                                                                       \
  prefix template class detail::VariableProjection<S>;                                                              \
  prefix template class detail::GridSearch<S>;                                                                      \
  prefix template class detail::GlobalFit<S>;                                                                       \
  prefix template class detail::FitEngine<S>;                                                                       \
  prefix template class Fitter<S>;                                                                                  \
  prefix template Expected<Fit<S>> try_fit_any<S>(const AnyLaw<S>&, const Runs<S>&, const FitOptions<S>&,           \
                                                  const Constraints<S>&);                                           \
  prefix template Fit<S> fit_any<S>(const AnyLaw<S>&, const Runs<S>&, const FitOptions<S>&, const Constraints<S>&); \
  prefix template FitMany<S> fit_many<S>(const AnyLaw<S>&, Index, const RunsOf<S>&, const FitOptions<S>&,           \
                                         const Constraints<S>&, int, const Progress&);

/// What follows from a fit.
#define OFFRAY_INSTANTIATE_INFERENCE(prefix, S)                                                       \
  prefix template class Resampler<S>;                                                                 \
  prefix template Bootstrap<S> bootstrap<S>(const Fit<S>&, const BootstrapOptions&, const Progress&); \
  prefix template Noise<S> noise<S>(const Fit<S>&);                                                   \
  prefix template class Uncertainty<S>;                                                               \
  prefix template class OptimalPoint<S>;                                                              \
  prefix template class Profile<S>;                                                                   \
  prefix template Prediction<S> predict<S>(const Fit<S>&, const Inputs<S>&, const Uncertainty<S>&);   \
  prefix template Misfit<S> misfit<S>(const Fit<S>&);                                                 \
  prefix template Misfit<S> detail::misfit<S>(const Fit<S>&, const detail::TangentSpace<S>&);         \
  prefix template Rolling<S> rolling<S>(const Fit<S>&);

/// What runs determine, and which to make.
#define OFFRAY_INSTANTIATE_IDENTIFY(prefix, S)                                                \
  prefix template class Conditioning<S>;                                                      \
  prefix template Conditioning<S> conditioning<S>(const Fit<S>&);                             \
  prefix template Findings findings<S>(const Fit<S>&);                                        \
  prefix template Identifiability<S> identifiability<S>(const Fit<S>&);                       \
  prefix template std::vector<InputPlane<S>> confining_planes<S>(const Fit<S>&);              \
  prefix template WeightedConditioning<S> conditioning_under<S>(const Fit<S>&, Objective<S>); \
  prefix template PrecisionReport<S> precision_report<S>(CRef<Jacobian<S>>);                  \
  prefix template TppDiversity<S> tpp_diversity<S>(CRef<Vector<S>>, S, S);                    \
  prefix template S student_t_half_width<S>(S, S);                                            \
  prefix template Fit<S> planned<S>(const AnyLaw<S>&, const Inputs<S>&, CRef<Vector<S>>, Space, S);

/// Runs that come one by one.
#define OFFRAY_INSTANTIATE_ONLINE(prefix, S) prefix template class OnlineFit<S>;

namespace offray {
inline namespace OFFRAY_ABI {
OFFRAY_INSTANTIATE_LAWS(extern, double)
OFFRAY_INSTANTIATE_LAWS(extern, long double)
OFFRAY_INSTANTIATE_FIT(extern, double)
OFFRAY_INSTANTIATE_FIT(extern, long double)
OFFRAY_INSTANTIATE_INFERENCE(extern, double)
OFFRAY_INSTANTIATE_INFERENCE(extern, long double)
OFFRAY_INSTANTIATE_IDENTIFY(extern, double)
OFFRAY_INSTANTIATE_IDENTIFY(extern, long double)
OFFRAY_INSTANTIATE_ONLINE(extern, double)
OFFRAY_INSTANTIATE_ONLINE(extern, long double)
extern template class DesignSearch<double>;
}  // namespace OFFRAY_ABI
}  // namespace offray
