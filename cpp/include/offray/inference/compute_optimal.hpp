// SPDX-License-Identifier: Apache-2.0
/// \file
/// The model size and token count that a law recommends for a budget.
#pragma once

#include <cmath>
#include <memory>
#include <variant>

#include "offray/inference/budget.hpp"
#include "offray/inference/numerical_optimum.hpp"
#include "offray/inference/power_sum_optimum.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// The (N, D) that minimises a law at a given cost, and what follows from it: closed for a power sum, numerical for other laws.
template <typename S>
class OptimalPoint {
 public:
  /// \param theta natural units, all positive.
  /// \throws InvalidInput where the law has no compute-optimal point.
  OptimalPoint(const AnyLaw<S>& law, const Parameters<S>& theta, S flops, const Cost<S>& cost)
      : law_(kept(law)), theta_(theta), at_(make(*law_, theta, flops, cost)) {}

  LogValue<S> value(Optimal which) const {
    return std::visit([&](const auto& at) { return of(at, which); }, at_);
  }

 private:
  using Either = std::variant<PowerSumOptimum<S>, NumericalOptimum<S>>;

  std::shared_ptr<const AnyLaw<S>> law_;
  Parameters<S> theta_;
  Either at_;

  static Either make(const AnyLaw<S>& law, const Parameters<S>& theta, S flops, const Cost<S>& cost) {
    if (law.form == PowerSumForm::none || law.of_sum || law.term(Term::n) < 0 || law.term(Term::d) < 0)
      return NumericalOptimum<S>(law, theta, flops, cost);
    return PowerSumOptimum<S>(law, theta, flops, cost);
  }

  template <typename At>
  LogValue<S> of(const At& at, Optimal which) const {
    switch (which) {
      case Optimal::N:
        return at.N();
      case Optimal::D:
        return at.D();
      case Optimal::tokens_per_parameter:
        return {at.D().log - at.N().log, at.D().gradient - at.N().gradient};
      case Optimal::loss:
        return loss(at.N().log, at.D().log);
      case Optimal::exponent_N:
        return at.exponent_N();
      case Optimal::exponent_D:
        return at.exponent_D();
      case Optimal::elasticity:
        return at.elasticity();
    }
    return {};
  }

  /// The gradient by the envelope theorem: the point itself may be held.
  LogValue<S> loss(S log_N, S log_D) const {
    Vector<S> value(1);
    Jacobian<S> J(1, theta_.size());
    law_->evaluate(theta_, Inputs<S>::from_logs(log_N, log_D), value, J);
    return {std::log(value[0]), J.row(0).transpose().cwiseProduct(theta_) / value[0]};
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
