// SPDX-License-Identifier: Apache-2.0
// Fitter: the same optimum as fit(), nothing thrown, nothing allocated after the first call of a size.
#include "count_allocations.hpp"

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
struct Columns {
  Vector<S> N, D, loss;
};

/// Losses of a law on a grid, with noise.
template <typename S>
Columns<S> table(const AnyLaw<S>& law, const Parameters<S>& theta, Index sizes, Index counts, std::uint32_t seed = 1) {
  const auto grid = designs::grid<S>(sizes, counts);
  Vector<S> loss = designs::losses(law, theta, grid);
  loss.array() *= S(1) + S(.002) * designs::noise<S>(loss.size(), seed).array();
  return {grid.N, grid.D, loss};
}

template <typename S>
Parameters<S> kaplan() {
  Parameters<S> theta(4);
  theta << S(4e11), S(2.5e10), S(.16), S(.25);
  return theta;
}

template <typename S>
Parameters<S> droppo() {
  Parameters<S> theta(6);
  theta << S(1.6), S(2.6e7), S(7.7e7), S(.33), S(.37), S(1.25);
  return theta;
}

/// Bit for bit what fit() says, whatever was fitted before.
template <typename S, typename Law>
void agrees(Law law, const Parameters<S>& theta, const FitOptions<S>& options) {
  Fitter<S> fitter(law, options);
  for (const Index counts : {7, 30, 4, 7}) {
    const Columns<S> runs = table<S>(fitter.law(), theta, 8, counts);
    const FitResult<S>& result = fitter.fit(runs.N, runs.D, runs.loss);
    const Fit<S> whole = fit<S>(law, Runs<S>(runs.N, runs.D, runs.loss), options);
    REQUIRE(result);
    CHECK(result.status == whole.status());
    CHECK(result.theta == whole.theta);
    CHECK(result.objective == whole.summary.objective);
    CHECK(result.location == whole.location);
    CHECK(result.degrees_of_freedom == whole.degrees_of_freedom());
    CHECK(result.basins == static_cast<int>(whole.basins.size()));
    CHECK(fitter.fit(Runs<S>(runs.N, runs.D, runs.loss)).theta == whole.theta);
  }
}

TEST_CASE_TEMPLATE("a fitter says what fit says", S, double, long double) {
  FitOptions<S> options;
  agrees<S>(Chinchilla{}, designs::hoffmann<S>(), options);
  agrees<S>(Kaplan{}, kaplan<S>(), options);
  agrees<S>(DroppoElibol{}, droppo<S>(), options);
  options.space = Space::log_loss;
  options.solver.objective.kind = ObjectiveKind::huber;
  agrees<S>(Chinchilla{}, designs::hoffmann<S>(), options);
  options.robust_scale = true;
  agrees<S>(Chinchilla{}, designs::hoffmann<S>(), options);
}

/// Counts the allocations of a second fit of the same size, of other losses.
template <typename S, typename Law>
void allocates_nothing(Law law, const Parameters<S>& theta, const FitOptions<S>& options, Index counts, bool weighted = false) {
  Fitter<S> fitter(law, options);
  const Columns<S> first = table<S>(fitter.law(), theta, 8, counts), second = table<S>(fitter.law(), theta, 8, counts, 7);
  const Vector<S> weight = weighted ? Vector<S>(Vector<S>::LinSpaced(first.N.size(), S(1), S(2))) : Vector<S>();
  REQUIRE(fitter.fit(first.N, first.D, first.loss, weight));
  const int before = count::allocations;
  count::start();
  const bool fitted = bool(fitter.fit(second.N, second.D, second.loss, weight));
  count::stop();
  CHECK(fitted);
  CHECK(count::allocations == before);
}

