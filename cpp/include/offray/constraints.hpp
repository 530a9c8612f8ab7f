// SPDX-License-Identifier: Apache-2.0
/// \file
/// Fixing, tying and bounding parameters by name.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <memory>
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

  /// \param law kept alive by this object where a shared_ptr holds it, as any_law() and make_law() do.
  explicit Constraints(const AnyLaw<S>& law) : law_(kept(law)) {
    fixed.setConstant(law.size(), std::numeric_limits<S>::quiet_NaN());
    lower.setZero(law.size());
    for (Index j = 0; j < law.size(); ++j)
      if (real(j)) lower[j] = -std::numeric_limits<S>::infinity();
    upper.setConstant(law.size(), std::numeric_limits<S>::infinity());
    for (std::size_t j = 0; j < tied.size(); ++j) tied[j] = static_cast<Index>(j);
  }

  /// Holds a parameter at a value. \throws InvalidInput for an unknown name or a value that is not positive and finite.
  Constraints& fix(std::string_view name, S value) {
    detail::reject_if(try_fix(name, value));
    return *this;
  }

  /// Makes two parameters share one value. \throws InvalidInput for an unknown name or two different fixed values.
  Constraints& tie(std::string_view first, std::string_view second) {
    detail::reject_if(try_tie(first, second));
    return *this;
  }

  /// Keeps a parameter in [low, high]; holds it where they are equal. \throws InvalidInput unless 0 <= low <= high.
  Constraints& bound(std::string_view name, S low, S high) {
    detail::reject_if(try_bound(name, low, high));
    return *this;
  }

  /// The same without an exception. \return what is wrong; nothing has changed then.
  InputError try_fix(std::string_view name, S value) noexcept {
    const Index at = find(name);
    if (at < 0) return unknown("fixed", name);
    if (!std::isfinite(value) || !(value > S(0) || real(at)))
      return bad("fixed", name, real(at) ? "must be finite" : "must be positive and finite");
    const Index j = root(at);
    if (!std::isnan(fixed[j]) && fixed[j] != value) return bad("fixed", name, "is tied to a parameter fixed at another value");
    fixed[j] = value;
    return {};
  }

  InputError try_tie(std::string_view first, std::string_view second) noexcept {
    if (find(first) < 0) return unknown("tied", first);
    if (find(second) < 0) return unknown("tied", second);
    const Index a = root(find(first)), b = root(find(second));
    if (real(a) != real(b))
      return bad("tied", second, "and the parameter it is tied to must both be positive, or both any number");
    if (!std::isnan(fixed[a]) && !std::isnan(fixed[b]) && fixed[a] != fixed[b])
      return bad("tied", second, "and the parameter it is tied to are fixed at different values");
    if (std::isnan(fixed[a])) fixed[a] = fixed[b];
    for (Index j = 0; j < law_->size(); ++j)
      if (tied[static_cast<std::size_t>(j)] == b) tied[static_cast<std::size_t>(j)] = a;
    return {};
  }

  InputError try_bound(std::string_view name, S low, S high) noexcept {
    const Index j = find(name);
    if (j < 0) return unknown("bounds", name);
    if (!(low <= high && (low >= S(0) || real(j))))
      return bad("bounds", name, real(j) ? "needs lower <= upper" : "needs 0 <= lower <= upper");
    if (low == high) return try_fix(name, low);
    lower[j] = low;
    upper[j] = high;
    return {};
  }

  /// What is wrong where they are those of another law.
  InputError misplaced(const AnyLaw<S>& law) const noexcept {
    bool same = law_->size() == law.size();
    for (Index j = 0; same && j < law.size(); ++j) same = law_->parameter(j).name == law.parameter(j).name;
    if (same) return {};
    return InputError::of("constraints", "constraints: they are those of ", law_->name, ", the law is ", law.name);
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

  std::shared_ptr<const AnyLaw<S>> law_;

  Index find(std::string_view name) const noexcept {
    for (Index j = 0; j < law_->size(); ++j)
      if (law_->parameter(j).name == name) return j;
    return -1;
  }

  InputError unknown(const char* argument, std::string_view name) const noexcept {
    InputError out = InputError::of(argument, argument, ": unknown parameter '", name, "'; ", law_->name, " has ");
    for (Index j = 0; j < law_->size(); ++j) {
      if (j > 0) out.add(", ");
      out.add(law_->parameter(j).name);
    }
    return out;
  }

  static InputError bad(const char* argument, std::string_view name, const char* problem) noexcept {
    return InputError::of(argument, argument, ": ", name, " ", problem);
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
