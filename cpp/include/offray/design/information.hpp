// SPDX-License-Identifier: Apache-2.0
/// \file
/// What runs add to the information on a law, and what a criterion makes of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "offray/conditioning.hpp"
#include "offray/design/criterion.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The information of weighted candidates on top of the existing runs, by model, through triangular factors.
template <typename S>
class DesignInformation {
 public:
  using Factors = std::vector<Jacobian<S>>;  ///< R with R'R = M, one per model
  /// Some of the candidates, and their rows of every model.
  struct Pool {
    std::vector<Index> index;
    std::vector<Jacobian<S>> rows;
  };

  /// \throws InvalidInput for no model, or one that is not finite.
  DesignInformation(std::vector<DesignModel<S>> models, Criterion criterion)
      : models_(std::move(models)), criterion_(criterion) {
    if (models_.empty()) detail::reject("theta: at least one is needed");
    for (const DesignModel<S>& model : models_) {
      if (!model.candidates.allFinite() || !model.existing.allFinite() || !model.targets.allFinite())
        detail::reject("theta: the law's derivatives are not finite at these runs");
      const Index p = model.candidates.cols();
      existing_.push_back(model.existing.rows() == 0 ? Jacobian<S>::Zero(p, p) : factor(model.existing));
    }
  }

  /// The triangular factor of a tall matrix; by the kernels in plain C++, so that plans, which are discrete, do not depend on
  /// the processor.
  static Jacobian<S> factor(const Jacobian<S>& rows) {
    const Index p = rows.cols();
    Jacobian<S> M(std::max(rows.rows(), p), p + 1), R(p, p + 1);
    M.setZero();
    M.topLeftCorner(rows.rows(), p) = rows;
    kPortable<S>.tall_qr(M.rows(), p, nullptr, M.data(), M.outerStride(), R.data(), R.outerStride());
    return R.leftCols(p);
  }

  Factors factors(const Vector<S>& weight) const { return factors(weight, existing_); }

  /// The same on top of other factors than those of the existing runs.
  Factors factors(const Vector<S>& weight, const Factors& below) const {
    std::vector<Index> active;
    for (Index i = 0; i < weight.size(); ++i)
      if (weight[i] > S(0)) active.push_back(i);
    Factors out;
    for (std::size_t k = 0; k < models_.size(); ++k) {
      const Index p = models_[k].candidates.cols();
      Jacobian<S> rows(p + static_cast<Index>(active.size()), p);
      rows.topRows(p) = below[k];
      for (std::size_t a = 0; a < active.size(); ++a)
        rows.row(p + static_cast<Index>(a)) = std::sqrt(weight[active[a]]) * models_[k].candidates.row(active[a]);
      out.push_back(factor(rows));
    }
    return out;
  }

  /// R^-T x for every column of x; infinite where R is singular.
  static Jacobian<S> solve(const Jacobian<S>& R, const Jacobian<S>& x) {
    if (!(R.diagonal().minCoeff() > S(0))) return Jacobian<S>::Constant(x.rows(), x.cols(), std::numeric_limits<S>::infinity());
    return R.transpose().template triangularView<Eigen::Lower>().solve(x);
  }

  /// The criterion; infinite where a parameter is open.
  S value(const Factors& R) const {
    S sum = S(0);
    for (std::size_t k = 0; k < models_.size(); ++k) {
      if (!(R[k].diagonal().minCoeff() > S(0))) return std::numeric_limits<S>::infinity();
      if (criterion_ == Criterion::D)
        sum -= S(2) * R[k].diagonal().array().log().sum();
      else
        sum += solve(R[k], models_[k].targets.transpose()).squaredNorm() / S(models_[k].targets.rows());
    }
    return sum / S(models_.size());
  }

  Pool everything() const {
    Pool out;
    out.index.resize(static_cast<std::size_t>(models_.front().candidates.rows()));
    std::iota(out.index.begin(), out.index.end(), Index(0));
    for (const DesignModel<S>& model : models_) out.rows.push_back(model.candidates);
    return out;
  }

  /// For every candidate of a pool: the sensitivity phi, or, with `whole`, by how much one more run of it lowers the criterion.
  Vector<S> gains(const Factors& R, bool whole, const Pool& pool) const {
    return gains(R, whole, pool, 0, static_cast<Index>(pool.index.size()));
  }

  /// The same for those at the places from `begin` on, before `end`.
  Vector<S> gains(const Factors& R, bool whole, const Pool& pool, Index begin, Index end) const {
    Vector<S> out = Vector<S>::Zero(end - begin);
    for (std::size_t k = 0; k < models_.size(); ++k) {
      const Jacobian<S> u = solve(R[k], pool.rows[k].middleRows(begin, end - begin).transpose());
      const Vector<S> length = u.colwise().squaredNorm().transpose();
      if (criterion_ == Criterion::D) {
        out += whole ? Vector<S>(length.array().log1p()) : length;
      } else {
        const Jacobian<S> H = solve(R[k], models_[k].targets.transpose());
        const Vector<S> shared = (u.transpose() * H).rowwise().squaredNorm() / S(models_[k].targets.rows());
        out += whole ? Vector<S>(shared.array() / (S(1) + length.array())) : shared;
      }
    }
    return out / S(models_.size());
  }

 protected:
  std::vector<DesignModel<S>> models_;
  Criterion criterion_;
  Factors existing_;
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
