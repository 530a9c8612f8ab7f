// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a list of runs is judged by, and what it may cost.
#pragma once

#include <string_view>
#include <vector>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What a design is to make small, with M the information matrix J'J of all runs, averaged over the assumed theta.
enum class Criterion {
  D,  ///< -ln det M: the volume of the confidence ellipsoid
  I   ///< the mean of g'M^-1 g over the targets' gradients g: the variance of what is to be predicted
};

inline constexpr std::string_view kCriteria[] = {"D", "I"};

/// One assumed theta: rows are derivatives by the same unknowns, divided by the noise's standard deviation.
template <typename S>
struct DesignModel {
  Jacobian<S> candidates;  ///< (c, p), one row per candidate run
  Jacobian<S> existing;    ///< (n, p), runs that there are already; may have no rows
  Jacobian<S> targets;     ///< (t, p); for Criterion::I
};

template <typename S>
struct DesignLimits {
  Vector<S> cost;  ///< (c,), positive
  S budget;
  Index max_runs;
  Index max_repeats = std::numeric_limits<Index>::max();  ///< of one candidate
};

template <typename S>
struct OptimalDesign {
  std::vector<Index> count;  ///< how often each candidate is to be run
  Vector<S> weight;          ///< the same without the restriction to whole runs
  S value;                   ///< the criterion of `count`; infinite where the limits do not allow to determine all parameters
  S bound;                   ///< no design within the limits, whole runs or not, has less
};

}  // namespace OFFRAY_ABI
}  // namespace offray
