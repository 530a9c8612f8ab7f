// SPDX-License-Identifier: Apache-2.0
// Every law of the list: the analytic Jacobian against central differences in the same scalar, and the change of units.
// Values to 32 digits are checked from Python against tests/reference/laws.json.
#include <cmath>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

/// A plausible theta for any law, from the roles of its parameters.
template <typename S>
Parameters<S> plausible(const AnyLaw<S>& law) {
  Parameters<S> theta(law.size());
  int counts = 0, exponents = 0, terms = 0;
  for (Index j = 0; j < law.size(); ++j) switch (law.parameter(j).role) {
      case Role::floor:
      case Role::coefficient:
        theta[j] = terms++ == 0 ? S(1.7) : S(400 + 50 * terms);
        break;
      case Role::scale:
        theta[j] = counts++ == 0 ? S(4e7) : S(9e7);
        break;
      case Role::exponent:
      case Role::outer:
        theta[j] = S(.31) + S(.05) * S(exponents++);
        break;
      case Role::decay:
        theta[j] = S(6);
        break;
      case Role::positive:
      case Role::real:
        theta[j] = S(1);
        break;
    }
  return theta;
}

template <typename S>
void jacobian_matches_differences(const AnyLaw<S>& law) {
  const auto table = designs::grid<S>();
  const Vector<S> U = (table.D / S(3)).eval();  // three epochs
  const Inputs<S> at(table.N, table.D, U);
  const Parameters<S> theta = plausible(law);
  const Index n = at.size();
  Vector<S> value(n), up(n), down(n);
  Jacobian<S> J(n, law.size()), none(n, 0);
  law.evaluate(theta, at, value, J);
  Vector<S> alone(n);
  law.evaluate(theta, at, alone, none);
  CHECK((alone - value).cwiseAbs().maxCoeff() <= S(8) * std::numeric_limits<S>::epsilon() * value.maxCoeff());

  // Central differences lose 2/3 of the digits: error about eps^(2/3).
  const S h = std::cbrt(std::numeric_limits<S>::epsilon());
  for (Index j = 0; j < law.size(); ++j) {
    Parameters<S> moved = theta;
    moved[j] = theta[j] * (S(1) + h);
    law.evaluate(moved, at, up, none);
    moved[j] = theta[j] * (S(1) - h);
    law.evaluate(moved, at, down, none);
    const Vector<S> difference = (up - down) / (S(2) * h);
    const Vector<S> analytic = theta[j] * J.col(j);
    CHECK((difference - analytic).cwiseAbs().maxCoeff() <= S(1e3) * h * h * value.maxCoeff());
  }
}

template <typename S>
void units_change_nothing(const AnyLaw<S>& law) {
  const auto table = designs::grid<S>();
  const Inputs<S> at(table.N, table.D, Vector<S>(table.D / S(3)));
  const detail::Parametrisation<S> parametrisation(law, at, Constraints<S>(law));
  const Parameters<S> theta = plausible(law);
  const Parameters<S> phi = parametrisation.phi(theta);
  Parameters<S> centred;
  parametrisation.centred(phi, centred);
  Vector<S> raw(at.size()), inside(at.size());
  Jacobian<S> none(at.size(), 0);
  law.evaluate(theta, at, raw, none);
  law.evaluate(centred, at.in_units(parametrisation.log_N0, parametrisation.log_D0), inside, none);
  const S tolerance = S(200) * std::numeric_limits<S>::epsilon();
  CHECK((raw - inside).cwiseAbs().maxCoeff() <= tolerance * raw.maxCoeff());
  const Parameters<S> back = parametrisation.natural(phi);
  CHECK((back - theta).cwiseQuotient(theta).cwiseAbs().maxCoeff() <= tolerance);
}

TEST_CASE_TEMPLATE("every law", S, double, long double) {
  for (const AnyLaw<S>* law : Laws::all<S>()) {
    jacobian_matches_differences(*law);
    units_change_nothing(*law);
  }
}

}  // namespace
