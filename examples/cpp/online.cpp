// SPDX-License-Identifier: Apache-2.0
// A training job that keeps an eye on its own scaling law: every checkpoint is added, the loss at the end is forecast, and the
// job may stop and go on where it was.
#include <cstdio>
#include <offray/offray.hpp>
#include <string>

namespace {

/// What a training loop would measure.
double measured_loss(double N, double D) { return 1.69 + 406.4 * std::pow(N, -0.34) + 410.7 * std::pow(D, -0.28); }

}  // namespace

int main() {
  offray::OnlineFit<double> online(offray::Chinchilla{});
  online.reserve(200);

  const double last_tokens = 2e11;
  std::string checkpoint;
  for (const double N : {2e7, 6e7, 2e8, 6e8}) {
    for (double D = 1e9; D < last_tokens; D *= 1.6) {
      const auto id = online.add({N, D, measured_loss(N, D)});
      if (!id) {
        std::printf("not added: %s\n", id.error().what());
        return 1;
      }
      if (!online.refit().converged()) continue;  // too few checkpoints yet, or all of one size
    }
    const auto forecast = online.forecast(N, last_tokens);
    const auto known = online.determined();
    if (forecast && known)
      std::printf("%2ld checkpoints: loss at %.0e tokens %.4f, from %.4f to %.4f; %s\n", static_cast<long>(online.size()),
                  last_tokens, forecast->value, forecast->run_lower, forecast->run_upper,
                  known->identified ? "identified" : "not identified");
    checkpoint = online.serialise();  // beside the model's own checkpoint
  }

  auto resumed = offray::OnlineFit<double>::deserialise(checkpoint, offray::Chinchilla{});
  if (!resumed) {
    std::printf("not resumed: %s\n", resumed.error().what());
    return 1;
  }
  const bool same = resumed->refit().theta == online.result().theta;
  std::printf("resumed with %ld checkpoints, %s\n", static_cast<long>(resumed->size()), same ? "the same law" : "another law");
  return same && std::abs(online.result().theta[3] - 0.34) < 1e-6 ? 0 : 1;
}
