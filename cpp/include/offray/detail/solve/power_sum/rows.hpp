// SPDX-License-Identifier: Apache-2.0
/// \file
/// The rows that the solver of power sums works on.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "offray/detail/linalg/bounded.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/detail/solve/runs_view.hpp"
#include "offray/laws/law.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A power-sum problem without its rows.
template <typename S>
struct PowerSumProblem {
  Index rows = 0;  ///< how many entries of the vectors count
  S log_N0 = S(0), log_D0 = S(0);
  std::array<bool, 2> natural{};  ///< whether N0, D0 are 1, for the sake of a constraint, and not the smallest N, D
  Space space = Space::loss;      ///< of the residual
  bool floor = true;              ///< whether the law has one
  /// Of outer, p, q: which are unknowns, their bounds, and the value of those that are none.
  std::array<bool, 3> free{};
  std::array<S, 3> lower{}, upper{}, value{S(1), S(1), S(1)};
  std::array<bool, 3> bounded_below{}, bounded_above{};  ///< whether that bound is the user's
  bool equal_exponents = false;                          ///< p = q
  Box<S> coefficients;                                   ///< where floor, n and d may be
  S log_unit = S(0);                                     ///< ln L0; 0 where `outer` is 1
  S magnitude = S(0);                                    ///< as Residual::magnitude()
};

/// Rows of a power-sum problem: r = L0 s^outer - L, or ln L0 + outer ln s - ln L, with s = floor + n u + d v, u = exp(-p x),
/// v = exp(-q y). With L0 the typical loss s is about 1, so that a change of `outer` leaves the coefficients where they are.
template <typename S>
struct PowerSumRows : PowerSumProblem<S> {
  using PowerSumProblem<S>::rows, PowerSumProblem<S>::natural, PowerSumProblem<S>::free, PowerSumProblem<S>::value,
      PowerSumProblem<S>::log_unit, PowerSumProblem<S>::log_N0, PowerSumProblem<S>::log_D0;

  // With room for more entries than count.
  Vector<S> x, y;          ///< ln (N / N0) and ln (D / D0)
  Vector<S> observed;      ///< L or ln L
  Vector<S> weight, root;  ///< w and sqrt(w), or empty

  /// Another problem of n rows, in the same buffers.
  void begin(const PowerSumProblem<S>& problem, Index n, bool weighted) {
    static_cast<PowerSumProblem<S>&>(*this) = problem;
    rows = n;
    make_room(x, n);
    make_room(y, n);
    make_room(observed, n);
    if (weighted) {
      make_room(weight, n);
      make_room(root, n);
    } else {
      weight.resize(0);
      root.resize(0);
    }
  }

  /// n rows of another problem, the i-th being row_of(i) there.
  template <typename RowOf>
  void take(const PowerSumRows& from, Index n, const RowOf& row_of) {
    begin(from, n, from.weight.size() != 0);
    for (const auto column :
         {&PowerSumRows::x, &PowerSumRows::y, &PowerSumRows::observed, &PowerSumRows::weight, &PowerSumRows::root}) {
      const Vector<S>& source = from.*column;
      Vector<S>& target = this->*column;
      for (Index i = 0; source.size() != 0 && i < n; ++i) target[i] = source[row_of(i)];
    }
  }
  void take(const PowerSumRows& from) {
    take(from, from.rows, [](Index i) { return i; });
  }

  /// Makes `outer` a given number.
  void hold_outer(S outer) {
    free[0] = false;
    value[0] = outer;
    if (outer == S(1)) log_unit = S(0);
  }

  /// Counts N and D from the smallest ones, unless they keep their units: u and v are at most 1 then, and a term that an
  /// exponent running away leaves to the smallest runs keeps its coefficient.
  void count_from_smallest(CRef<Vector<S>> log_N, CRef<Vector<S>> log_D) {
    log_N0 = natural[0] ? S(0) : log_N.minCoeff();
    log_D0 = natural[1] ? S(0) : log_D.minCoeff();
    make_room(x, rows);
    make_room(y, rows);
    x.head(rows) = log_N.array() - log_N0;
    y.head(rows) = log_D.array() - log_D0;
  }
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
