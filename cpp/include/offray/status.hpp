// SPDX-License-Identifier: Apache-2.0
/// \file
/// How a minimisation can end.
#pragma once

#include <string_view>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

enum class Status { converged, at_bound, rank_deficient, stalled, evaluation_limit, evaluation_failed };

inline constexpr std::string_view kStatuses[] = {"converged", "at_bound",         "rank_deficient",
                                                 "stalled",   "evaluation_limit", "evaluation_failed"};

/// Whether a descent ended at a stationary point, interior or not.
constexpr bool is_settled(Status status) {
  return status == Status::converged || status == Status::at_bound || status == Status::rank_deficient;
}

/// Where the best point of a fit lies.
enum class Location {
  interior,         ///< no parameter at an edge, J of full rank
  equal_exponents,  ///< alpha = beta, where one ray cannot tell the two terms apart
  term_vanishes,    ///< A -> 0, B -> 0: the best fit does without the term
  floor_vanishes,   ///< E -> 0
  runaway,          ///< a parameter goes on improving the fit to the end of its range
  bounded,          ///< a bound that the user set
  unidentified,     ///< J is rank-deficient for another reason
  unsettled         ///< the iteration did not end at a stationary point
};

inline constexpr std::string_view kLocations[] = {"interior", "equal_exponents", "term_vanishes", "floor_vanishes",
                                                  "runaway",  "bounded",         "unidentified",  "unsettled"};

/// One sentence per outcome.
constexpr std::string_view describe(Status status) {
  switch (status) {
    case Status::converged:
      return "The scaled gradient is below its tolerance at an interior point where the Jacobian has full rank.";
    case Status::at_bound:
      return "The scaled gradient is below its tolerance, but a parameter sits at its bound: no interior optimum was found.";
    case Status::rank_deficient:
      return "The gradient is below its tolerance, but the Jacobian is rank-deficient: other parameters fit as well.";
    case Status::stalled:
      return "No step lowers the objective although the scaled gradient is above its tolerance.";
    case Status::evaluation_limit:
      return "The limit on evaluations was reached before the scaled gradient fell below its tolerance.";
    case Status::evaluation_failed:
      return "The law or its derivatives are not finite where the iteration had to evaluate them.";
  }
  return "";
}

}  // namespace OFFRAY_ABI
}  // namespace offray
