// SPDX-License-Identifier: Apache-2.0
/// \file
/// Floating-point operations of the pieces, n runs and m unknowns. An exponential counts as 22: a polynomial of degree 9 and
/// the reduction of its argument, which is about what vectorised ones take.
#pragma once

namespace bench {

constexpr double kExp = 22;

/// Chinchilla: two exponentials and exponents, two scaled sums.
constexpr double law_value(double n) { return n * (2 * (kExp + 1) + 4); }

/// Each exponent's column takes two products more.
constexpr double law_jacobian(double n) { return law_value(n) + 4 * n; }

/// Gram-Schmidt of [A | b]: each of m columns normalised (3 n), multiplied by and taken from those after it (4 n each).
constexpr double tall_qr(double n, double m) { return n * (3 * m + 2 * m * (m + 1)); }

}  // namespace bench
