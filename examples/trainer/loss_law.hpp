// SPDX-License-Identifier: Apache-2.0
/// \file
/// What offray makes of the runs so far: a law, forecasts, and the next runs to make. The only file that includes offray is the
/// one that implements this.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace trainer {

/// A run that was made, or may be.
struct Place {
  double params, tokens;
  double loss = 0;   ///< measured
  double flops = 0;  ///< what it costs
};

struct Forecast {
  double loss, low, high;  ///< 95 % interval for a new run; infinite where the runs do not determine it
};

/// A law of N and D, fitted to runs of one corpus in ln L.
class LossLaw {
 public:
  /// Laws have up to six parameters; so many runs at least for one.
  static constexpr std::size_t kFewest = 8;

  /// \param law as offray names it: chinchilla, kaplan, kaplan_floor or droppo_elibol.
  /// \throws std::exception for an unknown one, and for runs that no law can be fitted to.
  LossLaw(const std::vector<Place>& runs, const std::string& law);

  Forecast forecast(const Place& at) const;

  /// The runs of `candidates` that, on top of those fitted, determine the loss at `target` best, within a budget of FLOPs.
  std::vector<std::size_t> next(const std::vector<Place>& candidates, const Place& target, double budget, int most) const;

  /// Estimates, what the runs determine, and the residuals' standard deviation, in a few lines.
  std::string text() const;

 private:
  struct Fitted;
  std::shared_ptr<const Fitted> fitted_;
};

}  // namespace trainer
