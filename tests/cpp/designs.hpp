// SPDX-License-Identifier: Apache-2.0
/// \file
/// Run designs and noise that several tests share.
#pragma once

#include <cmath>
#include <cstdint>

#include "offray/offray.hpp"

namespace designs {

template <typename S>
struct Table {
  offray::Vector<S> N, D;
};

/// sizes x token counts, log-spaced over 5.04M..76.5M parameters and 5.04M..300M tokens.
template <typename S>
Table<S> grid(offray::Index sizes = 8, offray::Index counts = 7) {
  Table<S> t{offray::Vector<S>(sizes * counts), offray::Vector<S>(sizes * counts)};
  for (offray::Index i = 0; i < sizes; ++i)
    for (offray::Index j = 0; j < counts; ++j) {
      t.N[i * counts + j] = S(5.04e6) * std::pow(S(76.5 / 5.04), S(i) / S(sizes - 1));
      t.D[i * counts + j] = S(5.04e6) * std::pow(S(300 / 5.04), S(j) / S(counts - 1));
    }
  return t;
}

/// Every run at k tokens per parameter.
template <typename S>
Table<S> ray(S k, offray::Index sizes = 14) {
  Table<S> t{offray::Vector<S>(sizes), offray::Vector<S>(sizes)};
  for (offray::Index i = 0; i < sizes; ++i) t.N[i] = S(5.04e6) * std::pow(S(76.5 / 5.04), S(i) / S(sizes - 1));
  t.D = k * t.N;
  return t;
}

/// Deterministic noise in (-1, 1): a linear congruential sequence.
template <typename S>
offray::Vector<S> noise(offray::Index n, std::uint32_t state = 1) {
  offray::Vector<S> out(n);
  for (offray::Index i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    out[i] = S(state >> 8) / S(1u << 23) - S(1);
  }
  return out;
}

template <typename S>
offray::Parameters<S> hoffmann() {
  offray::Parameters<S> theta(5);
  theta << S(1.69), S(406.4), S(410.7), S(.34), S(.28);
  return theta;
}

template <typename S>
offray::Vector<S> losses(const offray::AnyLaw<S>& law, const offray::Parameters<S>& theta, const Table<S>& t) {
  offray::Vector<S> value(t.N.size());
  offray::Jacobian<S> none(t.N.size(), 0);
  law.evaluate(theta, offray::Inputs<S>(t.N, t.D), value, none);
  return value;
}

}  // namespace designs
