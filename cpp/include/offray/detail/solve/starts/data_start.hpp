// SPDX-License-Identifier: Apache-2.0
/// \file
/// Starting points from the data: a deterministic grid over the nonlinear parameters, the linear ones solved exactly.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "offray/detail/linalg/bounded.hpp"
#include "offray/detail/linalg/tall_qr.hpp"
#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/residual.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Searches L^(1/outer) = floor + n N^-p + d D^-q, to which a law that is a power sum reduces for given (outer, p, q) (and
/// decay constants): the linear part is solved by orthogonal factorisation under floor, n, d >= 0 ("variable projection", Golub
/// & Pereyra 1973), rows weighted so that the transformed residual approximates the fitted one to first order.
template <typename S>
class DataStart {
 public:
  /// References must outlive the object. \param space residual space of the fit.
  DataStart(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation)
      : law_(law),
        parametrisation_(parametrisation),
        space_(space),
        runs_(runs),
        at_(runs.at.in_units(parametrisation.log_N0, parametrisation.log_D0)),
        M_(runs.size(), 4),
        R_(3, 4) {
    log_loss_ = runs.loss.array().log();
    log_scale_ = log_loss_.mean();
  }

  /// Up to `most` + 1 starts phi, the most promising first: from cells whose objective is no larger than their neighbours', and
  /// from the best cell in the middle of the grid.
  std::vector<Parameters<S>> best(const SolverOptions<S>& options, std::size_t most) {
    LawResidual<S> problem(law_, runs_, space_, parametrisation_);
    std::vector<Cell> cells;
    const StartGrid& grid = law_.grid;
    Vector<S> r(problem.rows());
    const auto measure = [&](Cell& cell) {
      cell.phi = solve(cell.decay, cell.node[0], cell.node[1], cell.node[2]);
      problem.residual(cell.phi, r);
      cell.objective = sum_rho(r, options);
      if (!std::isfinite(cell.objective)) cell.objective = std::numeric_limits<S>::infinity();
    };
    int decays = 1;
    for (std::size_t k = 0; k < law_.decays.size(); ++k) decays *= grid.decay.count;
    for (int d = 0; d < decays; ++d)
      for (int a = 0; a < grid.outer.count; ++a)
        for (int p = 0; p < grid.p.count; ++p)
          for (int q = 0; q < grid.q.count; ++q) {
            Cell cell;
            cell.index = {d, a, p, q};
            int rest = d;
            for (std::size_t k = law_.decays.size(); k-- > 0; rest /= grid.decay.count)
              cell.decay[k] = value(grid.decay, rest % grid.decay.count);
            cell.node = {value(grid.outer, a), value(grid.p, p), value(grid.q, q)};
            measure(cell);
            cells.push_back(cell);
          }
    std::vector<Cell> minima;
    const Cell* middle = nullptr;  // exponents of ordinary size compete even where extreme ones fit the noise better
    for (const Cell& cell : cells) {
      if (!std::isfinite(cell.objective)) continue;
      if (is_local_minimum(cell, cells)) minima.push_back(cell);
      const bool inside = in_middle(cell.index[2], grid.p) && in_middle(cell.index[3], grid.q);
      if (inside && (middle == nullptr || cell.objective < middle->objective)) middle = &cell;
    }
    const auto better = [](const Cell& x, const Cell& y) { return x.objective < y.objective; };
    std::stable_sort(minima.begin(), minima.end(), better);
    if (minima.size() > most) minima.resize(most);
    if (middle != nullptr) minima.push_back(*middle);
    for (Cell& cell : minima) refine(cell, measure);
    std::stable_sort(minima.begin(), minima.end(), better);
    std::vector<Parameters<S>> starts;
    starts.reserve(minima.size());
    for (const Cell& cell : minima) starts.push_back(cell.phi);
    return starts;
  }

 private:
  struct Cell {
    std::array<int, 4> index{};
    std::array<S, kMaxParameters> decay{};
    std::array<S, 3> node{};  ///< outer, p, q
    Parameters<S> phi;
    S objective = std::numeric_limits<S>::infinity();
  };

  /// Between a quarter and two thirds of a range, in logarithms: exponents of about .12 to 1.3.
  static bool in_middle(int i, const Range& range) { return 4 * i >= range.count - 1 && 3 * i <= 2 * range.count; }

