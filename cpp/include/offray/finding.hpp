// SPDX-License-Identifier: Apache-2.0
/// \file
/// What runs can leave open, by name, and the figures from which it counts.
#pragma once

#include <cstdint>
#include <string_view>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Something that the runs leave open. A fit with none of these and Status::converged is identified.
enum class Finding {
  one_size,         ///< all N within kOneRay: the term in N is a constant
  one_token_count,  ///< all D within kOneRay: the term in D is a constant
  one_ray,         ///< tokens per parameter within kOneRay, both terms free, and, beyond kExactRay, not told apart all the same
  parallel_terms,  ///< kappa_eq of the two coefficients at least kParallel, an exponent's standard error at least kVague
  ill_conditioned,    ///< kappa_2 above kCollinear, or a rank below the number of unknowns
  at_bound,           ///< a parameter sits at its bound, or runs away
  floor_unknown,      ///< where nothing above holds: the interval of the loss floor reaches zero, t se(E) >= E
  few_runs,           ///< at most kFewDegrees degrees of freedom
  no_repetition,      ///< R_D: no run repeats a token
  one_epoch_count,    ///< R_D: all runs repeat their tokens equally often, within kOneRay
  no_excess,          ///< R_N: no run has more parameters than its unique tokens are worth, N <= N_opt
  excess_everywhere,  ///< A: every run has N > 10 N_opt, and ln A has a standard error above 1
};

inline constexpr std::string_view kFindings[] = {"one_size",        "one_token_count", "one_ray",       "parallel_terms",
                                                 "ill_conditioned", "at_bound",        "floor_unknown", "few_runs",
                                                 "no_repetition",   "one_epoch_count", "no_excess",     "excess_everywhere"};

using Findings = std::uint32_t;

constexpr Findings flag(Finding finding) { return Findings(1) << static_cast<int>(finding); }
constexpr bool has(Findings findings, Finding finding) { return (findings & flag(finding)) != 0; }

/// Largest over smallest tokens per parameter below which runs count as one ray: k^-beta then varies by under 4 %.
inline constexpr double kOneRay = 1.1;
/// Up to here runs are on one ray but for the rounding of token counts, and no fit of the full law is believed.
inline constexpr double kExactRay = 1.001;
/// kappa_2 above which a design counts as collinear: the worst combination's interval is this much wider than the best's.
inline constexpr double kCollinear = 1000;
/// kappa_eq above which two coefficients count as nearly parallel: each interval is 5 times wider than with orthogonal columns.
inline constexpr double kParallel = 100;
/// The standard error of ln alpha from which near-parallel terms do harm.
inline constexpr double kVague = 0.1;
/// Student's t exceeds twice the normal quantile up to here (95 %: 12.7, 4.3; then 3.2).
inline constexpr Index kFewDegrees = 2;

}  // namespace OFFRAY_ABI
}  // namespace offray
