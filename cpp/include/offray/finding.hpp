// SPDX-License-Identifier: Apache-2.0
/// \file
/// What runs can leave open, by name, and the figures from which it counts.
#pragma once

#include <cstdint>
#include <string_view>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Something that the runs leave open, or that speaks against them or the law.
enum class Finding {
  one_size,         ///< all N within kOneRay: the term in N is a constant
  one_token_count,  ///< all D within kOneRay: the term in D is a constant
  one_ray,  ///< tokens per parameter within kOneRay, both terms free, and, beyond kExactRay, not told apart all the same
  confined_inputs,    ///< of other inputs than these: all keep to a plane (input_planes), and the fit does not tell their terms
  parallel_terms,     ///< kappa_eq of the two coefficients at least kParallel, an exponent's standard error at least kVague
  ill_conditioned,    ///< a rank below the number of unknowns, or kappa_2 above kCollinear with an exponent as vague as kVague
  at_bound,           ///< a parameter sits at its bound, or runs away
  floor_unknown,      ///< where nothing above holds: the interval of the loss floor reaches zero, t se(E) >= E
  few_runs,           ///< at most kFewDegrees degrees of freedom, or no more different inputs than unknowns
  no_repetition,      ///< R_D: no run repeats a token
  one_epoch_count,    ///< R_D: all runs repeat their tokens equally often, within kOneRay
  no_excess,          ///< R_N: no run has more parameters than its unique tokens are worth, N <= N_opt
  excess_everywhere,  ///< A: every run has N > 10 N_opt, and ln A has a standard error above 1
  exponent_unknown,   ///< where nothing above holds: an exponent or a decay constant is open by a factor of e, t se(ln) >= 1
  rival_optimum,      ///< another basin within the confidence region, 2 (F_b - F) / s^2 <= t^2
  // What follows says nothing against the parameters being determined.
  lack_of_fit,        ///< the residuals follow a curve, or miss repeated runs' means, with a probability below kUnlikely; or
                      ///< those of a law in N or D are above kHugeNoise of the loss
  dependent_runs,     ///< residuals of one N go together or follow each other, or equal inputs give losses kSeeds apart
  repeated_rows,      ///< rows equal to the last digit
  outliers,           ///< residuals that normal noise does not bring, and that sway the fit
  implausible_units,  ///< N below 1e3, D below 1e5, tokens per parameter beyond 1e-3 .. 1e5, losses above 12.5 nats
};

inline constexpr std::string_view kFindings[] = {
    "one_size",        "one_token_count", "one_ray",           "confined_inputs",  "parallel_terms",
    "ill_conditioned", "at_bound",        "floor_unknown",     "few_runs",         "no_repetition",
    "one_epoch_count", "no_excess",       "excess_everywhere", "exponent_unknown", "rival_optimum",
    "lack_of_fit",     "dependent_runs",  "repeated_rows",     "outliers",         "implausible_units"};

using Findings = std::uint32_t;

constexpr Findings flag(Finding finding) { return Findings(1) << static_cast<int>(finding); }
constexpr bool has(Findings findings, Finding finding) { return (findings & flag(finding)) != 0; }

/// From this one on, findings are about the law and the runs, not about what is determined.
inline constexpr Finding kFirstRemark = Finding::lack_of_fit;
/// Set beside findings about the law or the runs of which one is worth a warning, not only a note.
inline constexpr Findings kLoud = Findings(1) << 31;
/// A misfit of this share of the loss is: more than seeds make.
inline constexpr double kLargeMisfit = 0.01;
/// Whether nothing is found that leaves parameters open.
constexpr bool identifies(Findings findings) { return (findings & (flag(kFirstRemark) - 1)) == 0; }

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

/// A probability below which chance is no explanation: one study in 200 is accused wrongly by each test.
inline constexpr double kUnlikely = 0.005;
/// The same for residuals that go together by size, where the groups are whatever the runs happen to share.
inline constexpr double kDependent = 0.0002;
/// A residual standard deviation as a share of the loss that no usual noise reaches.
inline constexpr double kHugeNoise = 0.05;
/// Seeds alone seldom move a final loss by more than this share.
inline constexpr double kSeeds = 0.005;
/// ln of the largest usual vocabulary, 262144, in nats: a model that knows nothing does no worse.
inline constexpr double kLargestLoss = 12.5;

}  // namespace OFFRAY_ABI
}  // namespace offray
