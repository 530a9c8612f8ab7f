// SPDX-License-Identifier: Apache-2.0
// OnlineFit: the batch fit at every step of a stream, with removals; what it says of a run to come; and text.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "designs.hpp"
#include "streams.hpp"

using namespace offray;

namespace {

/// Compares an OnlineFit with the batch fit after every change of a stream.
template <typename S>
struct Stream {
  OnlineFit<S> online;
  FitOptions<S> options;
  int followed = 0, searched = 0, lower = 0;

  void check() {
    const OnlineResult<S>& result = online.refit();
    const Expected<Fit<S>> batch = try_fit_any<S>(online.law(), online.runs(), options, Constraints<S>(online.law()));
    REQUIRE(bool(result) == batch.has_value());
    if (!result) {
      CHECK(result.message() == batch.error().message());
      return;
    }
    (result.searched == Searched::followed ? followed : searched)++;
    const S F = result.objective, G = batch->summary.objective;
    // Where both ended in rounding, as exact losses make it, neither is the better one.
    const S rounding = S(online.size()) * std::pow(S(1e3) * std::numeric_limits<S>::epsilon(), S(2));
    if (F < G * (S(1) - S(1e-9)) - rounding) {
      ++lower;  // a search that missed what an earlier one had found
      return;
    }
    CHECK(F <= G * (S(1) + S(1e-10)) + rounding);
    if (!batch->converged()) return;
    CHECK(result.converged());
    // Known to 1e-10 where the runs tell them to that: an error of eps y in every loss moves theta by kappa_2 times as much.
    const S tolerance = std::max(S(1e-10), S(64) * std::numeric_limits<S>::epsilon() / batch->summary.inverse_condition);
    CHECK(((result.theta - batch->theta).array().abs() <= tolerance * batch->theta.array().abs()).all());
  }
};

template <typename S>
void whole_stream(const AnyLaw<S>& law, const Parameters<S>& theta, const FitOptions<S>& options, S noise, Index runs) {
  if (sizeof(S) > sizeof(double)) runs = 2 * runs / 3;  // each takes ten times as long
  Stream<S> stream{OnlineFit<S>(law.shared_from_this(), options), options};
  std::vector<RunId> ids;
  streams::each_run<S>(law, theta, noise, runs, [&](const Run<S>& run, Index i) {
    const Expected<RunId> id = stream.online.add(run);
    REQUIRE(id);
    ids.push_back(*id);
    if (i % 9 == 5) {  // some go again
      const std::size_t at = static_cast<std::size_t>(i) * 7 % ids.size();
      CHECK(stream.online.remove(ids[at]));
      CHECK(!stream.online.remove(ids[at]));
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at));
    }
    stream.check();
  });
  CHECK(stream.online.ids() == ids);
  CHECK(stream.online.size() == static_cast<Index>(ids.size()));
  CHECK(stream.lower <= 2);
  INFO(std::string(law.name), ": followed ", stream.followed, ", searched ", stream.searched, ", lower ", stream.lower);
  CHECK(stream.followed > stream.searched);
}

TEST_CASE_TEMPLATE("equal to the batch fit at every step", S, double, long double) {
  FitOptions<S> options;
  whole_stream<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), options, S(.003), 240);
  whole_stream<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), options, S(0), 160);
  options.space = Space::log_loss;
  whole_stream<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), options, S(.003), 160);
  options.solver.objective.kind = ObjectiveKind::huber;
  options.solver.objective.delta = S(.002);
  whole_stream<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), options, S(.003), 160);
  options = {};
  options.solver.objective.kind = ObjectiveKind::soft_l1;
  options.solver.objective.delta = S(.005);
  whole_stream<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), options, S(.003), 160);
}

