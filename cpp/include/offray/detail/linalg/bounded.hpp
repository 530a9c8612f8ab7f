// SPDX-License-Identifier: Apache-2.0
/// \file
/// Least squares over three columns, each coefficient between bounds.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "offray/detail/linalg/cholesky.hpp"
#include "offray/detail/linalg/triangular.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

template <typename S>
using Vector3 = Eigen::Matrix<S, 3, 1>;

/// Where three coefficients may be: by default not negative.
template <typename S>
struct Box {
  static constexpr S kInfinity = std::numeric_limits<S>::infinity();
  std::array<S, 3> lower{}, upper{kInfinity, kInfinity, kInfinity};
  bool equal = false;  ///< whether the last two are one

  bool is_default() const {
    bool out = !equal;
    for (std::size_t j = 0; j < 3; ++j) out = out && lower[j] == S(0) && upper[j] == kInfinity;
    return out;
  }
  Box times(S unit) const {
    Box out = *this;
    for (std::size_t j = 0; j < 3; ++j) {
      out.lower[j] *= unit;
      out.upper[j] *= unit;
    }
    return out;
  }
  bool fixed(Index j) const { return lower[at(j)] == upper[at(j)]; }
  bool holds(const Vector3<S>& c) const {
    bool out = !equal || c[1] == c[2];
    for (Index j = 0; j < 3; ++j) out = out && c[j] >= lower[at(j)] && c[j] <= upper[at(j)];
    return out;
  }
  /// Whether a convex function with this gradient at c, least over the coefficients of the mask `free`, is least over the box:
  /// wherever a coefficient is held the function rises inwards.
  bool optimal(int free, const Vector3<S>& c, const Vector3<S>& gradient) const {
    bool out = !equal;
    for (Index j = 0; j < 3; ++j) {
      if ((free >> j & 1) != 0 || fixed(j)) continue;
      out = out && (c[j] > lower[at(j)] ? gradient[j] <= S(0) : gradient[j] >= S(0));
    }
    return out;
  }
  S clamped(Index j, S c) const { return std::min(std::max(c, lower[at(j)]), upper[at(j)]); }

  /// visit(free, c) for every choice of coefficients that stay at a bound: a mask of the others, which are zero in c, until it
  /// returns true. Few that stay come first; two that are one stay or move together.
  template <typename Visit>
  void each_face(const Visit& visit) const {
    for (const int free : {7, 6, 5, 3, 4, 2, 1, 0}) {
      if (equal && (free >> 1 & 1) != (free >> 2 & 1)) continue;
      bool valid = true;
      for (Index j = 0; j < 3; ++j) valid = valid && ((free >> j & 1) == 0 || !fixed(j));
      for (int high = 0; valid && high < 8; ++high) {
        if ((high & free) != 0 || (equal && (high >> 1 & 1) != (high >> 2 & 1))) continue;
        bool exists = true;
        Vector3<S> c = Vector3<S>::Zero();
        for (Index j = 0; j < 3; ++j) {
          if ((high >> j & 1) != 0) exists = exists && upper[at(j)] < kInfinity && !fixed(j);
          if ((free >> j & 1) == 0) c[j] = (high >> j & 1) != 0 ? upper[at(j)] : lower[at(j)];
        }
        if (exists && visit(free, c)) return;
      }
    }
  }

 private:
  static std::size_t at(Index j) { return static_cast<std::size_t>(j); }
};