TEST_CASE_TEMPLATE("a global fit allocates nothing after the first of its size", S, double, long double) {
  for (const Space space : {Space::loss, Space::log_loss})
    for (const ObjectiveKind objective : {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::cauchy}) {
      FitOptions<S> options;
      options.space = space;
      options.solver.objective.kind = objective;
      for (const Index counts : {7, 25}) allocates_nothing<S>(Chinchilla{}, designs::hoffmann<S>(), options, counts);
      allocates_nothing<S>(Chinchilla{}, designs::hoffmann<S>(), options, 7, true);
    }
  FitOptions<S> options;
  allocates_nothing<S>(Kaplan{}, kaplan<S>(), options, 7);
  allocates_nothing<S>(DroppoElibol{}, droppo<S>(), options, 7);
  allocates_nothing<S>(Chinchilla{}, designs::hoffmann<S>(), options, 600);  // more runs than the grid looks at
  options.start = designs::hoffmann<S>();
  allocates_nothing<S>(Chinchilla{}, designs::hoffmann<S>(), options, 7);
}

/// Nor does a law of another form where a start is given, nor one whose rank takes singular values.
TEST_CASE_TEMPLATE("other fits that allocate nothing", S, double, long double) {
  Parameters<S> theta(7);
  theta << S(1.86), S(490), S(1500), S(.35), S(.353), S(5.8), S(14.9);
  FitOptions<S> options;
  options.start = theta;
  Fitter<S> fitter(RepeatedData{}, options);
  const auto grid = designs::grid<S>();
  Vector<S> U = grid.D, loss(grid.N.size());
  for (Index i = 0; i < U.size(); ++i) U[i] /= S(1 + 3 * (i % 5));
  Jacobian<S> none(loss.size(), 0);
  fitter.law().evaluate(theta, Inputs<S>(grid.N, grid.D, U), loss, none);
  const Vector<S> other = loss + S(.001) * designs::noise<S>(loss.size());
  REQUIRE(fitter.fit(grid.N, grid.D, loss, {}, U));
  const int before = count::allocations;
  count::start();
  fitter.fit(grid.N, grid.D, other, {}, U);
  count::stop();
  CHECK(fitter.result().converged());
  CHECK(count::allocations == before);

  // Without a repetition the decay constants are not in the losses at all.
  const Vector<S> fresh =
      designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), grid) + S(.001) * designs::noise<S>(loss.size());
  REQUIRE(fitter.fit(grid.N, grid.D, fresh));
  count::start();
  fitter.fit(grid.N, grid.D, fresh);
  count::stop();
  CHECK(fitter.result().status == Status::rank_deficient);
  CHECK(count::allocations == before);
}

TEST_CASE_TEMPLATE("reserved, the first fit allocates nothing", S, double, long double) {
  Fitter<S> fitter(Chinchilla{});
  const Columns<S> runs = table<S>(fitter.law(), designs::hoffmann<S>(), 8, 30);
  fitter.reserve(300);
  // The lists of the search, whose length no number of runs tells.
  REQUIRE(
      fitter.fit(Span<S>(runs.N.data(), Index(40)), Span<S>(runs.D.data(), Index(40)), Span<S>(runs.loss.data(), Index(40))));
  const int before = count::allocations;
  count::start();
  const bool fitted = bool(fitter.fit(runs.N, runs.D, runs.loss));
  count::stop();
  CHECK(fitted);
  CHECK(count::allocations == before);
}

