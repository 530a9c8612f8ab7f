// SPDX-License-Identifier: Apache-2.0
/// \file
/// Residuals of a law on runs, as the solver sees them.
#pragma once

#include "offray/detail/solve/parametrisation.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A least-squares problem. Virtual: one call per iteration, so the solver is compiled once per scalar.
template <typename S>
class Residual {
 public:
  Residual() = default;
  Residual(const Residual&) = delete;
  Residual& operator=(const Residual&) = delete;
  virtual ~Residual() = default;
  virtual Index rows() const = 0;
  virtual Index cols() const = 0;
  /// \param phi (m,) unknowns. \param[out] r (n,) residuals. \param[out] J (n, m) derivatives dr/dphi. Must not allocate.
  virtual void evaluate(CRef<Parameters<S>> phi, Ref<Vector<S>> r, Ref<Jacobian<S>> J) = 0;
  /// The size of the numbers whose difference r is: r carries an absolute rounding error of a few eps times this.
  virtual S magnitude() const = 0;
};

/// Residual::magnitude() of losses or their logarithms; ln L_hat inherits the relative error of L_hat, hence the 1.
template <typename S>
S residual_magnitude(CRef<Vector<S>> observed, Space space) {
  return observed.cwiseAbs().maxCoeff() + (space == Space::log_loss ? S(1) : S(0));
}

template <typename S>
class LawResidual final : public Residual<S> {
 public:
  /// As begin().
  LawResidual(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation) {
    begin(law, runs, space, parametrisation);
  }

  /// Takes in a problem, in the buffers of the one before. Law and parametrisation must outlive the calls below.
  void begin(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation) {
    law_ = &law;
    parametrisation_ = &parametrisation;
    space_ = space;
    at_ = runs.at;
    at_.change_units(parametrisation.log_N0, parametrisation.log_D0);
    observed_ = runs.loss;
    full_.resize(parametrisation.one_to_one() ? 0 : runs.size(), law.size());
    if (space == Space::log_loss) observed_ = observed_.array().log();
    magnitude_ = residual_magnitude<S>(observed_, space);
  }

  Index rows() const override { return observed_.size(); }
  Index cols() const override { return parametrisation_->free(); }
  S magnitude() const override { return magnitude_; }

  /// The residuals alone.
  void residual(CRef<Parameters<S>> phi, Ref<Vector<S>> r) {
    parametrisation_->centred(phi, theta_);
    Jacobian<S> none(rows(), 0);
    law_->evaluate(theta_, at_, r, none);
    if (space_ == Space::log_loss) r = r.array().log();
    r -= observed_;
  }

  void evaluate(CRef<Parameters<S>> phi, Ref<Vector<S>> r, Ref<Jacobian<S>> J) override {
    parametrisation_->centred(phi, theta_);
    if (parametrisation_->one_to_one()) {
      law_->evaluate(theta_, at_, r, J);
      for (Index j = 0; j < J.cols(); ++j) J.col(j) *= parametrisation_->slope(j, theta_[j]);
    } else {
      law_->evaluate(theta_, at_, r, full_);
      J.setZero();
      for (Index j = 0; j < full_.cols(); ++j)
        if (parametrisation_->slot(j) >= 0)
          J.col(parametrisation_->slot(j)) += parametrisation_->slope(j, theta_[j]) * full_.col(j);
    }
    if (space_ == Space::log_loss) {
      for (Index j = 0; j < J.cols(); ++j) J.col(j).array() /= r.array();
      r = r.array().log();
    }
    r -= observed_;
  }

 private:
  const AnyLaw<S>* law_ = nullptr;
  const Parametrisation<S>* parametrisation_ = nullptr;
  Space space_ = Space::loss;
  Inputs<S> at_;
  Vector<S> observed_;
  Jacobian<S> full_;
  Parameters<S> theta_;
  S magnitude_ = S(0);
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
