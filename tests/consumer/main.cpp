// SPDX-License-Identifier: Apache-2.0
// A program outside the project: exact losses of a 3 x 3 design, fitted back.
#include <iostream>
#include <offray/offray.hpp>

int main() {
  offray::Vector<double> N(9), D(9), loss(9);
  for (int i = 0; i < 9; ++i) {
    N[i] = 1e7 * std::pow(10, i % 3);
    D[i] = 1e9 * std::pow(10, i / 3);
    loss[i] = 1.69 + 406.4 * std::pow(N[i], -0.34) + 410.7 * std::pow(D[i], -0.28);
  }
  const auto fit = offray::fit<double>(offray::Chinchilla{}, offray::Runs<double>(N, D, loss));
  std::cout << offray::describe(fit.status()) << "\n" << fit.theta.transpose() << "\n";
  return fit.converged() && std::abs(fit.theta[3] - 0.34) < 1e-8 ? 0 : 1;
}
