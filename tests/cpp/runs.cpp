// SPDX-License-Identifier: Apache-2.0
// Bad input: an exception that names argument, row and value.
#include <limits>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

TEST_CASE_TEMPLATE("bad values are named", S, double, long double) {
  const Vector<S> good = Vector<S>::Constant(3, S(2));
  const auto with = [&](S value) {
    Vector<S> v = good;
    v[1] = value;
    return v;
  };
  CHECK_MESSAGE_HAS(Runs<S>(with(S(0)), good, good), "N[1] = 0");
  CHECK_MESSAGE_HAS(Runs<S>(good, with(S(-5)), good), "D[1] = -5");
  CHECK_MESSAGE_HAS(Runs<S>(good, good, with(std::numeric_limits<S>::quiet_NaN())), "loss[1] = nan");
  CHECK_MESSAGE_HAS(Runs<S>(good, good, with(std::numeric_limits<S>::infinity())), "loss[1] = inf");
  CHECK_MESSAGE_HAS(Runs<S>(good, good, good, with(S(-1))), "weight[1] = -1");
  CHECK_MESSAGE_HAS(Runs<S>(good, good, good, Vector<S>(), with(S(0))), "unique_tokens[1] = 0");
  CHECK_MESSAGE_HAS(Runs<S>(good, Vector<S>::Ones(2), good), "D has 2 values, but N has 3");
  CHECK_MESSAGE_HAS(Runs<S>(good, good, Vector<S>::Ones(4)), "loss has 4 values, but N has 3");

  // U > D means one epoch; the excess of D over U keeps its digits.
  Vector<S> D(2), U(2);
  D << S(1), S(1) + std::numeric_limits<S>::epsilon();
  U << S(2), S(1);
  const Inputs<S> at(Vector<S>::Ones(2), D, U);
  CHECK(at.repeats[0] == S(0));
  CHECK(at.repeats[1] == std::numeric_limits<S>::epsilon());
  CHECK(at.log_U[0] == S(0));
}

}  // namespace
