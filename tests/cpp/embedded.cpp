// SPDX-License-Identifier: Apache-2.0
// A program without exceptions and run-time types, and with more warnings than the library's own build asks for.
#include <array>
#include <cstdio>
#include <offray/offray.hpp>
#include <vector>

#ifdef __cpp_exceptions
#error "this program is to be compiled without exceptions"
#endif

namespace {

int failures = 0;

void expect(bool good, const char* what) {
  if (good) return;
  std::printf("failed: %s\n", what);
  ++failures;
}

template <typename S>
void check() {
  std::vector<S> N, D, loss;
  for (int i = 0; i < 24; ++i) {
    N.push_back(S(1e7) * std::pow(S(10), S(i % 4) / S(2)));
    D.push_back(S(1e9) * std::pow(S(10), S(i) / S(8)));
    loss.push_back(S(1.69) + S(406.4) * std::pow(N.back(), S(-.34)) + S(410.7) * std::pow(D.back(), S(-.28)));
  }
  offray::Fitter<S> fitter(offray::Chinchilla{});
  expect(fitter.fit(N, D, loss).converged(), "a fit");
  expect(std::abs(fitter.result().theta[3] - S(.34)) < S(1e-8), "its exponent");
#ifdef __cpp_lib_span
  expect(fitter.fit(std::span(N), std::span(D), std::span<const S>(loss)).converged(), "a fit of spans");
#endif

  const auto runs = offray::Runs<S>::make(N, D, loss);
  expect(runs.has_value(), "runs");
  const auto fit = offray::try_fit<S>(offray::Kaplan{}, *runs);
  expect(fit.has_value(), "a whole fit");
  expect(std::isfinite(offray::predict(*fit, runs->at).value[0]), "a prediction");
  expect(offray::identifiability(*fit).kappa > S(1), "what it determines");

  loss[3] = S(0);
  expect(!fitter.fit(N, D, loss) && fitter.result().error.row() == 3, "a bad loss by its row");
  expect(offray::Runs<S>::make(N, D, loss).error().argument() == "loss", "a bad loss by its name");
  expect(bool(fitter.constraints().try_fix("gamma", S(1))), "an unknown parameter");
}

}  // namespace

int main() {
  check<double>();
  check<long double>();
  return failures;
}