TEST_CASE_TEMPLATE("other laws", S, double, long double) {
  const FitOptions<S> options;
  whole_stream<S>(any_law<S, Kaplan>(), streams::kaplan<S>(), options, S(.002), 160);
  whole_stream<S>(any_law<S, DroppoElibol>(), streams::droppo<S>(), options, S(.0005), 160);
  whole_stream<S>(any_law<S, KaplanFloor>(), streams::kaplan_floor<S>(), options, S(.0005), 160);
}

TEST_CASE_TEMPLATE("a law of unique tokens", S, double, long double) {
  Parameters<S> theta(7);
  theta << S(1.86), S(490), S(1500), S(.35), S(.353), S(5.8), S(14.9);
  const AnyLaw<S>& law = any_law<S, RepeatedData>();
  Stream<S> stream{OnlineFit<S>(law.shared_from_this()), {}};
  streams::each_run<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), S(0), 60, [&](Run<S> run, Index i) {
    run.unique_tokens = run.D / S(1 + 3 * (i % 5));
    const Vector<S> N = Vector<S>::Constant(1, run.N), D = Vector<S>::Constant(1, run.D),
                    U = Vector<S>::Constant(1, run.unique_tokens);
    Vector<S> loss(1);
    Jacobian<S> none(1, 0);
    law.evaluate(theta, Inputs<S>(N, D, U), loss, none);
    run.loss = loss[0] * (S(1) + S(.001) * designs::noise<S>(1, static_cast<std::uint32_t>(i + 1))[0]);
    REQUIRE(stream.online.add(run));
    if (i > 30) stream.check();
  });
  CHECK(stream.online.forecast(S(1e8), S(1e10), S(.95), S(1e9))->value > S(1.86));
}

/// Weights, constraints, and objectives that every refit searches for.
TEST_CASE_TEMPLATE("other problems", S, double, long double) {
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  for (const ObjectiveKind kind : {ObjectiveKind::cauchy, ObjectiveKind::absolute}) {
    FitOptions<S> options;
    options.solver.objective.kind = kind;
    Stream<S> stream{OnlineFit<S>(law.shared_from_this(), options), options};
    streams::each_run<S>(law, designs::hoffmann<S>(), S(.003), 40, [&](const Run<S>& run, Index) {
      REQUIRE(stream.online.add(run));
      stream.check();
    });
    CHECK(stream.online.result().searched == Searched::not_followable);
  }
  Stream<S> weighted{OnlineFit<S>(law.shared_from_this()), {}};
  OnlineFit<S> tied(law.shared_from_this(), {}, Constraints<S>(law).tie("alpha", "beta").fix("E", S(1.69)));
  streams::each_run<S>(law, designs::hoffmann<S>(), S(.003), 80, [&](Run<S> run, Index i) {
    if (i > 20) run.weight = S(1 + i % 3);
    REQUIRE(weighted.online.add(run));
    weighted.check();
    REQUIRE(tied.add(run));
    if (!tied.refit()) return;
    const Fit<S> batch = fit<S>(Chinchilla{}, tied.runs(), {}, Constraints<S>(law).tie("alpha", "beta").fix("E", S(1.69)));
    CHECK_CLOSE(tied.result().theta[3], batch.theta[3], 1e-10);
    CHECK(tied.result().theta[0] == S(1.69));
  });
}

/// A run that the law cannot explain, and a change of regime.
TEST_CASE_TEMPLATE("surprises call for a search", S, double, long double) {
  OnlineFit<S> online(Chinchilla{});
  streams::each_run<S>(online.law(), designs::hoffmann<S>(), S(.003), 60,
                       [&](const Run<S>& run, Index) { REQUIRE(online.add(run)); });
  CHECK(online.refit().searched == Searched::first);
  CHECK(!online.stale());
  REQUIRE(online.add({S(2e7), S(1e8), S(4.2)}));
  CHECK(online.stale());
  CHECK(online.refit().searched == Searched::surprised);
  const RunId bad = online.ids().back();
  CHECK(online.remove(bad));
  online.refit();
  CHECK(online.result().theta.isApprox(fit<S>(Chinchilla{}, online.runs()).theta, S(1e-10)));
  // A stream grows by a quarter.
  int searches = 0;
  streams::each_run<S>(online.law(), designs::hoffmann<S>(), S(.003), 60, [&](const Run<S>& run, Index) {
    REQUIRE(online.add(run));
    searches += online.refit().searched == Searched::changed;
  });
  CHECK(searches == 2);
}