TEST_CASE_TEMPLATE("input that no fit can use", S, double, long double) {
  static_assert(noexcept(std::declval<Fitter<S>&>().fit(Span<S>(), Span<S>(), Span<S>())));
  Fitter<S> fitter(Chinchilla{});
  Columns<S> runs = table<S>(fitter.law(), designs::hoffmann<S>(), 8, 7);
  CHECK(fitter.fit(runs.N, runs.D, runs.loss).converged());
  runs.loss[4] = S(-1);
  const FitResult<S>& result = fitter.fit(runs.N, runs.D, runs.loss);
  CHECK(!result);
  CHECK(!result.converged());
  CHECK(result.message() == "loss[4] = -1: every value must be positive and finite");
  CHECK(result.error.argument() == "loss");
  CHECK(result.error.row() == 4);
  CHECK(result.error.value() == -1);
  const std::vector<S> two{S(1), S(2)};
  CHECK(fitter.fit(two, runs.D, runs.loss).message() == "D has 56 values, but N has 2: one value per run is needed");
  CHECK(fitter.fit(two, two, two).message() == "5 free parameters of chinchilla need at least as many runs; got 2");
  CHECK(fitter.fit({}, {}, {}).message() == "N is empty: there are no runs to fit");
  fitter.constraints() = Constraints<S>(any_law<S, Kaplan>());
  runs.loss[4] = S(3);
  CHECK(fitter.fit(runs.N, runs.D, runs.loss).message() == "constraints: they are those of kaplan, the law is chinchilla");
  // The workspace is as good as new.
  fitter.constraints() = Constraints<S>(fitter.law());
  CHECK(fitter.fit(runs.N, runs.D, runs.loss));
}

/// A law that throws, for the sake of the test.
struct Throws {
  static constexpr std::string_view name = "throws";
  static constexpr std::array parameters{offray::floor("E")};
  template <typename S>
  void evaluate(CRef<Parameters<S>>, const Inputs<S>&, Ref<Vector<S>>, Ref<Jacobian<S>>) const {
    throw std::runtime_error("no loss today");
  }
};

TEST_CASE("what a law throws becomes a message") {
  const std::array<double, 3> x{1, 2, 3};
  CHECK(Fitter<double>(Throws{}).fit(x, x, x).message() == "no loss today");
}

TEST_CASE_TEMPLATE("values instead of exceptions", S, double, long double) {
  const std::vector<S> good{S(1), S(2), S(3)}, bad{S(1), S(0), S(3)};
  const auto runs = Runs<S>::make(good, good, good);
  REQUIRE(runs);
  CHECK(runs->size() == 3);
  CHECK(!runs.error());
  const auto none = Runs<S>::make(good, bad, good);
  CHECK(!none);
  CHECK(std::string(none.error().what()) == "D[1] = 0: every value must be positive and finite");
  CHECK(Inputs<S>::make(good, good, bad).error().row() == 1);
  CHECK(try_fit<S>(Chinchilla{}, *runs).error().message() ==
        "5 free parameters of chinchilla need at least as many runs; got 3");

  Constraints<S> constraints(any_law<S, Chinchilla>());
  CHECK(constraints.try_fix("gamma", S(1)).message() ==
        "fixed: unknown parameter 'gamma'; chinchilla has E, A, B, alpha, beta");
  CHECK(constraints.try_bound("E", S(2), S(1)));
  CHECK(!constraints.try_tie("alpha", "beta"));

  const std::string long_name(1000, 'x');
  const InputError cut = constraints.try_fix(long_name, S(1));
  CHECK(cut.message().size() < long_name.size());
}

/// What a view can be made of, and what it cannot.
TEST_CASE_TEMPLATE("spans", S, double, long double) {
  static_assert(std::is_convertible_v<std::vector<S>, Span<S>>);
  static_assert(std::is_convertible_v<std::array<S, 4>, Span<S>>);
  static_assert(std::is_convertible_v<Vector<S>, Span<S>>);
  static_assert(std::is_convertible_v<Eigen::Map<const Vector<S>>, Span<S>>);
  static_assert(!std::is_convertible_v<std::vector<float>, Span<S>>);
  static_assert(!std::is_convertible_v<Jacobian<S>, Span<S>>);
  static_assert(!std::is_convertible_v<Eigen::Map<Vector<S>, 0, Eigen::InnerStride<>>, Span<S>>);
  const std::vector<S> three{S(1), S(2), S(3)};
  const Span<S> view = three;
  CHECK(view.size() == 3);
  CHECK(view[2] == S(3));
  CHECK(view.vector().sum() == S(6));
}

}  // namespace
