// SPDX-License-Identifier: Apache-2.0
#include <Eigen/LU>
#include <cmath>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

/// A (rows, 4) matrix with given singular values.
template <typename S>
Jacobian<S> with_singular_values(const Vector<S>& sigma, Index rows) {
  Jacobian<S> A(rows, 4), B(4, 4);
  for (Index j = 0; j < 4; ++j) {
    A.col(j) = designs::noise<S>(rows, static_cast<std::uint32_t>(j + 1));
    B.col(j) = designs::noise<S>(4, static_cast<std::uint32_t>(j + 11));
  }
  const Jacobian<S> U = Eigen::HouseholderQR<Jacobian<S>>(A).householderQ() * Jacobian<S>::Identity(rows, 4);
  const Jacobian<S> V = Eigen::HouseholderQR<Jacobian<S>>(B).householderQ() * Jacobian<S>::Identity(4, 4);
  return U * sigma.asDiagonal() * V.transpose();
}

TEST_CASE_TEMPLATE("known singular values", S, double, long double) {
  Vector<S> sigma(4);
  sigma << S(3), S(1), S(1e-3), S(1e-6);
  const Conditioning<S> at(with_singular_values(sigma, 20), Columns::raw);
  for (Index i = 0; i < 4; ++i)
    CHECK_CLOSE(at.singular_values()[i], sigma[i], static_cast<double>(S(300) * std::numeric_limits<S>::epsilon() / sigma[i]));
  CHECK_CLOSE(at.kappa(), S(3e6), 1e-8);
  CHECK(at.rank() == 4);
}

/// rank() says so exactly where six digits are gone.
TEST_CASE_TEMPLATE("rank follows its inequality", S, double, long double) {
  Vector<S> sigma(4);
  const S tolerance = rank_tolerance<S>();
  sigma << S(1), S(1), S(1), S(1.01) * tolerance;
  CHECK(Conditioning<S>(with_singular_values(sigma, 20), Columns::raw).rank() == 4);
  sigma[3] = S(.99) * tolerance;
  CHECK(Conditioning<S>(with_singular_values(sigma, 20), Columns::raw).rank() == 3);
}

/// The example of the documentation: J = [1 1; 1 1].
TEST_CASE_TEMPLATE("two by two", S, double, long double) {
  const Conditioning<S> at(Jacobian<S>::Ones(2, 2));
  CHECK(at.rank() == 1);
  const Vector<S> direction = at.direction();
  CHECK_CLOSE(direction[0], -direction[1], 1e-12);
  CHECK(at.undetermined(Vector<S>::Unit(2, 0)));
  CHECK(!at.undetermined(Vector<S>::Ones(2)));
}

/// J'J would lose [1 1; e 0; 0 e] altogether; the singular values of J do not.
TEST_CASE_TEMPLATE("no normal equations", S, double, long double) {
  const S e = std::sqrt(std::numeric_limits<S>::epsilon()) / S(4);
  Jacobian<S> J(3, 2);
  J << 1, 1, e, 0, 0, e;
  CHECK((J.transpose() * J).determinant() == S(0));
  CHECK_CLOSE(Conditioning<S>(J, Columns::raw).singular_values()[1], e, 1e-6);
}

TEST_CASE_TEMPLATE("shapes", S, double, long double) {
  Jacobian<S> J = Jacobian<S>::Random(20, 11);  // more columns than any law has
  const Conditioning<S> at(J);
  const Jacobian<S> inverse = at.inverse_factor() * at.inverse_factor().transpose();
  CHECK((inverse * (J.transpose() * J) - Jacobian<S>::Identity(11, 11)).norm() < S(1e-9));
  const Conditioning<S> wide(Jacobian<S>::Random(2, 4));
  CHECK(std::isinf(wide.kappa()));
  CHECK(wide.singular_values().size() == 2);
  CHECK(wide.rank() == 2);
  CHECK_MESSAGE_HAS(Conditioning<S>(Jacobian<S>(0, 3)), "at least one row");
  J(0, 0) = std::numeric_limits<S>::quiet_NaN();
  CHECK_MESSAGE_HAS(Conditioning<S>(J), "finite");
  CHECK(Conditioning<S>(Jacobian<S>::Zero(3, 2)).rank() == 0);
}

}  // namespace