TEST_CASE_TEMPLATE("input that is refused", S, double, long double) {
  OnlineFit<S> online(Chinchilla{});
  CHECK(online.add({S(-1), S(1), S(1)}).error().argument() == "N");
  CHECK(online.add({S(1), S(1), std::numeric_limits<S>::quiet_NaN()}).error().argument() == "loss");
  CHECK(online.add({S(1), S(1), S(1), S(0)}).error().argument() == "weight");
  CHECK(online.add({S(1), S(1), S(1), S(1), S(0)}).error().argument() == "unique_tokens");
  CHECK(online.size() == 0);
  CHECK(online.refit().message() == "N is empty: there are no runs to fit");
  CHECK(*online.add({S(1e7), S(1e9), S(3)}) == 0);
  CHECK(online.fit().error().message() == "runs came or went since the last refit()");
  CHECK(online.refit().message() == "5 free parameters of chinchilla need at least as many runs; got 1");
  CHECK(!online.forecast(S(1e8), S(1e10)));
  CHECK(!online.determined());
  CHECK(!online.remove(7));
  CHECK(online.remove(0));
  CHECK(*online.add({S(1e7), S(1e9), S(3)}) == 1);
}

TEST_CASE_TEMPLATE("forecasts and what is determined", S, double, long double) {
  for (const Space space : {Space::loss, Space::log_loss}) {
    FitOptions<S> options;
    options.space = space;
    OnlineFit<S> online(Chinchilla{}, options);
    streams::each_run<S>(online.law(), designs::hoffmann<S>(), S(.003), 60,
                         [&](const Run<S>& run, Index) { REQUIRE(online.add(run)); });
    online.refit();
    const Fit<S> whole = *online.fit();
    const Vector<S> N = Vector<S>::Constant(1, S(1e9)), D = Vector<S>::Constant(1, S(2e10));
    const Prediction<S> expected = predict(whole, Inputs<S>(N, D));
    const Forecast<S> at = *online.forecast(S(1e9), S(2e10));
    CHECK_CLOSE(at.value, expected.value[0], 1e-12);
    CHECK_CLOSE(at.se, expected.se[0], 1e-12);
    CHECK((at.run_lower < at.lower && at.lower < at.value && at.value < at.upper && at.upper < at.run_upper));
    CHECK_CLOSE(at.upper - at.lower, 2 * student_t_half_width(S(.95), S(55)) * at.se, .01);
    CHECK(!online.forecast(S(1e9), S(2e10), S(1)));
    CHECK(!online.forecast(S(0), S(2e10)));

    const Determined<S> known = *online.determined();
    CHECK(known.rank == 5);
    CHECK(known.unknowns == 5);
    CHECK_CLOSE(known.kappa, conditioning(whole).kappa(), 1e-12);
    CHECK(known.identified == identifies(findings(whole)));
    CHECK(whole.basins.size() == static_cast<std::size_t>(online.result().basins));
  }
  // One ray tells no term from the other.
  OnlineFit<S> ray(Chinchilla{});
  const auto table = designs::ray<S>(S(20), 30);
  const Vector<S> loss = designs::losses(ray.law(), designs::hoffmann<S>(), table) + S(.003) * designs::noise<S>(30);
  for (Index i = 0; i < 30; ++i) REQUIRE(ray.add({table.N[i], table.D[i], loss[i]}));
  ray.refit();
  CHECK(!ray.determined()->identified);
}

