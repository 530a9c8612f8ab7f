// SPDX-License-Identifier: Apache-2.0
/// \file
/// Fixing, tying and bounding parameters by name.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Constraints on the parameters of one law, in natural units.
template <typename S>
struct Constraints {
  Parameters<S> fixed;                       ///< the value, or NaN where the parameter is free
  std::array<Index, kMaxParameters> tied{};  ///< the parameter whose value it shares; its own index where it is not tied
  Parameters<S> lower, upper;                ///< bounds; 0, or -infinity of Role::real, and infinity where there are none

  explicit Constraints(const AnyLaw<S>& law) : law_(&law) {
    fixed.setConstant(law.size(), std::numeric_limits<S>::quiet_NaN());
    lower.setZero(law.size());
    for (Index j = 0; j < law.size(); ++j)
      if (real(j)) lower[j] = -std::numeric_limits<S>::infinity();
    upper.setConstant(law.size(), std::numeric_limits<S>::infinity());
    for (std::size_t j = 0; j < tied.size(); ++j) tied[j] = static_cast<Index>(j);
  }

  /// Holds a parameter at a value. \throws InvalidInput for an unknown name or a value that is not positive and finite.
  Constraints& fix(std::string_view name, S value) {
    const Index at = find("fixed", name);
    if (!std::isfinite(value) || !(value > S(0) || real(at)))
      fail("fixed", name, real(at) ? "must be finite" : "must be positive and finite");
    const Index j = root(at);
    if (!std::isnan(fixed[j]) && fixed[j] != value) fail("fixed", name, "is tied to a parameter fixed at another value");
    fixed[j] = value;
    return *this;
  }

  /// Makes two parameters share one value. \throws InvalidInput for an unknown name or two different fixed values.
  Constraints& tie(std::string_view first, std::string_view second) {
    const Index a = root(find("tied", first)), b = root(find("tied", second));
    if (real(a) != real(b)) fail("tied", second, "and the parameter it is tied to must both be positive, or both any number");
    if (!std::isnan(fixed[a]) && !std::isnan(fixed[b]) && fixed[a] != fixed[b])
      fail("tied", second, "and the parameter it is tied to are fixed at different values");
    if (std::isnan(fixed[a])) fixed[a] = fixed[b];
    for (Index j = 0; j < law_->size(); ++j)
      if (tied[static_cast<std::size_t>(j)] == b) tied[static_cast<std::size_t>(j)] = a;
    return *this;
  }

  /// Keeps a parameter in [low, high]; holds it where they are equal. \throws InvalidInput unless 0 <= low <= high.
  Constraints& bound(std::string_view name, S low, S high) {
    const Index j = find("bounds", name);
    if (!(low <= high && (low >= S(0) || real(j))))
      fail("bounds", name, real(j) ? "needs lower <= upper" : "needs 0 <= lower <= upper");
    if (low == high) return fix(name, low);
    lower[j] = low;
    upper[j] = high;
    return *this;
  }

  /// The parameter that carries the value of parameter j.
  Index root(Index j) const { return tied[static_cast<std::size_t>(j)]; }

  bool touches(Index j) const {
    bool shared = false;
    for (Index i = 0; i < law_->size(); ++i) shared = shared || (i != j && root(i) == root(j));
    return shared || !std::isnan(fixed[root(j)]) || lower[j] > least(j) || std::isfinite(upper[j]);
  }

 private:
  bool real(Index j) const { return law_->parameter(j).role == Role::real; }
  S least(Index j) const { return real(j) ? -std::numeric_limits<S>::infinity() : S(0); }

  const AnyLaw<S>* law_;

  Index find(const char* argument, std::string_view name) const {
    for (Index j = 0; j < law_->size(); ++j)
      if (law_->parameter(j).name == name) return j;
    std::string known;
    for (const Parameter& p : law_->parameters) known += (known.empty() ? "" : ", ") + std::string(p.name);
    throw InvalidInput(std::string(argument) + ": unknown parameter '" + std::string(name) + "'; " + std::string(law_->name) +
                       " has " + known);
  }

  [[noreturn]] static void fail(const char* argument, std::string_view name, const char* problem) {
    throw InvalidInput(std::string(argument) + ": " + std::string(name) + " " + problem);
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
