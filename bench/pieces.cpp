// SPDX-License-Identifier: Apache-2.0
/// \file
/// The pieces of one fit, in nanoseconds, as JSON for bench/profile_pieces.py: pieces FILE.csv E A B alpha beta
#include <iomanip>
#include <iostream>
#include <stdexcept>

#include "clock.hpp"
#include "csv.hpp"
#include "flops.hpp"
#include "offray/offray.hpp"
#include "peak.hpp"

namespace {

using namespace offray;
using bench::keep, bench::median_ns;

void row(const char* name, double value, const char* end = ",") {
  std::cout << "  \"" << name << "\": " << std::setprecision(6) << value << end << "\n";
}

void measure(const bench::Input& input) {
  const Runs<double> runs(input.N, input.D, input.loss);
  const Index n = runs.size();
  FitOptions<double> options;
  options.start = input.start;
  const Fit<double> far = fit<double>(Chinchilla{}, runs, options);
  FitOptions<double> at_optimum;
  at_optimum.start = far.theta;
  const Fit<double> near = fit<double>(Chinchilla{}, runs, at_optimum);

  Vector<double> value(n);
  const double* x = runs.at.log_N.data();
  Jacobian<double> J(n, 5), none(n, 0), R(5, 6), augmented(n, 6);
  const Parameters<double> theta = far.theta;
  Chinchilla::evaluate<double>(theta, runs.at, value, J);
  augmented << J, value - runs.loss;

  std::cout << "{\n";
  row("runs", double(n));
  double sum;
  row("peak_gflops", bench::multiply_adds(sum) / median_ns([&] { bench::multiply_adds(sum), keep(sum); }));
  row("exp_flops", bench::kExp);
  row("law_value_flops", bench::law_value(double(n)));
  row("law_jacobian_flops", bench::law_jacobian(double(n)));
  row("tall_qr_flops", bench::tall_qr(double(n), 5));
  row("evaluations", far.summary.evaluations);
  row("evaluations_at_optimum", near.summary.evaluations);
  row("exp", median_ns([&] { detail::kernels<double>().exp(n, -.3, x, value.data()), keep(value); }) / double(n));
  row("log", median_ns([&] { detail::kernels<double>().log(n, x, value.data()), keep(value); }) / double(n));
  row("runs_from_arrays", median_ns([&] { keep(Runs<double>(input.N, input.D, input.loss)); }));
  row("law_value", median_ns([&] { Chinchilla::evaluate<double>(theta, runs.at, value, none), keep(value); }));
  row("law_jacobian", median_ns([&] { Chinchilla::evaluate<double>(theta, runs.at, value, J), keep(J); }));
  // Factorising its own result again costs the same.
  row("tall_qr", median_ns([&] { detail::tall_qr<double>(augmented, R), keep(R); }));
  row("conditioning", median_ns([&] { keep(Conditioning<double>(J)); }));
  row("fit_at_optimum", median_ns([&] { keep(fit<double>(Chinchilla{}, runs, at_optimum)); }));
  row("fit_from_start", median_ns([&] { keep(fit<double>(Chinchilla{}, runs, options)); }));
  row("global_fit", median_ns([&] { keep(fit<double>(Chinchilla{}, runs)); }), "");
  std::cout << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    measure(bench::read_input(argc, argv));
  } catch (const std::runtime_error& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
  return 0;
}