/// Stopped anywhere and resumed, a stream goes on with the same bits.
TEST_CASE_TEMPLATE("text and back", S, double, long double) {
  FitOptions<S> options;
  options.solver.objective.kind = ObjectiveKind::huber;
  options.solver.objective.delta = S(.1);
  const Constraints<S> constraints = Constraints<S>(any_law<S, Chinchilla>()).bound("E", S(.1), S(3));
  OnlineFit<S> straight(Chinchilla{}, options, constraints), stopped(Chinchilla{}, options, constraints);
  streams::each_run<S>(straight.law(), designs::hoffmann<S>(), S(.003), 90, [&](const Run<S>& run, Index i) {
    REQUIRE(straight.add(run));
    REQUIRE(stopped.add(run));
    if (i % 3 == 0) CHECK(straight.remove(i / 3) == stopped.remove(i / 3));
    if (i % 5 == 0) {  // before the refit
      auto again = OnlineFit<S>::deserialise(stopped.serialise(), Chinchilla{});
      REQUIRE(again);
      CHECK(again->serialise() == stopped.serialise());
      stopped = *std::move(again);
    }
    straight.refit();
    stopped.refit();
    if (i % 7 == 0) {  // after it
      auto again = OnlineFit<S>::deserialise(stopped.serialise(), Chinchilla{});
      REQUIRE(again);
      CHECK(again->result().theta == straight.result().theta);
      if (straight.result()) {
        const auto before = straight.forecast(S(1e9), S(1e10)), after = again->forecast(S(1e9), S(1e10));
        CHECK(before->value == after->value);
        CHECK(before->se == after->se);
      }
      stopped = *std::move(again);
    }
    CHECK(straight.result().theta == stopped.result().theta);
    CHECK(straight.result().searched == stopped.result().searched);
    CHECK(straight.ids() == stopped.ids());
  });
  CHECK(straight.serialise() == stopped.serialise());
  CHECK(straight.result().converged());
}

TEST_CASE_TEMPLATE("text that is none", S, double, long double) {
  OnlineFit<S> online(Chinchilla{});
  streams::each_run<S>(online.law(), designs::hoffmann<S>(), S(.003), 20,
                       [&](const Run<S>& run, Index) { REQUIRE(online.add(run)); });
  online.refit();
  const std::string text = online.serialise();
  const auto refuses = [](const std::string& damaged) { return !OnlineFit<S>::deserialise(damaged, Chinchilla{}); };
  CHECK(refuses(""));
  CHECK(refuses("checksum"));
  for (std::size_t i = 0; i < text.size(); i += 17) {
    std::string damaged = text;
    damaged[i] = damaged[i] == '7' ? '8' : '7';
    CHECK(refuses(damaged));
    CHECK(refuses(text.substr(0, i)));
  }
  // A valid checksum over something else.
  for (const char* other : {"offray-online 2 53\n", "offray-online 1 7\n", "a b c\n", "offray-online"}) {
    CHECK(refuses(detail::TextWriter().word(other).line().finish()));
  }
  CHECK(OnlineFit<S>::deserialise(text, Kaplan{}).error().argument() == "law");
  CHECK(!OnlineFit<S>::deserialise(detail::TextWriter().word("offray-online").integer(9).finish(), Chinchilla{}));
}

TEST_CASE_TEMPLATE("numbers as text", S, double, long double) {
  using Limits = std::numeric_limits<S>;
  for (const S x : {S(0), -S(0), S(1), S(-1) / S(3), Limits::min(), Limits::denorm_min(), Limits::max(), Limits::lowest(),
                    Limits::infinity(), -Limits::infinity(), S(1) + Limits::epsilon()}) {
    const std::string text = detail::TextWriter().number(x).finish();
    detail::TextReader in(text);
    const S back = in.number<S>();
    CHECK(in.ok());
    CHECK(back == x);
    CHECK(std::signbit(back) == std::signbit(x));
  }
  const std::string text = detail::TextWriter().number(Limits::quiet_NaN()).finish();
  CHECK(std::isnan(detail::TextReader(text).number<S>()));
}

}  // namespace