  /// Pattern search over (ln outer, ln p, ln q), the linear part solved anew at every trial: a valley much narrower than a cell
  /// is entered along its floor, and the fit starts in the basin that the node belongs to.
  template <typename Measure>
  void refine(Cell& cell, const Measure& measure) const {
    const Range* ranges[] = {&law_.grid.outer, &law_.grid.p, &law_.grid.q};
    for (int halving = 1; halving <= 5; ++halving)
      for (std::size_t k = 0; k < 3; ++k) {
        if (ranges[k]->count == 1) continue;
        const S cell_ratio = std::pow(S(ranges[k]->high / ranges[k]->low), S(1) / S(ranges[k]->count - 1));
        const S step = std::pow(cell_ratio, std::ldexp(S(1), -halving));
        for (const S factor : {step, S(1) / step}) {
          Cell trial = cell;
          trial.node[k] *= factor;
          measure(trial);
          if (trial.objective < cell.objective) cell = trial;
        }
      }
  }

  static S value(const Range& range, int i) {
    return range.count == 1 ? S(range.low) : S(range.low * std::pow(range.high / range.low, i / (range.count - 1.0)));
  }

  S sum_rho(const Vector<S>& r, const SolverOptions<S>& options) const {
    return kernels<S>().total_rho(options.objective, r.size(), r.data(),
                                  runs_.weight.size() == 0 ? nullptr : runs_.weight.data());
  }

  static bool is_local_minimum(const Cell& cell, const std::vector<Cell>& cells) {
    for (const Cell& other : cells) {
      int apart = 0;
      for (std::size_t k = 0; k < 4; ++k) apart = std::max(apart, std::abs(cell.index[k] - other.index[k]));
      // Of equal neighbours (a grid collapsed by a fixed exponent) the first one counts.
      if (apart == 1 && (other.objective < cell.objective || (other.objective == cell.objective && other.index < cell.index)))
        return false;
    }
    return true;
  }

  /// phi at one grid node: exponents as given unless constrained, the linear part by least squares.
  Parameters<S> solve(const std::array<S, kMaxParameters>& decay, S outer, S p, S q) {
    Parameters<S> theta = Parameters<S>::Ones(law_.size());
    for (std::size_t k = 0; k < law_.decays.size(); ++k) theta[law_.decays[k]] = decay[k];
    set_power_sum<S>(law_, {outer, p, q, 1, 1, 1}, theta);
    // Twice where constraints may move the exponents, or the effective inputs depend on theta (repeated data).
    const int passes = parametrisation_.one_to_one() && law_.form == PowerSumForm::plain ? 1 : 2;
    for (int pass = 0; pass < passes; ++pass) {
      parametrisation_.centred(parametrisation_.phi_of_logs(theta.array().log()), theta);
      const PowerSum<S> form = power_sum<S>(law_, theta);
      set_power_sum<S>(law_, linear_part(form, theta), theta);
    }
    return parametrisation_.phi_of_logs(theta.array().log());
  }

  PowerSum<S> linear_part(PowerSum<S> form, const Parameters<S>& theta);

  const AnyLaw<S>& law_;
  const Parametrisation<S>& parametrisation_;
  Space space_;
  const Runs<S>& runs_;
  Inputs<S> at_;
  Vector<S> log_loss_;
  S log_scale_;
  Jacobian<S> M_, R_;
};

template <typename S>
PowerSum<S> DataStart<S>::linear_part(PowerSum<S> form, const Parameters<S>& theta) {
  // y = (L/L0)^(1/outer); dy = y dL / (outer L), so rows divided by that factor measure the loss (or its logarithm).
  const auto relative = (log_loss_.array() - log_scale_).eval();
  const Vector<S> y = (relative / form.outer).exp();
  Vector<S> row = form.outer / y.array();
  if (space_ == Space::loss) row.array() *= relative.exp();
  if (runs_.weight.size() != 0) row.array() *= runs_.weight.array().sqrt();
  Vector<S> x(y.size()), z(y.size());
  law_.effective(theta, at_, x, z);
  M_.col(0) = row;
  M_.col(1) = (-form.p * x).array().exp() * row.array();
  M_.col(2) = (-form.q * z).array().exp() * row.array();
  M_.col(3) = y.cwiseProduct(row);
  tall_qr<S>(M_, R_);

  if (law_.term(Term::floor) < 0) R_.col(0).setZero();
  if (law_.term(Term::d) < 0) R_.col(2).setZero();
  Vector3<S> best = bounded_solution<S>(R_.leftCols(3), R_.col(3), Box<S>());
  // A term that came out as zero starts at a thousandth of the typical loss: ln 0 would never move again.
  const S norms[] = {R_.col(0).norm(), R_.col(1).norm(), R_.col(2).norm()};
  const S target = R_.col(3).norm();
  for (int j = 0; j < 3; ++j)
    if (!(best[j] > S(0))) best[j] = norms[j] > S(0) ? S(1e-3) * target / norms[j] : S(1);
  const S unit = std::exp(log_scale_ / form.outer);
  form.floor = best[0] * unit;
  form.n = best[1] * unit;
  form.d = best[2] * unit;
  return form;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
