// SPDX-License-Identifier: Apache-2.0
// Random numbers, threads, bootstrap replicates and fits of many data sets.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
Runs<S> noisy(bool weighted = false) {
  const auto table = designs::grid<S>();
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  loss += S(.01) * designs::noise<S>(loss.size());
  Runs<S> out(table.N, table.D, loss);
  if (weighted) out.weight = (S(1.5) + designs::noise<S>(loss.size(), 7).array()).matrix();
  return out;
}

template <typename S>
Fit<S> tied(const Runs<S>& runs) {
  return fit<S>(Chinchilla{}, runs, {}, Constraints<S>(any_law<S, Chinchilla>()).tie("alpha", "beta"));
}

/// The same bits, NaN included.
template <typename S>
bool same(const Bootstrap<S>& a, const Bootstrap<S>& b) {
  const auto equal = [](S x, S y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return a.status == b.status && a.finished == b.finished && a.theta.binaryExpr(b.theta, equal).all() &&
         a.objective.binaryExpr(b.objective, equal).all();
}

/// The known answers that the authors publish with the generator.
TEST_CASE("known answers") {
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(
      (detail::Philox::block({0, 0, 0, 0}, {0, 0}) == detail::Philox::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  CHECK((detail::Philox::block({ones, ones, ones, ones}, {ones, ones}) ==
         detail::Philox::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  CHECK((detail::Philox::block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
         detail::Philox::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  detail::RandomStream random(std::uint64_t{2} << 32 | 1, std::uint64_t{4} << 32 | 3);
  for (std::uint32_t block = 0; block < 9; ++block)
    for (const std::uint32_t word : detail::Philox::block({block, 0, 3, 4}, {1, 2})) CHECK(random.bits() == word);
}

/// Every value is drawn as often as the others to within 5 standard deviations, where 2^32 is far from a multiple too.
TEST_CASE("unbiased") {
  constexpr int kDraws = 60000;
  detail::RandomStream random(1, 2);
  std::array<int, 6> times{};
  int sum = 0;
  for (int k = 0; k < kDraws; ++k) {
    ++times[random.below(6)];
    sum += random.sign();
  }
  for (const int count : times) CHECK(std::abs(count - kDraws / 6) < 5 * std::sqrt(kDraws * 5. / 36));
  CHECK(std::abs(sum) < 5 * std::sqrt(double(kDraws)));
  int low = 0;
  for (int k = 0; k < kDraws; ++k) low += random.below(3u << 30) < 1u << 30 ? 1 : 0;
  CHECK(std::abs(low - kDraws / 3) < 5 * std::sqrt(kDraws * 2. / 9));
}

TEST_CASE("chunks") {
  std::vector<int> done(1000);
  const auto mark = [&] { return [&](Index i) { ++done[static_cast<std::size_t>(i)]; }; };
  Index last = -1;
  const Index finished = detail::in_chunks(1000, 7, 3, mark, [&](Index now, Index total) {
    CHECK((now >= last && total == 1000));
    last = now;
    return true;
  });
  CHECK((finished == 1000 && last == 1000));
  CHECK(std::all_of(done.begin(), done.end(), [](int times) { return times == 1; }));

  // After a stop the pieces done are the first ones.
  std::fill(done.begin(), done.end(), 0);
  const auto below_100 = [](Index now, Index) { return now < 100; };
  const Index kept = detail::in_chunks(1000, 7, 3, mark, below_100);  // all of them, where the other threads were that quick
  CHECK(kept >= 7);
  for (Index i = 0; i < 1000; ++i) CHECK(done[static_cast<std::size_t>(i)] == (i < kept ? 1 : 0));
  CHECK(detail::in_chunks(1000, 7, 1, mark, below_100) == 105);

  // The first failure is the one that comes out, whichever thread met it.
  const auto fail = [] {
    return [](Index i) {
      if (i >= 300) throw InvalidInput("piece " + std::to_string(i));
    };
  };
  CHECK_MESSAGE_HAS(detail::in_chunks(1000, 7, 3, fail, {}), "piece 300");
  CHECK_MESSAGE_HAS(detail::in_chunks(10, 1, 2, mark, [](Index, Index) -> bool { throw InvalidInput("from progress"); }),
                    "from progress");
  CHECK_MESSAGE_HAS(detail::thread_count(-1), "threads must be positive");
  CHECK(detail::thread_count(0) >= 1);
}

TEST_CASE_TEMPLATE("same for any number of threads", S, double, long double) {
  const Index replicates = std::is_same_v<S, double> ? 200 : 40;
  FitOptions<S> huber;
  huber.space = Space::log_loss;
  huber.solver.objective.kind = ObjectiveKind::huber;
  FitOptions<S> absolute;
  absolute.solver.objective.kind = ObjectiveKind::absolute;
  const auto check = [&](const Fit<S>& fitted, Index count) {
    for (const Resampling kind : {Resampling::pairs, Resampling::residual, Resampling::wild}) {
      BootstrapOptions options{count, kind, 5, 1};
      const auto one = bootstrap(fitted, options);
      CHECK((one.finished == count && one.theta.allFinite()));
      for (const int threads : {2, 3, 7}) {
        options.threads = threads;
        CHECK(same(one, bootstrap(fitted, options)));
      }
      options.replicates = count / 2;
      CHECK(bootstrap(fitted, options).theta == one.theta.leftCols(count / 2));
      options.seed = 6;
      CHECK(bootstrap(fitted, options).theta != one.theta.leftCols(count / 2));
    }
  };
  check(fit<S>(Chinchilla{}, noisy<S>()), replicates);
  check(fit<S>(Chinchilla{}, noisy<S>(true)), replicates);
  check(fit<S>(Chinchilla{}, noisy<S>(), huber), replicates);
  check(tied(noisy<S>()), replicates / 4);
  if (std::is_same_v<S, double>) check(fit<S>(Chinchilla{}, noisy<S>(), absolute), 8);
}

/// A pairs replicate is the fit of the runs as often as they were drawn.
TEST_CASE_TEMPLATE("pairs are repeated rows", S, double, long double) {
  for (const bool weighted : {false, true})
    for (const bool constrained : {false, true}) {
      const Runs<S> runs = noisy<S>(weighted);
      const Fit<S> fitted = constrained ? tied(runs) : fit<S>(Chinchilla{}, runs);
      const Resampler<S> resampler(fitted, Resampling::pairs, 3, {});
      const auto replicates = bootstrap(fitted, {5, Resampling::pairs, 3, 1});
      std::vector<std::uint32_t> times;
      for (Index k = 0; k < 5; ++k) {
        resampler.draw_groups(k, times);
        std::vector<Index> rows;
        for (Index i = 0; i < runs.size(); ++i) rows.insert(rows.end(), times[static_cast<std::size_t>(i)], i);
        CHECK(static_cast<Index>(rows.size()) == runs.size());
        Runs<S> sample;
        sample.at.log_N = runs.at.log_N(rows);
        sample.at.log_D = runs.at.log_D(rows);
        sample.at.log_U = runs.at.log_U(rows);
        sample.at.repeats = runs.at.repeats(rows);
        sample.loss = runs.loss(rows);
        if (weighted) sample.weight = runs.weight(rows);
        const Fit<S> again = constrained ? tied(sample) : fit<S>(Chinchilla{}, sample);
        CHECK(((again.theta - replicates.theta.col(k)).cwiseQuotient(again.theta).cwiseAbs().maxCoeff() < S(1e-8)));
        CHECK_CLOSE(replicates.objective[k], again.summary.objective, 1e-11);
        CHECK(replicates.status[static_cast<std::size_t>(k)] == again.status());
      }
    }
}

/// New losses come from the fit and its residuals as each kind says.
TEST_CASE_TEMPLATE("losses are as named", S, double, long double) {
  for (const Space space : {Space::loss, Space::log_loss}) {
    FitOptions<S> options;
    options.space = space;
    const Fit<S> fitted = fit<S>(Chinchilla{}, noisy<S>(true), options);
    const Vector<S> r = fitted.residual(), root = fitted.weight().cwiseSqrt();
    const Resampler<S> wild(fitted, Resampling::wild, 1, {}), residual(fitted, Resampling::residual, 1, {});
    const Vector<S> predicted = wild.observed() + r;
    const Vector<S> scaled = root.cwiseProduct(-r), centred = scaled.array() - scaled.mean();
    Vector<S> losses;
    CHECK(wild.draw_losses(4, losses));
    CHECK(((losses - predicted).cwiseAbs() - r.cwiseAbs()).cwiseAbs().maxCoeff() < S(1e-13));
    CHECK(residual.draw_losses(4, losses));
    const Vector<S> drawn = root.cwiseProduct(losses - predicted);
    std::set<Index> donors;
    for (Index i = 0; i < drawn.size(); ++i) {
      Index nearest = 0;
      CHECK((centred.array() - drawn[i]).abs().minCoeff(&nearest) < S(1e-12));
      donors.insert(nearest);
    }
    CHECK((donors.size() > 20 && static_cast<Index>(donors.size()) < drawn.size()));
  }
}

/// Groups are drawn as wholes, keep the order of their residuals up to a rotation, or share a sign.
TEST_CASE_TEMPLATE("groups stay together", S, double, long double) {
  const Fit<S> fitted = fit<S>(Chinchilla{}, noisy<S>());
  const Index n = fitted.runs.size(), size = 7;
  std::vector<Index> labels;
  for (Index i = 0; i < n; ++i) labels.push_back(100 - i % (n / size));  // not in order, and members apart
  const auto group = [&](Index i) { return static_cast<std::size_t>(100 - labels[static_cast<std::size_t>(i)]); };
  const Resampler<S> pairs(fitted, Resampling::pairs, 2, labels);
  std::vector<std::uint32_t> times;
  pairs.draw_groups(0, times);
  CHECK(times.size() == 8);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j)
      CHECK((labels[static_cast<std::size_t>(i)] == labels[static_cast<std::size_t>(j)]) ==
            (pairs.groups().of(i) == pairs.groups().of(j)));

  const Vector<S> r = fitted.residual(), predicted = pairs.observed() + r;
  Vector<S> losses;
  Resampler<S>(fitted, Resampling::wild, 2, labels).draw_losses(0, losses);
  std::vector<int> sign(8, 0);
  for (Index i = 0; i < n; ++i) {
    const int now = (losses[i] - predicted[i]) * r[i] > S(0) ? 1 : -1;
    CHECK((sign[group(i)] == 0 || sign[group(i)] == now));
    sign[group(i)] = now;
  }

  Resampler<S>(fitted, Resampling::residual, 2, labels).draw_losses(0, losses);
  const Vector<S> noise = r.mean() - r.array();
  std::vector<std::set<std::size_t>> donors(8);
  for (Index i = 0; i < n; ++i) {
    Index nearest = 0;
    (noise - Vector<S>::Constant(n, losses[i] - predicted[i])).cwiseAbs().minCoeff(&nearest);
    donors[group(i)].insert(group(nearest));
  }
  for (const auto& donor : donors) CHECK(donor.size() == 1);

  CHECK_MESSAGE_HAS(bootstrap(fitted, {5, Resampling::pairs, 0, 1, {1, 2}}), "group has 2 labels, but there are 56 runs");
  CHECK_MESSAGE_HAS(bootstrap(fitted, {5, Resampling::pairs, 0, 1, std::vector<Index>(56, 3)}), "all runs are in one group");
  CHECK_MESSAGE_HAS(bootstrap(fitted, {0}), "replicates must be positive; got 0");
}

/// Six runs leave some replicates with fewer than five distinct ones: those hold NaN, and the others do not notice.
TEST_CASE_TEMPLATE("failures are counted", S, double, long double) {
  Runs<S> all = noisy<S>(), few;
  const std::array<Index, 6> rows{0, 9, 20, 27, 41, 55};
  few.at.log_N = all.at.log_N(rows);
  few.at.log_D = all.at.log_D(rows);
  few.at.log_U = all.at.log_U(rows);
  few.at.repeats = all.at.repeats(rows);
  few.loss = all.loss(rows);
  const Fit<S> fitted = fit<S>(Chinchilla{}, few);
  const Resampler<S> resampler(fitted, Resampling::pairs, 0, {});
  const auto out = bootstrap(fitted, {60, Resampling::pairs, 0, 2});
  std::vector<std::uint32_t> times;
  Index failed = 0;
  for (Index k = 0; k < 60; ++k) {
    resampler.draw_groups(k, times);
    const bool enough = 6 - std::count(times.begin(), times.end(), 0u) >= 5;
    CHECK(out.theta.col(k).allFinite() == enough);
    CHECK((out.status[static_cast<std::size_t>(k)] == Status::evaluation_failed) == !enough);
    failed += enough ? 0 : 1;
  }
  CHECK((failed > 0 && failed < 60));

  // A residual larger than the loss makes losses that are none.
  Runs<S> odd = all;
  odd.loss[3] += S(40);
  FitOptions<S> robust;
  robust.solver.objective.kind = ObjectiveKind::huber;
  const auto flipped = bootstrap(fit<S>(Chinchilla{}, odd, robust), {20, Resampling::wild, 0, 1});
  const auto lost = std::count(flipped.status.begin(), flipped.status.end(), Status::evaluation_failed);
  CHECK((lost > 0 && lost < 20));
}

TEST_CASE_TEMPLATE("stop keeps what is done", S, double, long double) {
  const Fit<S> fitted = fit<S>(Chinchilla{}, noisy<S>());
  const auto all = bootstrap(fitted, {200, Resampling::pairs, 0, 2});
  const auto some = bootstrap(fitted, {200, Resampling::pairs, 0, 1}, [](Index done, Index) { return done < 40; });
  CHECK((some.finished >= 40 && some.finished < 200));
  CHECK(some.theta.leftCols(some.finished) == all.theta.leftCols(some.finished));
  CHECK(some.theta.rightCols(200 - some.finished).array().isNaN().all());
  CHECK(some.status.back() == Status::evaluation_failed);
}

/// Bit for bit what fit() finds, for shared runs and for sets of their own.
TEST_CASE_TEMPLATE("many are single fits", S, double, long double) {
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  const Runs<S> runs = noisy<S>(true);
  const Index sets = 9;
  Jacobian<S> losses(runs.size(), sets);
  for (Index k = 0; k < sets; ++k)
    losses.col(k) = runs.loss + S(.005) * designs::noise<S>(runs.size(), static_cast<std::uint32_t>(k + 20));
  const auto run = [&](int threads) { return fit_many<S>(law, runs, losses, {}, Constraints<S>(law), threads); };
  const auto one = run(1), three = run(3);
  CHECK((one.finished == sets && one.theta == three.theta && one.objective == three.objective));
  CHECK((one.status == three.status && one.location == three.location));
  const auto runs_of = [&](Index k) {
    Runs<S> out = runs;
    out.loss = losses.col(k);
    return k % 2 == 0 ? out : out.every(2);
  };
  const auto own = fit_many<S>(law, sets, runs_of, {}, Constraints<S>(law), 2);
  for (Index k = 0; k < sets; ++k) {
    const Fit<S> single = fit<S>(Chinchilla{}, runs_of(k));
    CHECK((own.theta.col(k) == single.theta && own.objective[k] == single.summary.objective));
    CHECK((own.status[static_cast<std::size_t>(k)] == single.status() &&
           own.location[static_cast<std::size_t>(k)] == single.location));
    if (k % 2 == 0) CHECK(one.theta.col(k) == single.theta);
  }
  losses(4, 6) = S(-1);
  CHECK_MESSAGE_HAS(run(2), "data set 6: loss[4] = -1");
  CHECK_MESSAGE_HAS(fit_many<S>(law, runs, losses.topRows(5), {}, Constraints<S>(law), 2), "loss has 5 values, but N has 56");
  CHECK_MESSAGE_HAS(fit_many<S>(law, 0, runs_of, {}, Constraints<S>(law)), "there are no data sets");
}

}  // namespace
