// SPDX-License-Identifier: Apache-2.0
// A law given for one run, differentiated automatically.
#include "offray/laws/row_law.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "check.hpp"
#include "designs.hpp"
#include "offray/fit.hpp"
#include "offray/laws/chinchilla.hpp"

using namespace offray;

namespace {

struct OuterExponent : RowLaw<OuterExponent> {
  static constexpr std::string_view name = "outer_exponent";
  static constexpr std::array parameters{offray::floor("E"),         coefficient("A", Axis::N), coefficient("B", Axis::D),
                                         exponent("alpha", Axis::N), exponent("beta", Axis::D), positive("q")};

  template <typename T, typename S>
  static T loss(const T* theta, const Row<S>& run) {
    using std::exp, std::pow;
    const T sum = theta[1] * exp(-theta[3] * T(run.log_N)) + theta[2] * exp(-theta[4] * T(run.log_D));
    return theta[0] + pow(sum, theta[5]);
  }
};

/// Chinchilla's law once more, with everything that a Dual can do on the way.
struct ByRow : RowLaw<ByRow> {
  static constexpr std::string_view name = "by_row";
  static constexpr std::array parameters = Chinchilla::parameters;

  template <typename T, typename S>
  static T loss(const T* theta, const Row<S>& run) {
    using std::exp, std::log, std::expm1, std::log1p, std::sqrt, std::tanh, std::pow;
    const T first = theta[1] / exp(theta[3] * T(run.log_N));
    const T second = exp(log(theta[2]) - theta[4] * T(run.log_D));
    const T nothing = expm1(log1p(first)) - first + tanh(second) - tanh(second) + sqrt(second * second) - second;
    return (first > second ? first + second : second + first) + theta[0] + nothing;
  }
};

TEST_CASE_TEMPLATE("derivatives of the formula written by hand", S, double, long double) {
  const auto table = designs::grid<S>();
  const Inputs<S> at(table.N, table.D);
  const Parameters<S> theta = designs::hoffmann<S>();
  Vector<S> value(at.size()), expected(at.size());
  Jacobian<S> J(at.size(), 5), exact(at.size(), 5), none(at.size(), 0);
  ByRow{}.evaluate<S>(theta, at, value, J);
  Chinchilla::evaluate<S>(theta, at, expected, exact);
  const S tolerance = S(64) * std::numeric_limits<S>::epsilon();
  CHECK((value - expected).cwiseAbs().maxCoeff() <= tolerance * expected.maxCoeff());
  for (Index j = 0; j < 5; ++j)
    CHECK((J.col(j) - exact.col(j)).cwiseAbs().maxCoeff() <= tolerance * exact.col(j).cwiseAbs().maxCoeff());
  Vector<S> again(at.size());
  ByRow{}.evaluate<S>(theta, at, again, none);
  CHECK((again - value).cwiseAbs().maxCoeff() <= tolerance * expected.maxCoeff());
}

TEST_CASE_TEMPLATE("an outer exponent is fitted without a start", S, double, long double) {
  const auto table = designs::grid<S>(6, 6);
  const Inputs<S> at(table.N, table.D);
  Parameters<S> truth(6);
  truth << S(1.6), S(300), S(800), S(.45), S(.4), S(.8);
  Vector<S> loss(at.size());
  Jacobian<S> none(at.size(), 0);
  OuterExponent{}.evaluate<S>(truth, at, loss, none);
  const Fit<S> found = fit<S>(OuterExponent{}, Runs<S>(table.N, table.D, loss));
  for (Index j = 0; j < 6; ++j) CHECK_CLOSE(found.theta[j], truth[j], 1e-5);
}

}  // namespace
