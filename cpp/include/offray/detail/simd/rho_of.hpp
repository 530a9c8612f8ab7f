// SPDX-License-Identifier: Apache-2.0
/// \file
/// The objectives' formulas, for any Pack: the one place that knows them.
///
/// Like kernel_table.hpp free of Eigen and of inline functions that two files could share: all are templates over the pack, and
/// a register's width is part of its type.
#pragma once

#include "offray/objective.hpp"

#ifndef OFFRAY_INLINE
#define OFFRAY_INLINE inline
#endif
#ifndef OFFRAY_INLINE_BODY  // the same of a lambda, after its parameters
#define OFFRAY_INLINE_BODY
#endif

namespace offray {
namespace kernel_paths {

/// A pack V of kLanes scalars: load, store and their variants for a last, partial pack; sqrt, exp, log; sum.
template <typename V>
struct Pack;

/// An objective at one pack of residuals r; each kind is a specialisation, and one without it does not compile.
///   kName, kKink  as the user calls it; whether rho has a kink at zero, and is minimised through smooth approximations
///   kScale        whether it has a scale delta of its own
///   value(r)      rho(r)
///   slope(r)      psi(r) = rho'(r)
///   influence(r)  majorizer psi(r) / r >= rho''(r), positive, the weight of iteratively reweighted least squares;
///                 excess rho''(r) - psi(r) / r
template <typename V, ObjectiveKind kind>
struct RhoOf;

template <typename V>
struct RhoOf<V, ObjectiveKind::squares> {
  static constexpr const char* kName = "squares";
  static constexpr bool kKink = false, kScale = false;
  using P = Pack<V>;
  using S = typename P::Scalar;
  OFFRAY_INLINE explicit RhoOf(const Objective<S>&) {}
  OFFRAY_INLINE V value(V r) const { return r * r * S(0.5); }
  OFFRAY_INLINE V slope(V r) const { return r; }
  OFFRAY_INLINE void influence(V, V& majorizer, V& excess) const {
    majorizer = P::splat(S(1));
    excess = P::splat(S(0));
  }
};

template <typename V>
struct RhoOf<V, ObjectiveKind::huber> {
  static constexpr const char* kName = "huber";
  static constexpr bool kKink = false, kScale = true;
  using P = Pack<V>;
  using S = typename P::Scalar;
  V delta;
  OFFRAY_INLINE explicit RhoOf(const Objective<S>& objective) : delta(P::splat(objective.delta)) {}
  OFFRAY_INLINE V value(V r) const {
    const V size = r < S(0) ? -r : r, inside = size < delta ? size : delta;
    return inside * (size - inside * S(0.5));
  }
  OFFRAY_INLINE V slope(V r) const {
    const V bounded = r < delta ? r : delta;
    return bounded > -delta ? bounded : -delta;
  }
  OFFRAY_INLINE void influence(V r, V& majorizer, V& excess) const {
    const V size = r < S(0) ? -r : r;
    majorizer = delta / (size > delta ? size : delta);
    excess = size > delta ? -majorizer : P::splat(S(0));
  }
};

template <typename V>
struct RhoOf<V, ObjectiveKind::soft_l1> {
  static constexpr const char* kName = "soft_l1";
  static constexpr bool kKink = false, kScale = true;
  using P = Pack<V>;
  using S = typename P::Scalar;
  V inverse;
  OFFRAY_INLINE explicit RhoOf(const Objective<S>& objective) : inverse(P::splat(S(1) / objective.delta)) {}
  OFFRAY_INLINE V value(V r) const {
    const V z = r * inverse;
    return r * r / (P::sqrt(z * z + S(1)) + S(1));
  }
  OFFRAY_INLINE V slope(V r) const {
    const V z = r * inverse;
    return r / P::sqrt(z * z + S(1));
  }
  OFFRAY_INLINE void influence(V r, V& majorizer, V& excess) const {
    const V z = r * inverse;
    majorizer = S(1) / P::sqrt(z * z + S(1));
    excess = majorizer * (majorizer * majorizer - S(1));
  }
};

template <typename V>
struct RhoOf<V, ObjectiveKind::cauchy> {
  static constexpr const char* kName = "cauchy";
  static constexpr bool kKink = false, kScale = true;
  using P = Pack<V>;
  using S = typename P::Scalar;
  V delta, inverse;
  OFFRAY_INLINE explicit RhoOf(const Objective<S>& objective)
      : delta(P::splat(objective.delta)), inverse(P::splat(S(1) / objective.delta)) {}
  OFFRAY_INLINE V value(V r) const {
    // ln(1 + x) from the rounded w = 1 + x and what w lost.
    const V z = r * inverse, x = z * z, w = x + S(1);
    return delta * delta * S(0.5) * (P::log(w) + (x - (w - S(1))) / w);
  }
  OFFRAY_INLINE V slope(V r) const {
    const V z = r * inverse;
    return r / (z * z + S(1));
  }
  OFFRAY_INLINE void influence(V r, V& majorizer, V& excess) const {
    const V z = r * inverse, share = S(1) / (z * z + S(1)), bent = z * share;
    majorizer = share;
    excess = bent * bent * S(-2);
  }
};

/// up r for r > 0 and -down r for r < 0, the kink between replaced by the parabola r^2 / (2 delta).
template <typename V>
struct Tilted {
  static constexpr bool kKink = true, kScale = false;
  using P = Pack<V>;
  using S = typename P::Scalar;
  V delta, inverse, up, down;
  OFFRAY_INLINE Tilted(const Objective<S>& objective, S above, S below)
      : delta(P::splat(objective.delta)),
        inverse(P::splat(S(1) / objective.delta)),
        up(P::splat(above)),
        down(P::splat(below)) {}
  /// rho with its kink.
  OFFRAY_INLINE V exact(V r) const { return r * (r > S(0) ? up : -down); }
  OFFRAY_INLINE V value(V r) const {
    const V beyond = r > S(0) ? up : -down, size = r > S(0) ? r : -r, edge = (r > S(0) ? up : down) * delta;
    return size <= edge ? r * r * inverse * S(0.5) : beyond * (r - delta * beyond * S(0.5));
  }
  OFFRAY_INLINE V slope(V r) const {
    const V beyond = r > S(0) ? up : -down, size = r > S(0) ? r : -r, edge = (r > S(0) ? up : down) * delta;
    return size <= edge ? r * inverse : beyond;
  }
  OFFRAY_INLINE void influence(V r, V& majorizer, V& excess) const {
    const V slope = r > S(0) ? up : -down, size = r > S(0) ? r : -r, edge = (r > S(0) ? up : down) * delta;
    const V beyond = slope / (size <= edge ? P::splat(S(1)) : r);
    majorizer = size <= edge ? inverse : beyond;
    excess = size <= edge ? P::splat(S(0)) : -beyond;
  }
};

template <typename V>
struct RhoOf<V, ObjectiveKind::absolute> : Tilted<V> {
  static constexpr const char* kName = "absolute";
  OFFRAY_INLINE explicit RhoOf(const Objective<typename Pack<V>::Scalar>& objective) : Tilted<V>(objective, 1, 1) {}
};

template <typename V>
struct RhoOf<V, ObjectiveKind::quantile> : Tilted<V> {
  static constexpr const char* kName = "quantile";
  OFFRAY_INLINE explicit RhoOf(const Objective<typename Pack<V>::Scalar>& objective)
      : Tilted<V>(objective, 1 - objective.quantile, objective.quantile) {}
};

/// body(RhoOf<V, kind>) for the kind of `objective`.
template <typename V, int k = 0, typename S = typename Pack<V>::Scalar, typename Body>
OFFRAY_INLINE void with_rho(const Objective<S>& objective, const Body& body) {
  if constexpr (k + 1 < kObjectiveKinds) {
    if (static_cast<int>(objective.kind) != k) return with_rho<V, k + 1>(objective, body);
  }
  body(RhoOf<V, static_cast<ObjectiveKind>(k)>(objective));
}

}  // namespace kernel_paths
}  // namespace offray
