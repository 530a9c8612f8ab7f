// SPDX-License-Identifier: Apache-2.0
// Planned runs, and run lists that determine most within limits.
#include <cmath>
#include <cstdint>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

/// Derivatives by ln theta' of the losses of a design, for noise of .01.
template <typename S>
Jacobian<S> rows(const designs::Table<S>& table) {
  return planned<S>(any_law<S, Chinchilla>(), Inputs<S>(table.N, table.D), designs::hoffmann<S>(), Space::loss).jacobian() /
         S(.01);
}

TEST_CASE_TEMPLATE("planned runs are a fit without losses", S, double, long double) {
  const auto table = designs::grid<S>();
  const Fit<S> plan = planned<S>(any_law<S, Chinchilla>(), Inputs<S>(table.N, table.D), designs::hoffmann<S>(), Space::loss);
  const Fit<S> fitted =
      fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table)));
  const auto at = identifiability(plan);
  CHECK_CLOSE(at.kappa, identifiability(fitted).kappa, 1e-6);
  const Vector<S> g = plan.parametrisation.log_chain(plan.theta, 3);
  CHECK_CLOSE(Uncertainty<S>(plan, S(1e-4)).se(g), Uncertainty<S>(fitted, S(1e-4)).se(g), 1e-6);
  CHECK_MESSAGE_HAS(planned<S>(any_law<S, Kaplan>(), Inputs<S>(table.N, table.D), designs::hoffmann<S>(), Space::loss),
                    "theta has 5");
}

/// What the search returns obeys the limits, and no list of a random search comes below its bound or its value.
template <typename S>
std::vector<Index> search(Criterion criterion) {
  const auto table = designs::grid<S>(6, 6);
  // Targets beyond the candidates, with derivatives by the same unknowns.
  const Index n = table.N.size();
  auto all = table;
  all.N.conservativeResize(n + 3), all.D.conservativeResize(n + 3);
  all.N.tail(3) << S(1e9), S(3e8), S(1e8);
  all.D.tail(3) << S(2e10), S(6e10), S(2e11);
  const Jacobian<S> J = rows(all);
  const std::vector<DesignModel<S>> models{{J.topRows(n), Jacobian<S>(0, 5), J.bottomRows(3) * S(.01)}};
  const DesignLimits<S> limits{S(6) * table.N.cwiseProduct(table.D), S(3e17), 12};
  DesignSearch<S> designer(models, limits, criterion);
  const OptimalDesign<S> out = designer.search();
  S cost = S(0);
  Index runs = 0;
  for (std::size_t i = 0; i < out.count.size(); ++i) {
    cost += S(out.count[i]) * limits.cost[static_cast<Index>(i)];
    runs += out.count[i];
  }
  CHECK((cost <= limits.budget * (S(1) + S(1e-9)) && runs <= limits.max_runs));
  CHECK((out.weight.sum() <= S(limits.max_runs) * (S(1) + S(1e-9)) &&
         out.weight.dot(limits.cost) <= limits.budget * (1 + S(1e-9))));
  CHECK(out.bound <= out.value);
  // Within 10 % of what is possible, in variance or in the p-th root of the determinant.
  CHECK((criterion == Criterion::D ? out.value - out.bound < S(.5) : out.bound > S(.9) * out.value));
  std::uint32_t state = 1;
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<Index> count(out.count.size(), 0);
    S spent = S(0);
    for (int run = 0; run < 12; ++run) {
      state = state * 1664525u + 1013904223u;
      const std::size_t i = (state >> 8) % count.size();
      if (spent + limits.cost[static_cast<Index>(i)] > limits.budget) continue;
      spent += limits.cost[static_cast<Index>(i)];
      ++count[i];
    }
    const S value = designer.value_of(count);
    CHECK((!(value < out.bound) && !(value < out.value - S(1e-6) * std::abs(out.value))));
  }
  return out.count;
}

TEST_CASE("both scalars choose the same runs") {
  for (const Criterion criterion : {Criterion::D, Criterion::I})
    CHECK(search<double>(criterion) == search<long double>(criterion));
}

TEST_CASE_TEMPLATE("existing runs count", S, double, long double) {
  const auto table = designs::grid<S>(6, 6);
  const DesignLimits<S> limits{S(6) * table.N.cwiseProduct(table.D), S(1e18), 3};
  // Three runs cannot determine five parameters; on top of a grid they can.
  const std::vector<DesignModel<S>> none{{rows(table), Jacobian<S>(0, 5), Jacobian<S>(0, 5)}};
  CHECK(std::isinf(DesignSearch<S>(none, limits, Criterion::D).search().value));
  const std::vector<DesignModel<S>> some{{rows(table), rows(table), Jacobian<S>(0, 5)}};
  DesignSearch<S> designer(some, limits, Criterion::D);
  const auto out = designer.search();
  CHECK(out.value < designer.value_of(std::vector<Index>(36, 0)));
}

}  // namespace