/// argmin ||R c - z|| over the box for a 3 x 3 upper triangular R; a zero column, and one that a factorisation dropped, gets 0
/// or its bound.
///
/// The unconstrained solution where it is inside, otherwise the best of the faces whose own solution is, up to the first that
/// meets the conditions of optimality: with three columns that is the exact minimiser.
template <typename S>
Vector3<S> bounded_solution(const Eigen::Matrix<S, 3, 3>& R, const Vector3<S>& z, const Box<S>& box) {
  Eigen::Matrix<S, 3, 4> whole;
  whole << R, z;
  Vector3<S> best = solve_triangular<S>(whole);
  if (box.holds(best)) return best;
  S least = std::numeric_limits<S>::infinity();
  box.each_face([&](int free, const Vector3<S>& held) {
    Eigen::Matrix<S, 3, 4> A, small;
    for (int j = 0; j < 3; ++j) A.col(j) = (free >> j & 1) != 0 ? R.col(j) : Vector3<S>::Zero().eval();
    A.col(3) = z;
    for (int j = 0; j < 3; ++j)
      if (held[j] != S(0)) A.col(3) -= held[j] * R.col(j);
    if (box.equal) {
      A.col(1) += A.col(2);
      A.col(2).setZero();
    }
    kernels<S>().tall_qr(3, 3, nullptr, A.data(), 3, small.data(), 3);
    Vector3<S> c = solve_triangular<S>(small);
    if (box.equal) c[2] = c[1];
    for (int j = 0; j < 3; ++j)
      if ((free >> j & 1) == 0) c[j] = held[j];
    const S left = A.col(3).squaredNorm();
    if (!box.holds(c)) return false;
    if (left < least) {
      least = left;
      best = c;
    }
    return box.optimal(free, c, R.transpose() * (R.template triangularView<Eigen::Upper>() * c - z));
  });
  return best;
}

/// The inner products of three columns with each other and with the target.
template <typename S>
struct InnerProducts {
  S G[3][3];
  S t[3];

  /// The coefficients of one face of a box, those of the mask `free` at their best; those that stay are in c.
  /// \return whether the columns of the face are independent.
  bool solve_face(int free, bool equal, S parallel, Vector3<S>& c) const {
    // The unknowns of the face: one coefficient each, or two that are equal.
    int first[3], last[3], count = 0;
    for (int j = 0; j < 3; ++j) {
      if ((free >> j & 1) == 0 || (j == 2 && equal)) continue;
      first[count] = j;
      last[count++] = j == 1 && equal ? 2 : j;
    }
    Eigen::Matrix<S, 3, 3> H;
    Vector3<S> b, size;
    for (int i = 0; i < count; ++i) {
      b[i] = S(0);
      for (int j = 0; j < count; ++j) H(i, j) = S(0);
      for (int k = first[i]; k <= last[i]; ++k) {
        b[i] += t[k] - along(k, c);
        for (int j = 0; j < count; ++j)
          for (int l = first[j]; l <= last[j]; ++l) H(i, j) += G[k][l];
      }
      size[i] = S(1) / std::sqrt(H(i, i));
    }
    for (int i = 0; i < count; ++i) {
      b[i] *= size[i];
      for (int j = 0; j < count; ++j) H(i, j) *= size[i] * size[j];
    }
    const SmallCholesky<S> factor(H, count);
    if (!(factor.least_pivot() > parallel)) return false;
    b = factor.solve(b);
    for (int i = 0; i < count; ++i)
      for (int k = first[i]; k <= last[i]; ++k) c[k] = b[i] * size[i];
    return true;
  }

  /// (G c)_j
  S along(int j, const Vector3<S>& c) const { return G[j][0] * c[0] + G[j][1] * c[1] + G[j][2] * c[2]; }

  /// How much lower the sum of squares is at c than at zero.
  S gain(const Vector3<S>& c) const {
    S out = S(0);
    for (int j = 0; j < 3; ++j) out += c[j] * (S(2) * t[j] - along(j, c));
    return out;
  }
};

/// The same from inner products, for starts. \param parallel the least relative pivot of columns that count as independent.
template <typename S>
Vector3<S> bounded_solution(const InnerProducts<S>& products, S parallel, const Box<S>& box, S& gain) {
  Vector3<S> best = Vector3<S>::Zero();
  gain = -std::numeric_limits<S>::infinity();
  box.each_face([&](int free, Vector3<S> c) {
    if (!products.solve_face(free, box.equal, parallel, c) || !box.holds(c)) return false;
    const S fall = products.gain(c);
    if (fall > gain) {
      gain = fall;
      best = c;
    }
    Vector3<S> slope;
    for (int j = 0; j < 3; ++j) slope[j] = products.along(j, c) - products.t[j];
    return box.optimal(free, c, slope);
  });
  return best;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
