// SPDX-License-Identifier: Apache-2.0
/// \file
/// Streams of runs that several tests share.
#pragma once

#include <cstdint>

#include "designs.hpp"

namespace streams {

template <typename S>
offray::Parameters<S> kaplan() {
  offray::Parameters<S> theta(4);
  theta << S(4e11), S(2.5e10), S(.16), S(.25);
  return theta;
}

template <typename S>
offray::Parameters<S> droppo() {
  offray::Parameters<S> theta(6);
  theta << S(1.6), S(2.6e7), S(7.7e7), S(.33), S(.37), S(1.25);
  return theta;
}

template <typename S>
offray::Parameters<S> kaplan_floor() {
  offray::Parameters<S> theta(5);
  theta << S(1.6), S(2.6e7), S(7.7e7), S(.33), S(.37);
  return theta;
}

/// Calls visit(run, i) for runs whose sizes and token counts take turns, with noise that is a share of the loss.
template <typename S, typename Visit>
void each_run(const offray::AnyLaw<S>& law, const offray::Parameters<S>& theta, S noise, offray::Index runs,
              const Visit& visit) {
  const auto grid = designs::grid<S>(16, 15);
  const offray::Vector<S> loss = designs::losses(law, theta, grid), e = designs::noise<S>(runs, 5);
  for (offray::Index i = 0; i < runs; ++i) {
    const offray::Index at = i * 97 % 240;  // 97 and 240 share no factor: every place once
    visit(offray::Run<S>{grid.N[at], grid.D[at], loss[at] * (S(1) + noise * e[i])}, i);
  }
}

}  // namespace streams
