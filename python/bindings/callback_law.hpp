// SPDX-License-Identifier: Apache-2.0
/// \file
/// A law that is a Python function.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "offray/laws/tape_law.hpp"
#include "pybind.hpp"

/// Calls ``function(theta, columns, jacobian)``, the columns being N, D and what else the law reads. It returns the values,
/// (n,), or the derivatives, (n, p), and never raises: NaN stands for what the user's function could not do.
template <typename S>
class CallbackLaw final : private offray::detail::TapeTexts, public offray::AnyLaw<S> {
 public:
  CallbackLaw(offray::TapeDescription description, py::function function)
      : offray::detail::TapeTexts{std::move(description)},
        offray::AnyLaw<S>(offray::detail::TapeTexts::views()),
        function_(std::move(function)) {
    const std::string_view what = offray::detail::flaw(*this);
    if (!what.empty()) throw offray::InvalidInput("law " + std::string(this->name) + " " + std::string(what));
  }
  ~CallbackLaw() override {
    const py::gil_scoped_acquire lock;
    function_ = py::function();
  }

  void evaluate(offray::CRef<offray::Parameters<S>> theta, const offray::Inputs<S>& at, offray::Ref<offray::Vector<S>> value,
                offray::Ref<offray::Jacobian<S>> J) const override {
    const py::gil_scoped_acquire lock;
    py::list columns;
    columns.append(py::cast(offray::Vector<S>(at.log_N.array().exp())));
    columns.append(py::cast(offray::Vector<S>(at.log_D.array().exp())));
    for (const offray::Vector<S>& column : at.columns) columns.append(py::cast(column));
    const offray::Vector<S> at_theta = theta;
    value = function_(at_theta, columns, false).template cast<offray::Vector<S>>();
    if (J.cols() != 0) J = function_(at_theta, columns, true).template cast<offray::Jacobian<S>>();
  }
  void effective(offray::CRef<offray::Parameters<S>>, const offray::Inputs<S>& at, offray::Ref<offray::Vector<S>> log_N,
                 offray::Ref<offray::Vector<S>> log_D) const override {
    log_N = at.log_N;
    log_D = at.log_D;
  }
  offray::Starts<S> starts(const offray::StartProblem<S>&) const override { return {}; }
  offray::Findings findings(const offray::FitEvidence<S>&) const override { return 0; }

 private:
  py::function function_;
};
