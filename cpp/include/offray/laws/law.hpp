// SPDX-License-Identifier: Apache-2.0
/// \file
/// A law: formulas and one description. Every other header works through AnyLaw, so linear algebra is compiled once per scalar
/// and not once per law.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "offray/finding.hpp"
#include "offray/laws/description.hpp"
#include "offray/laws/power_sum.hpp"
#include "offray/objective.hpp"
#include "offray/options.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

template <typename S>
class AnyLaw;

/// What a law's own rule for starts may use. N and D are in units of exp(log_N0) and exp(log_D0) wherever theta stands.
template <typename S>
struct StartProblem {
  const Runs<S>& runs;  ///< in natural units
  Space space;
  const Objective<S>& objective;
  S log_N0, log_D0;
  /// The best power sums of the law's effective inputs at theta, each as a theta, at most `most`, lowest first, and their
  /// objectives. The other parameters keep their values.
  std::function<std::vector<std::pair<Parameters<S>, S>>(const Parameters<S>& theta, std::size_t most)> search_at;
  /// ln theta at the basins of another law of N and D on these losses, the best first. \param log_D, natural units.
  std::function<std::vector<Parameters<S>>(const AnyLaw<S>& law, const Vector<S>& log_D)> basins_of;
};

/// Where a fit may start, ln theta.
template <typename S>
struct Starts {
  std::vector<Parameters<S>> many;    ///< a few steps from each tell which of them go on
  std::vector<Parameters<S>> inside;  ///< optima of smaller laws, never to be left for less: each goes on
};

/// What a law's own rule for findings may use.
template <typename S>
struct FitEvidence {
  const Parameters<S>& theta;                            ///< natural units
  const Inputs<S>& at;                                   ///< the runs
  const std::function<S(Index parameter)>& relative_se;  ///< of ln theta_j; infinite where not known, negative for a fixed one
};

/// A law seen through one interface, for one scalar. See Chinchilla for what a law must provide.
template <typename S>
class AnyLaw : public LawDescription, public std::enable_shared_from_this<AnyLaw<S>> {
 public:
  explicit AnyLaw(LawDescription description) : LawDescription(std::move(description)) { complete(); }
  AnyLaw(const AnyLaw&) = delete;
  AnyLaw& operator=(const AnyLaw&) = delete;
  virtual ~AnyLaw() = default;

  const AnyLaw* on_ray = nullptr;  ///< what is left of the law on one ray, or null

  /// \param theta parameter values, natural units or those of `at`, (p,).
  /// \param at (n,) inputs.
  /// \param[out] value (n,) loss in nats per token.
  /// \param[out] J (n, p) derivatives dL/dtheta, or (n, 0) to leave them out.
  virtual void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const = 0;

  /// ln N' and ln D' in which the law is a power sum at this theta, (n,).
  virtual void effective(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) const = 0;

  /// The law's own starts; none where the general rules serve.
  virtual Starts<S> starts(const StartProblem<S>& problem) const = 0;

  /// What the runs leave open of the law's own parameters, beyond what every law is asked.
  virtual Findings findings(const FitEvidence<S>& evidence) const = 0;
};

template <typename S, typename Law>
const AnyLaw<S>& any_law();

