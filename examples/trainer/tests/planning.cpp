// SPDX-License-Identifier: Apache-2.0
// Learning rates, lists of runs, and what offray makes of results.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "loss_law.hpp"
#include "random.hpp"
#include "rates.hpp"
#include "sweeps.hpp"

using namespace trainer;

namespace {

TEST_CASE("rates are tried until the best is bracketed, whatever the first") {
  const auto loss = [](double rate) { return 2 + 0.1 * std::pow(std::log(rate / 0.011), 2); };
  for (const double start : {0.001, 0.01, 0.2}) {
    Losses losses;
    while (const auto rate = next_rate(losses, start)) losses[*rate] = loss(*rate);
    CHECK(best_rate(losses) == doctest::Approx(0.011).epsilon(1e-9));
  }
}

TEST_CASE("a power law of rates is found back, also from its file") {
  const RateLaw truth{0.02, -0.1, -0.25};
  std::vector<Tuned> tuned;
  for (const double params : {4e3, 2e4, 1e5})
    for (const double tokens : {3e5, 3e6}) tuned.push_back({params, tokens, truth.at(params, tokens)});
  const std::string path = (std::filesystem::temp_directory_path() / "offray_trainer_rates.csv").string();
  write_rates(path, fit_rates(tuned));
  const RateLaw found = read_rates(path);
  CHECK(found.reference == doctest::Approx(0.02).epsilon(1e-4));
  CHECK(found.by_params == doctest::Approx(-0.1).epsilon(1e-4));
  CHECK(found.by_tokens == doctest::Approx(-0.25).epsilon(1e-4));
}

TEST_CASE("the full sweep repeats cells, has a ray, and no run twice") {
  const std::vector<Run> runs = full_sweep("python", {0.015, 0, -0.25});
  CHECK(runs.size() >= 75);
  std::set<std::string> names;
  double largest = 0, least_target = 1e300;
  for (const Run& run : runs) {
    names.insert(run.name());
    CHECK(run.bytes % 128 == 0);
    if (run.role == "target")
      least_target = std::min(least_target, run.flops());
    else
      largest = std::max(largest, run.flops());
    if (run.role == "ray") CHECK(double(run.bytes) / run.params() == doctest::Approx(60).epsilon(1e-3));
  }
  CHECK(names.size() == runs.size());
  CHECK(least_target > 10 * largest);
}

double truth(const Place& at) { return 0.9 + 70 * std::pow(at.params, -0.5) + 900 * std::pow(at.tokens, -0.6); }

std::vector<Place> measured(const std::vector<double>& sizes, const std::vector<double>& lengths) {
  Random random(1);
  std::vector<Place> out;
  for (const double params : sizes)
    for (const double tokens : lengths) {
      Place at{params, tokens, 0, 6 * params * tokens};
      at.loss = truth(at) * std::exp(0.005 * random.normal());
      out.push_back(at);
    }
  return out;
}

TEST_CASE("forecasts cover larger runs, and are wider for them") {
  const LossLaw law(measured({4e3, 1e4, 3e4, 1e5}, {3e5, 1e6, 3e6}), "chinchilla");
  const Place near{2e4, 1e6}, far{1e6, 3e7};
  const Forecast a = law.forecast(near), b = law.forecast(far);
  CHECK((a.low < truth(near) && truth(near) < a.high));
  CHECK((b.low < truth(far) && truth(far) < b.high));
  CHECK(b.high - b.low > a.high - a.low);
  CHECK(law.text().find("alpha = ") != std::string::npos);
}

TEST_CASE("any law of N and D can forecast") {
  const std::vector<Place> runs = measured({4e3, 1e4, 3e4, 1e5}, {3e5, 1e6, 3e6});
  for (const char* name : {"kaplan", "kaplan_floor", "droppo_elibol"}) {
    const Forecast at = LossLaw(runs, name).forecast({2e4, 1e6});
    CHECK(at.loss == doctest::Approx(truth({2e4, 1e6})).epsilon(0.05));
  }
  CHECK_THROWS(LossLaw(runs, "no such law"));
}

TEST_CASE("suggested runs obey the budget and narrow the forecast of the target") {
  std::vector<Place> made = measured({4e3, 1e4, 3e4}, {3e5, 6e5, 1e6});
  std::vector<Place> open = measured({4e3, 1e4, 3e4, 1e5, 3e5}, {3e5, 1e6, 3e6, 1e7});
  const Place target{1e6, 3e7};
  const auto width = [&](const LossLaw& law) {
    const Forecast at = law.forecast(target);
    return std::log(at.high / at.low);
  };
  const double before = width(LossLaw(made, "chinchilla"));
  const std::vector<std::size_t> next = LossLaw(made, "chinchilla").next(open, target, 1e13, 4);
  CHECK((!next.empty() && next.size() <= 4));
  double cost = 0;
  for (const std::size_t i : next) {
    cost += open[i].flops;
    made.push_back(open[i]);
  }
  CHECK(cost <= 1e13);
  CHECK(width(LossLaw(made, "chinchilla")) < before / 2);
  CHECK(LossLaw(made, "chinchilla").next(open, target, 1, 4).empty());
}

}  // namespace
