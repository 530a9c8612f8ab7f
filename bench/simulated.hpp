// SPDX-License-Identifier: Apache-2.0
/// \file
/// The runs that the C++ benchmarks fit: the design and noise of the tests, in any number.
#pragma once

#include "designs.hpp"

namespace bench {

/// Kaplan et al. 2020, eq. 1.5.
template <typename S>
offray::Parameters<S> kaplan() {
  offray::Parameters<S> theta(4);
  theta << S(8.8e13), S(5.4e13), S(.076), S(.095);
  return theta;
}

/// Losses of the law at theta on the squarest grid of n runs, with noise of up to 1 %.
template <typename S, typename Law>
offray::Runs<S> simulated(offray::Index n, const offray::Parameters<S>& theta) {
  offray::Index sizes = 1;
  for (offray::Index k = 2; k * k <= n; ++k)
    if (n % k == 0) sizes = k;
  const auto table = designs::grid<S>(sizes, n / sizes);
  const offray::Vector<S> clean = designs::losses(offray::any_law<S, Law>(), theta, table);
  const offray::Vector<S> losses = clean.array() * (S(1) + S(.01) * designs::noise<S>(n).array());
  return offray::Runs<S>(table.N, table.D, losses);
}

/// Hoffmann's parameters moved by up to a tenth: where a fit from a start begins.
template <typename S>
offray::FitOptions<S> from_start() {
  offray::FitOptions<S> options;
  options.start = designs::hoffmann<S>();
  for (offray::Index j = 0; j < options.start.size(); ++j) options.start[j] *= j % 2 == 0 ? S(1.1) : S(.9);
  return options;
}

}  // namespace bench