namespace detail {

template <typename S, typename Law, typename = void>
struct HasEffective : std::false_type {};
template <typename S, typename Law>
struct HasEffective<S, Law,
                    std::void_t<decltype(std::declval<const Law&>().template effective<S>(
                        std::declval<CRef<Parameters<S>>>(), std::declval<const Inputs<S>&>(), std::declval<Ref<Vector<S>>>(),
                        std::declval<Ref<Vector<S>>>()))>> : std::true_type {};

template <typename S, typename Law, typename = void>
struct HasStarts : std::false_type {};
template <typename S, typename Law>
struct HasStarts<S, Law,
                 std::void_t<decltype(std::declval<const Law&>().template starts<S>(std::declval<const StartProblem<S>&>()))>>
    : std::true_type {};

template <typename S, typename Law, typename = void>
struct HasFindings : std::false_type {};
template <typename S, typename Law>
struct HasFindings<
    S, Law, std::void_t<decltype(std::declval<const Law&>().template findings<S>(std::declval<const FitEvidence<S>&>()))>>
    : std::true_type {};

#define OFFRAY_LAW_MEMBER(Trait, member)   \
  template <typename Law, typename = void> \
  struct Trait : std::false_type {};       \
  template <typename Law>                  \
  struct Trait<Law, std::void_t<decltype(std::declval<const Law&>().member)>> : std::true_type {};
OFFRAY_LAW_MEMBER(HasFormula, formula)
OFFRAY_LAW_MEMBER(HasReference, reference)
OFFRAY_LAW_MEMBER(HasPsi, psi)
OFFRAY_LAW_MEMBER(HasInputs, inputs)
OFFRAY_LAW_MEMBER(HasPublished, published)
OFFRAY_LAW_MEMBER(HasPowerSum, power_sum)
OFFRAY_LAW_MEMBER(HasFloorInside, floor_inside)
OFFRAY_LAW_MEMBER(HasGrid, grid)
#undef OFFRAY_LAW_MEMBER

template <typename Law, typename = void>
struct HasOnRay : std::false_type {};
template <typename Law>
struct HasOnRay<Law, std::void_t<typename Law::OnRay>> : std::true_type {};

template <typename T>
struct IsParameters : std::false_type {};
template <std::size_t n>
struct IsParameters<std::array<Parameter, n>> : std::bool_constant<(n <= kMaxParameters)> {};
template <>
struct IsParameters<std::vector<Parameter>> : std::true_type {};

template <typename Law>
LawDescription describe(const Law& law) {
  LawDescription out;
  out.name = law.name;
  out.parameters.assign(law.parameters.begin(), law.parameters.end());
  if constexpr (HasFormula<Law>::value) out.formula = law.formula;
  if constexpr (HasReference<Law>::value) out.reference = law.reference;
  if constexpr (HasPsi<Law>::value) out.psi = law.psi;
  if constexpr (HasInputs<Law>::value)
    out.inputs.assign(law.inputs.begin(), law.inputs.end());
  else
    out.inputs = {"params", "tokens"};
  if constexpr (HasPublished<Law>::value) out.published.assign(law.published.begin(), law.published.end());
  if constexpr (HasFloorInside<Law>::value) out.floor_inside = law.floor_inside;
  if constexpr (HasGrid<Law>::value) out.grid = law.grid;
  if constexpr (HasPowerSum<Law>::value)
    if (law.power_sum) out.form = HasEffective<double, Law>::value ? PowerSumForm::effective : PowerSumForm::plain;
  return out;
}

/// Why a description cannot be one, or an empty string.
inline std::string_view flaw(const LawDescription& law) {
  if (law.parameters.empty() || law.size() > kMaxParameters) return "has no parameters, or more than 10";
  std::array<int, 2> exponents{}, sizes{};
  int floors = 0, outers = 0;
  for (Index j = 0; j < law.size(); ++j) {
    const Parameter& p = law.parameter(j);
    for (Index i = 0; i < j; ++i)
      if (law.parameter(i).name == p.name) return "has two parameters of one name";
    floors += p.role == Role::floor;
    outers += p.role == Role::outer;
    if (p.axis == Axis::none) continue;
    exponents[p.axis == Axis::D] += p.role == Role::exponent;
    sizes[p.axis == Axis::D] += p.role == Role::coefficient || p.role == Role::scale;
  }
  if (law.form == PowerSumForm::none) return "";
  if (floors > 1 || outers > 1 || exponents[0] > 1 || exponents[1] > 1 || sizes[0] > 1 || sizes[1] > 1)
    return "says it is a power sum, but has two parameters of one role and axis";
  if (floors == 1 && outers == 1 && !law.floor_inside)
    return "says it is a power sum, but its floor stands outside the outer power";
  for (const Parameter& p : law.parameters)
    if (law.of_sum && p.role == Role::scale) return "says that its exponents are those of the sum, but has a scale";
  return "";
}

/// AnyLaw of a type that is one.
template <typename S, typename Law>
class LawObject final : public AnyLaw<S> {
  static_assert(IsParameters<std::decay_t<decltype(std::declval<const Law&>().parameters)>>::value,
                "Law::parameters must hold at most 10 of offray::Parameter, each with its role: "
                "std::array{offray::floor(\"E\"), offray::coefficient(\"A\", offray::Axis::N), ...}");

 public:
  /// \throws InvalidInput for a description that contradicts itself.
  explicit LawObject(Law law) : AnyLaw<S>(describe(law)), law_(std::move(law)) {
    const std::string_view what = flaw(*this);
    if (!what.empty()) detail::reject("law " + std::string(this->name) + " " + std::string(what));
    this->own_starts = HasStarts<S, Law>::value;
    if constexpr (HasOnRay<Law>::value) this->on_ray = &any_law<S, typename Law::OnRay>();
  }

  void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const override {
    law_.template evaluate<S>(theta, at, value, J);
  }
  void effective(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) const override {
    if constexpr (HasEffective<S, Law>::value) {
      law_.template effective<S>(theta, at, log_N, log_D);
    } else {
      log_N = at.log_N;
      log_D = at.log_D;
    }
  }
  Starts<S> starts(const StartProblem<S>& problem) const override {
    if constexpr (HasStarts<S, Law>::value)
      return law_.template starts<S>(problem);
    else
      return {};
  }
  Findings findings(const FitEvidence<S>& evidence) const override {
    if constexpr (HasFindings<S, Law>::value)
      return law_.template findings<S>(evidence);
    else
      return 0;
  }

 private:
  Law law_;
};

}  // namespace detail

/// The law object of a type without state; one for the whole program.
template <typename S, typename Law>
const AnyLaw<S>& any_law() {
  static const auto law = std::make_shared<const detail::LawObject<S, Law>>(Law{});
  return *law;
}

/// A law object that keeps `law`, state and all.
template <typename S, typename Law>
std::shared_ptr<const AnyLaw<S>> make_law(Law law) {
  return std::make_shared<const detail::LawObject<S, Law>>(std::move(law));
}

/// An owner of a law that is seen by reference. Where no shared_ptr holds it, as any_law() and make_law() do, it owns nothing,
/// and the law must outlive it.
template <typename S>
std::shared_ptr<const AnyLaw<S>> kept(const AnyLaw<S>& law) {
  std::shared_ptr<const AnyLaw<S>> owner = law.weak_from_this().lock();
  return owner ? owner : std::shared_ptr<const AnyLaw<S>>(std::shared_ptr<void>(), &law);
}

/// A law of any type as an object that is kept: the one of the whole program where the type has no state.
template <typename S, typename Law>
std::shared_ptr<const AnyLaw<S>> shared_law(Law law) {
  if constexpr (std::is_empty_v<Law>)
    return any_law<S, Law>().shared_from_this();
  else
    return make_law<S>(std::move(law));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
