// SPDX-License-Identifier: Apache-2.0
// Four threads that fit different data, and const objects that all of them read: what ThreadSanitizer looks at (preset tsan).
#include <array>
#include <thread>
#include <vector>

#include "check.hpp"
#include "streams.hpp"

using namespace offray;

namespace {

constexpr std::size_t kThreads = 4;

/// work(k) on thread k.
template <typename Work>
void together(const Work& work) {
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < kThreads; ++k) threads.emplace_back([&work, k] { work(k); });
  for (std::thread& thread : threads) thread.join();
}

template <typename S>
Runs<S> runs_of(std::size_t k) {
  const auto grid = designs::grid<S>(8, 7);
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), grid);
  loss += S(.01) * designs::noise<S>(loss.size(), static_cast<std::uint32_t>(k + 1));
  return Runs<S>(grid.N, grid.D, loss);
}

/// Every thread fits other data, with everything that a fit can be asked; the same bits as one after the other.
TEST_CASE_TEMPLATE("different data", S, double, long double) {
  struct Said {
    Parameters<S> theta, followed;
    S se, half_width, kappa, upper;
  };
  const auto say = [](std::size_t k) {
    const Runs<S> runs = runs_of<S>(k);
    FitOptions<S> options;
    if (k % 2 == 1) options.solver.objective.kind = ObjectiveKind::huber;
    const Fit<S> whole = fit<S>(Chinchilla{}, runs, options);
    const Fit<S> kaplan = fit<S>(Kaplan{}, runs, options);
    Fitter<S> fitter(Chinchilla{}, options);
    OnlineFit<S> online(Chinchilla{}, options);
    streams::each_run<S>(online.law(), designs::hoffmann<S>(), S(.003), 40, [&](const Run<S>& run, Index) {
      (void)online.add(run);
      online.refit();
    });
    Said out{whole.theta, online.result().theta, {}, {}, {}, {}};
    for (int again = 0; again < 5; ++again) out.theta += fitter.fit(runs).theta;
    out.se = predict(whole, runs.at).se[0];
    out.half_width = student_t_half_width(S(.9), S(5 + k));
    out.kappa = identifiability(kaplan).kappa;
    out.upper = Profile<S>(whole, log_parameter(whole, 0)).interval(S(.95)).upper;
    return out;
  };
  std::array<Said, kThreads> said;
  together([&](std::size_t k) { said[k] = say(k); });
  for (std::size_t k = 0; k < kThreads; ++k) {
    const Said alone = say(k);
    CHECK(said[k].theta == alone.theta);
    CHECK(said[k].followed == alone.followed);
    CHECK(said[k].se == alone.se);
    CHECK(said[k].half_width == alone.half_width);
    CHECK(said[k].kappa == alone.kappa);
    CHECK(said[k].upper == alone.upper);
  }
}

/// One object, asked by all threads at once.
TEST_CASE_TEMPLATE("const objects", S, double, long double) {
  const Runs<S> runs = runs_of<S>(0);
  const Fit<S> shared = fit<S>(Chinchilla{}, runs);
  const Uncertainty<S> uncertainty(shared);
  OnlineFit<S> filled(Chinchilla{});
  streams::each_run<S>(filled.law(), designs::hoffmann<S>(), S(.003), 40,
                       [&](const Run<S>& run, Index) { (void)filled.add(run); });
  filled.refit();
  const OnlineFit<S>& online = filled;
  const S expected = online.forecast(S(1e9), S(1e10))->value;
  std::array<bool, kThreads> same{};
  together([&](std::size_t k) {
    same[k] = shared.rss() == shared.rss() && predict(shared, runs.at, uncertainty).value.allFinite() &&
              findings(shared) == findings(shared) && online.forecast(S(1e9), S(1e10))->value == expected &&
              online.serialise().size() > 100 && online.determined()->rank == 5;
  });
  for (const bool good : same) CHECK(good);
}

TEST_CASE("batches on threads") {
  const Runs<double> runs = runs_of<double>(0);
  const Fit<double> whole = fit<double>(Chinchilla{}, runs);
  const auto one = bootstrap(whole, {40, Resampling::pairs, 1, 1}), four = bootstrap(whole, {40, Resampling::pairs, 1, 4});
  CHECK(one.theta == four.theta);
  Jacobian<double> losses(runs.size(), 12);
  for (Index j = 0; j < losses.cols(); ++j) losses.col(j) = runs_of<double>(static_cast<std::size_t>(j)).loss;
  const auto many = [&](int threads) {
    const AnyLaw<double>& law = any_law<double, Chinchilla>();
    return fit_many<double>(law, runs, losses, {}, Constraints<double>(law), threads).theta;
  };
  CHECK(many(1) == many(4));
}

}  // namespace
