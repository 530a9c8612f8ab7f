// SPDX-License-Identifier: Apache-2.0
/// \file
/// One of the library's main paths, a given number of times, for .ci/instructions.py to count under Callgrind.
///
///     instructions                 the paths, one a line, after the compiler
///     instructions PATH REPEATS    runs one; exit code 1 where a fit does not converge
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

#include "simulated.hpp"

namespace {

using namespace offray;

constexpr Index kRuns = 240;

struct Data {
  Runs<double> chinchilla = bench::simulated<double, Chinchilla>(kRuns, designs::hoffmann<double>());
  Runs<double> kaplan = bench::simulated<double, Kaplan>(kRuns, bench::kaplan<double>());
  Fit<double> fitted = fit<double>(Chinchilla{}, chinchilla);
  std::unique_ptr<OnlineFit<double>> online = followed(chinchilla);

  static std::unique_ptr<OnlineFit<double>> followed(const Runs<double>& runs) {
    auto out = std::make_unique<OnlineFit<double>>(Chinchilla{});
    out->reserve(kRuns + 1);
    for (Index i = 0; i < kRuns; ++i) (void)out->add({std::exp(runs.at.log_N[i]), std::exp(runs.at.log_D[i]), runs.loss[i]});
    out->refit();
    return out;
  }
};

bool fit_from_start(const Data& data) {
  return fit<double>(Chinchilla{}, data.chinchilla, bench::from_start<double>()).converged();
}

bool global_fit(const Data& data) { return fit<double>(Chinchilla{}, data.chinchilla).converged(); }

bool log_huber_global(const Data& data) {
  FitOptions<double> options;
  options.space = Space::log_loss;
  options.solver.objective.kind = ObjectiveKind::huber;
  return fit<double>(Chinchilla{}, data.chinchilla, options).converged();
}

bool kaplan_global(const Data& data) { return fit<double>(Kaplan{}, data.kaplan).converged(); }

/// Ten replicates of a seed: what one costs depends on what it draws.
bool bootstrap_refits(const Data& data) {
  const auto replicates = bootstrap(data.fitted, {10, Resampling::pairs, 0, 1});
  return std::all_of(replicates.status.begin(), replicates.status.end(),
                     [](Status status) { return status == Status::converged; });
}

/// A run comes, and goes again: two refits from the last optimum.
bool online_refits(const Data& data) {
  OnlineFit<double>& online = *data.online;
  const auto id = online.add({3e7, 2e8, 4.8});
  const bool came = online.refit().converged();
  online.remove(*id);
  return came && online.refit().converged();
}

struct Path {
  std::string_view name;
  bool (*run)(const Data&);
};

constexpr Path kPaths[] = {
    {"fit-from-start", fit_from_start}, {"global-fit", global_fit},      {"log-huber-global", log_huber_global},
    {"kaplan-global", kaplan_global},   {"bootstrap", bootstrap_refits}, {"online", online_refits},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cout << OFFRAY_COMPILER << "\n";
    for (const Path& path : kPaths) std::cout << path.name << "\n";
    return 0;
  }
  const Data data;
  for (const Path& path : kPaths) {
    if (path.name != argv[1]) continue;
    for (int k = std::atoi(argv[2]); k > 0; --k)
      if (!path.run(data)) {
        std::cerr << path.name << " did not converge\n";
        return 1;
      }
    return 0;
  }
  std::cerr << "unknown path " << argv[1] << "\n";
  return 1;
}
