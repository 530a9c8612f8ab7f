// SPDX-License-Identifier: Apache-2.0
// What keeps a reference takes no temporary; everything else owns what it needs.
#include <type_traits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S, typename F>
struct TakesTemporary {
  template <typename T>
  static auto test(int) -> decltype(F::call(std::declval<T>()), std::true_type{});
  template <typename T>
  static std::false_type test(...);
  static constexpr bool fit = decltype(test<Fit<S>>(0))::value;
  static constexpr bool const_fit = decltype(test<const Fit<S>>(0))::value;
  static constexpr bool kept = decltype(test<const Fit<S>&>(0))::value;
};
struct LogParameter {
  template <typename F>
  static auto call(F&& fit) -> decltype(log_parameter(std::forward<F>(fit), 0));
};
struct LogLoss {
  template <typename F>
  static auto call(F&& fit) -> decltype(log_loss_at(std::forward<F>(fit), fit.runs.at));
};
struct LogOptimal {
  template <typename F>
  static auto call(F&& fit) -> decltype(log_optimal(std::forward<F>(fit), Optimal::loss, fit.gap, {}));
};

template <typename S>
constexpr bool refuses_temporaries() {
  static_assert(std::is_constructible_v<Profile<S>, const Fit<S>&, Quantity<S>>);
  static_assert(!std::is_constructible_v<Profile<S>, Fit<S>, Quantity<S>>);
  static_assert(!std::is_constructible_v<Profile<S>, const Fit<S>, Quantity<S>>);
  static_assert(!std::is_constructible_v<Constrained<S>, detail::LawResidual<S>&, Quantity<S>, Index, S, S>);
  static_assert(!std::is_constructible_v<detail::Refit<S>, Fit<S>, const Resampler<S>&>);
  static_assert(!std::is_constructible_v<detail::Refit<S>, const Fit<S>&, Resampler<S>>);
  static_assert(!std::is_constructible_v<detail::QuickLook<S>, Fit<S>, S>);
  static_assert(TakesTemporary<S, LogParameter>::kept && !TakesTemporary<S, LogParameter>::fit &&
                !TakesTemporary<S, LogParameter>::const_fit);
  static_assert(TakesTemporary<S, LogLoss>::kept && !TakesTemporary<S, LogLoss>::fit);
  static_assert(TakesTemporary<S, LogOptimal>::kept && !TakesTemporary<S, LogOptimal>::fit);
  return true;
}
static_assert(refuses_temporaries<double>() && refuses_temporaries<long double>());

template <typename S>
Fit<S> fitted() {
  const auto grid = designs::grid<S>();
  const Vector<S> loss =
      designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), grid) + S(.01) * designs::noise<S>(grid.N.size());
  return fit<S>(Chinchilla{}, Runs<S>(grid.N, grid.D, loss));
}

/// What may be made of a temporary, used after it is gone.
TEST_CASE_TEMPLATE("owners of what they need", S, double, long double) {
  const Uncertainty<S> uncertainty(fitted<S>());
  CHECK(uncertainty.se(Vector<S>::Unit(5, 0)) > S(0));
  const Resampler<S> resampler(fitted<S>(), Resampling::residual, 0, {});
  Vector<S> losses(56);
  CHECK(resampler.draw_losses(0, losses));
  const detail::TangentSpace<S> space(fitted<S>());
  CHECK(space.rank == 5);
  CHECK(misfit(fitted<S>()).distinct == 56);
}

/// A law object that nobody else holds is kept by its constraints, by a fitter and by a compute-optimal point.
TEST_CASE_TEMPLATE("laws are kept", S, double, long double) {
  struct Own : Chinchilla {
    int state = 0;
  };
  const auto grid = designs::grid<S>();
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), grid);
  loss += S(.01) * designs::noise<S>(loss.size());
  Constraints<S> constraints(*make_law<S>(Own{}));
  CHECK(!constraints.try_fix("E", S(1.69)));
  Fitter<S> fitter(make_law<S>(Own{}), FitOptions<S>{}, constraints);
  Fitter<S> moved = std::move(fitter);
  CHECK(moved.fit(grid.N, grid.D, loss).converged());
  const OptimalPoint<S> point(*make_law<S>(Own{}), designs::hoffmann<S>(), S(1e20), Cost<S>{});
  CHECK(std::isfinite(point.value(Optimal::loss).log));
}

TEST_CASE("a design search keeps its models and limits") {
  const Jacobian<double> rows = Jacobian<double>::Random(12, 2);
  const auto search = [&] {
    return DesignSearch<double>({DesignModel<double>{rows, Jacobian<double>(0, 2), Jacobian<double>::Identity(2, 2)}},
                                DesignLimits<double>{Vector<double>::Ones(12), 4, 4, 1}, Criterion::D);
  };
  DesignSearch<double> kept = search();
  CHECK(kept.search().count.size() == 12);
}

}  // namespace
