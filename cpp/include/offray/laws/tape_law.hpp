// SPDX-License-Identifier: Apache-2.0
/// \file
/// A Tape as a law.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "offray/laws/law.hpp"
#include "offray/laws/tape.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What a law that is known only at run time says of itself; see LawDescription.
struct TapeDescription {
  struct Named {
    std::string name;
    Role role;
    Axis axis;
  };
  std::string name, formula;
  std::vector<Named> parameters;
  std::vector<std::string> inputs;   ///< params, tokens and unique_tokens, then the columns of Inputs in their order
  bool power_sum = false;            ///< whether it is one in N and D, as the roles say
  bool of_sum = false;               ///< a power sum with an outer power; see LawDescription
  std::vector<int> linear;           ///< parameters that the loss is linear in, all together
  std::vector<InputRange> ranges{};  ///< of every parameter, or none
};

namespace detail {

/// The texts that a law's description only views.
struct TapeTexts {
  TapeDescription texts;

  LawDescription views() const {
    LawDescription out;
    out.name = texts.name;
    out.formula = texts.formula;
    for (const TapeDescription::Named& p : texts.parameters) out.parameters.push_back({p.name, p.role, p.axis});
    out.inputs.assign(texts.inputs.begin(), texts.inputs.end());
    out.form = texts.power_sum ? PowerSumForm::plain : PowerSumForm::none;
    out.floor_inside = out.of_sum = texts.of_sum;
    out.linear = texts.linear;
    out.ranges = texts.ranges;
    return out;
  }
};

}  // namespace detail

/// A law whose formula is a program.
template <typename S>
class TapeLaw final : private detail::TapeTexts, public AnyLaw<S> {
 public:
  /// \throws InvalidInput for a description that contradicts itself or the program.
  TapeLaw(TapeDescription description, Tape tape)
      : detail::TapeTexts{std::move(description)}, AnyLaw<S>(detail::TapeTexts::views()), tape_(std::move(tape)) {
    const std::string_view what = detail::flaw(*this);
    if (!what.empty()) detail::reject("law " + std::string(this->name) + " " + std::string(what));
    if (tape_.parameters() != this->size()) detail::reject("the program and the law have different parameters");
  }

  void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const override {
    if (static_cast<Index>(at.columns.size()) + 3 < tape_.columns())
      detail::reject("law " + std::string(this->name) + " reads columns that are not there");
    tape_.evaluate<S>(theta, at, value, J);
  }
  void effective(CRef<Parameters<S>>, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) const override {
    log_N = at.log_N;
    log_D = at.log_D;
  }
  Starts<S> starts(const StartProblem<S>&) const override { return {}; }
  Findings findings(const FitEvidence<S>&) const override { return 0; }

 private:
  Tape tape_;
};

}  // namespace OFFRAY_ABI
}  // namespace offray
