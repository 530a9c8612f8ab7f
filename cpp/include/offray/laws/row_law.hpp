// SPDX-License-Identifier: Apache-2.0
/// \file
/// A law from its formula for one run alone: derivatives by automatic differentiation.
#pragma once

#include <cmath>
#include <cstddef>
#include <iterator>

#include "offray/runs.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// A number with its derivatives by n variables (forward accumulation). Comparisons look at the value.
template <typename S, std::size_t n>
struct Dual {
  S value{};
  S slope[n]{};

  Dual() = default;
  Dual(S v) : value(v) {}  // NOLINT: a number is a dual number without slopes

  /// f(*this), given f and f' there.
  Dual chain(S f, S df) const {
    Dual out(f);
    for (std::size_t j = 0; j < n; ++j) out.slope[j] = df * slope[j];
    return out;
  }
  Dual operator-() const { return chain(-value, S(-1)); }
  friend Dual operator+(const Dual& a, const Dual& b) { return join(a, b, a.value + b.value, S(1), S(1)); }
  friend Dual operator-(const Dual& a, const Dual& b) { return join(a, b, a.value - b.value, S(1), S(-1)); }
  friend Dual operator*(const Dual& a, const Dual& b) { return join(a, b, a.value * b.value, b.value, a.value); }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const S q = a.value / b.value;
    return join(a, b, q, S(1) / b.value, -q / b.value);
  }
  friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend bool operator>(const Dual& a, const Dual& b) { return b < a; }

  friend Dual exp(const Dual& a) {
    using std::exp;
    const S e = exp(a.value);
    return a.chain(e, e);
  }
  friend Dual log(const Dual& a) {
    using std::log;
    return a.chain(log(a.value), S(1) / a.value);
  }
  friend Dual log1p(const Dual& a) {
    using std::log1p;
    return a.chain(log1p(a.value), S(1) / (S(1) + a.value));
  }
  friend Dual expm1(const Dual& a) {
    using std::exp, std::expm1;
    return a.chain(expm1(a.value), exp(a.value));
  }
  friend Dual sqrt(const Dual& a) {
    using std::sqrt;
    const S r = sqrt(a.value);
    return a.chain(r, S(0.5) / r);
  }
  friend Dual tanh(const Dual& a) {
    using std::tanh;
    const S t = tanh(a.value);
    return a.chain(t, S(1) - t * t);
  }
  /// Of a positive base.
  friend Dual pow(const Dual& a, const Dual& b) { return exp(b * log(a)); }

 private:
  static Dual join(const Dual& a, const Dual& b, S f, S by_a, S by_b) {
    Dual out(f);
    for (std::size_t j = 0; j < n; ++j) out.slope[j] = by_a * a.slope[j] + by_b * b.slope[j];
    return out;
  }
};

/// One run as a formula sees it.
template <typename S>
struct Row {
  S log_N, log_D, log_U, repeats;  ///< as Inputs
};

/// The base of a law that gives its loss for one run, for numbers of any type:
///
///   struct OuterExponent : offray::RowLaw<OuterExponent> {  // L = E + (A N^-alpha + B D^-beta)^q
///     static constexpr std::string_view name = "outer_exponent";
///     static constexpr std::array parameters{
///         offray::floor("E"), offray::coefficient("A", offray::Axis::N), offray::coefficient("B", offray::Axis::D),
///         offray::exponent("alpha", offray::Axis::N), offray::exponent("beta", offray::Axis::D), offray::positive("q")};
///
///     template <typename T, typename S>
///     static T loss(const T* theta, const offray::Row<S>& run) {
///       using std::exp, std::pow;
///       const T sum = theta[1] * exp(-theta[3] * T(run.log_N)) + theta[2] * exp(-theta[4] * T(run.log_D));
///       return theta[0] + pow(sum, theta[5]);
///     }
///   };
///
///   const auto fit = offray::fit<double>(OuterExponent{}, runs);
///
/// Everything else is as for any law (see Chinchilla). A member function serves as well as a static one, and may read the
/// law's own state.
template <typename Law>
struct RowLaw {
  template <typename S>
  void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const {
    constexpr std::size_t count = std::size(Law::parameters);
    using Number = Dual<S, count>;
    const Law& law = static_cast<const Law&>(*this);
    Number dual[count];
    for (std::size_t j = 0; j < count; ++j) {
      dual[j] = Number(theta[static_cast<Index>(j)]);
      dual[j].slope[j] = S(1);
    }
    for (Index i = 0; i < at.size(); ++i) {
      const Row<S> run{at.log_N[i], at.log_D[i], at.log_U[i], at.repeats[i]};
      if (J.cols() == 0) {
        value[i] = law.loss(theta.data(), run);
        continue;
      }
      const Number out = law.loss(static_cast<const Number*>(dual), run);
      value[i] = out.value;
      for (std::size_t j = 0; j < count; ++j) J(i, static_cast<Index>(j)) = out.slope[j];
    }
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
