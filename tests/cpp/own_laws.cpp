// SPDX-License-Identifier: Apache-2.0
// Laws of a program outside the project: one with a single decay constant, one with state and no power-sum form.
#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

/// L = E + A N^-alpha + B D'^-beta with D' = U (1 + R (1 - exp(-repeats / R))): a power sum in D'.
struct Decayed {
  static constexpr std::string_view name = "decayed";
  static constexpr std::array parameters{offray::floor("E"),         coefficient("A", Axis::N), coefficient("B", Axis::D),
                                         exponent("alpha", Axis::N), exponent("beta", Axis::D), decay("R", Axis::D)};
  static constexpr std::array<std::string_view, 3> inputs{"params", "tokens", "unique_tokens"};
  static constexpr bool power_sum = true;

  template <typename S>
  static S log_effective(S R, const Inputs<S>& at, Index i) {
    return at.log_U[i] + std::log1p(-R * std::expm1(-at.repeats[i] / R));
  }

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S E = theta[0], A = theta[1], B = theta[2], alpha = theta[3], beta = theta[4], R = theta[5];
    for (Index i = 0; i < at.size(); ++i) {
      const S left = std::exp(-at.repeats[i] / R), log_D = log_effective(R, at, i);
      const S u = std::exp(-alpha * at.log_N[i]), v = std::exp(-beta * log_D);
      value[i] = E + A * u + B * v;
      if (J.cols() == 0) continue;
      const S by_R = (S(1) - left - left * at.repeats[i] / R) / (S(1) + R * (S(1) - left));
      J.row(i) << S(1), u, v, -A * u * at.log_N[i], -B * v * log_D, -B * beta * v * by_R;
    }
  }

  template <typename S>
  static void effective(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) {
    log_N = at.log_N;
    for (Index i = 0; i < at.size(); ++i) log_D[i] = log_effective(theta[5], at, i);
  }
};

/// L = E + A ((N + N_0) / 1e8)^-alpha for a known N_0: nothing takes up the unit of N, and no budget has an optimum.
struct Shifted {
  double N_0;
  static constexpr std::string_view name = "shifted";
  static constexpr std::array parameters{offray::floor("E"), coefficient("A", Axis::none), exponent("alpha", Axis::none)};

  template <typename S>
  void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const {
    for (Index i = 0; i < at.size(); ++i) {
      const S log_size = std::log((std::exp(at.log_N[i]) + S(N_0)) / S(1e8)), u = std::exp(-theta[2] * log_size);
      value[i] = theta[0] + theta[1] * u;
      if (J.cols() != 0) J.row(i) << S(1), u, -theta[1] * u * log_size;
    }
  }
};

/// What a description must not be: two parameters of one name.
struct Twice : Decayed {
  static constexpr std::string_view name = "twice";
  static constexpr std::array parameters{offray::floor("E"), coefficient("E", Axis::N)};
};

TEST_CASE_TEMPLATE("own laws", S, double, long double) {
  const auto table = designs::grid<S>();
  Vector<S> U = table.D, loss(table.N.size());
  for (Index i = 0; i < U.size(); ++i) U[i] = std::ldexp(table.D[i], -static_cast<int>(i % 4));
  const Inputs<S> at(table.N, table.D, U);
  Jacobian<S> none(at.size(), 0);

  Parameters<S> decayed(6);
  decayed << S(1.7), S(400), S(900), S(.35), S(.32), S(12);
  Decayed::evaluate<S>(decayed, at, loss, none);
  const Fit<S> found = fit<S>(Decayed{}, Runs<S>(table.N, table.D, loss, Vector<S>(), U));
  CHECK((found.converged() && findings(found) == 0));
  for (Index j = 0; j < decayed.size(); ++j) CHECK_CLOSE(found.theta[j], decayed[j], 1e-6);

  Parameters<S> shifted(3);
  shifted << S(1.7), S(2.5), S(.3);
  const Shifted law{3e7};
  law.evaluate<S>(shifted, at, loss, none);
  const Fit<S> general = fit<S>(law, Runs<S>(table.N, table.D, loss));
  CHECK((general.converged() && identifiability(general).rank == 3));
  for (Index j = 0; j < shifted.size(); ++j) CHECK_CLOSE(general.theta[j], shifted[j], 1e-6);
  CHECK_MESSAGE_HAS(OptimalPoint<S>(*general.law, general.theta, S(1e21), Cost<S>{}), "no compute-optimal point");
  CHECK_MESSAGE_HAS((any_law<S, Twice>()), "two parameters of one name");
}

}  // namespace
