// SPDX-License-Identifier: Apache-2.0
// Laws that are known at run time only.
#include "offray/laws/tape.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "designs.hpp"
#include "offray/fit.hpp"
#include "offray/laws/chinchilla.hpp"
#include "offray/laws/tape_law.hpp"

using namespace offray;

namespace {

/// E + A N^-alpha + B D^-beta.
Tape chinchilla() {
  return {{{Op::parameter, 0},
           {Op::parameter, 1},
           {Op::parameter, 2},
           {Op::parameter, 3},
           {Op::parameter, 4},
           {Op::input, 0},
           {Op::input, 1},
           {Op::multiply, 3, 5},
           {Op::negate, 7},
           {Op::exp, 8},
           {Op::multiply, 1, 9},
           {Op::multiply, 4, 6},
           {Op::negate, 11},
           {Op::exp, 12},
           {Op::multiply, 2, 13},
           {Op::add, 0, 10},
           {Op::add, 15, 14}},
          5,
          3};
}

TapeDescription description(bool power_sum) {
  return {"typed",
          "E + A N^-alpha + B D^-beta",
          {{"E", Role::floor, Axis::none},
           {"A", Role::coefficient, Axis::N},
           {"B", Role::coefficient, Axis::D},
           {"alpha", Role::exponent, Axis::N},
           {"beta", Role::exponent, Axis::D}},
          {"params", "tokens"},
          power_sum,
          false,
          power_sum ? std::vector<int>{} : std::vector<int>{0, 1, 2}};
}

TEST_CASE_TEMPLATE("values and derivatives of a law that is compiled", S, double, long double) {
  const auto table = designs::grid<S>();
  const Inputs<S> at(table.N, table.D);
  const Parameters<S> theta = designs::hoffmann<S>();
  Vector<S> value(at.size()), expected(at.size());
  Jacobian<S> J(at.size(), 5), exact(at.size(), 5), none(at.size(), 0);
  const Tape tape = chinchilla();
  tape.evaluate<S>(theta, at, value, J);
  Chinchilla::evaluate<S>(theta, at, expected, exact);
  const S tolerance = S(64) * std::numeric_limits<S>::epsilon();
  CHECK((value - expected).cwiseAbs().maxCoeff() <= tolerance * expected.maxCoeff());
  for (Index j = 0; j < 5; ++j) CHECK((J.col(j) - exact.col(j)).cwiseQuotient(exact.col(j)).cwiseAbs().maxCoeff() <= tolerance);
  Vector<S> again(at.size());
  tape.evaluate<S>(theta, at, again, none);
  CHECK((again.array() == value.array()).all());
}

TEST_CASE_TEMPLATE("the same fit, as a power sum and by the search that takes any law", S, double, long double) {
  const auto table = designs::grid<S>();
  const Parameters<S> theta = designs::hoffmann<S>();
  const Inputs<S> at(table.N, table.D);
  Vector<S> loss(at.size());
  Jacobian<S> none(at.size(), 0);
  Chinchilla::evaluate<S>(theta, at, loss, none);
  loss += S(1e-3) * designs::noise<S>(at.size(), 5);
  const Runs<S> runs(table.N, table.D, loss);
  const Fit<S> built_in = fit<S>(Chinchilla{}, runs);
  for (const bool power_sum : {true, false}) {
    const auto law = std::make_shared<const TapeLaw<S>>(description(power_sum), chinchilla());
    const Fit<S> typed = fit_any<S>(*law, runs, {}, Constraints<S>(*law));
    CHECK(typed.converged());
    for (Index j = 0; j < 5; ++j) CHECK_CLOSE(typed.theta[j], built_in.theta[j], 1e-6);
  }
}

TEST_CASE("what is no program is refused") {
  CHECK_MESSAGE_HAS(Tape({}, 1, 3), "1 to 4096 instructions");
  CHECK_MESSAGE_HAS(Tape(std::vector<Instruction>(5000, {Op::parameter, 0}), 1, 3), "1 to 4096 instructions");
  CHECK_MESSAGE_HAS(Tape({{Op::exp, 0}}, 1, 3), "instruction 0");
  CHECK_MESSAGE_HAS(Tape({{Op::parameter, 1}}, 1, 3), "instruction 0");
  CHECK_MESSAGE_HAS(Tape({{Op::parameter, 0}, {Op::input, 3}}, 1, 3), "instruction 1");
  CHECK_MESSAGE_HAS(Tape({{Op::parameter, 0}, {Op::add, 0, -1}}, 1, 3), "instruction 1");
  CHECK_MESSAGE_HAS(TapeLaw<double>(description(true), Tape({{Op::parameter, 0}}, 1, 3)), "different parameters");
  TapeDescription twice = description(true);
  twice.parameters[4].name = "alpha";
  CHECK_MESSAGE_HAS(TapeLaw<double>(twice, chinchilla()), "two parameters of one name");
}

/// A parameter of either sign, and a column beside N and D.
TEST_CASE_TEMPLATE("a falling line", S, double, long double) {
  const Tape line({{Op::parameter, 0}, {Op::parameter, 1}, {Op::input, 3}, {Op::multiply, 1, 2}, {Op::add, 0, 3}}, 2, 4);
  const auto law = std::make_shared<const TapeLaw<S>>(
      TapeDescription{
          "line", "a + b x", {{"a", Role::real, Axis::none}, {"b", Role::real, Axis::none}}, {"x"}, false, false, {0, 1}},
      line);
  Inputs<S> at(Vector<S>::Ones(9), Vector<S>::Ones(9));
  at.columns.push_back(Vector<S>::LinSpaced(9, S(-1), S(1)));
  const Vector<S> loss = S(3) - S(2) * at.columns[0].array();
  const Fit<S> found = fit_any<S>(*law, Runs<S>(at, loss, Vector<S>()), {}, Constraints<S>(*law));
  CHECK_CLOSE(found.theta[0], 3, 1e-12);
  CHECK_CLOSE(found.theta[1], -2, 1e-12);
  Constraints<S> bounded(*law);
  bounded.bound("b", S(-1), S(1));
  CHECK_CLOSE(fit_any<S>(*law, Runs<S>(at, loss, Vector<S>()), {}, bounded).theta[1], -1, 1e-12);
  CHECK_MESSAGE_HAS(
      fit_any<S>(*law, Runs<S>(Inputs<S>(Vector<S>::Ones(9), Vector<S>::Ones(9)), loss, Vector<S>()), {}, Constraints<S>(*law)),
      "reads columns that are not there");
}

}  // namespace
