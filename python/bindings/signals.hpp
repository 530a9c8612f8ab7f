// SPDX-License-Identifier: Apache-2.0
/// \file
/// Python's signals while the core works without the GIL.
#pragma once

#include <chrono>
#include <optional>

#include "offray/options.hpp"
#include "pybind.hpp"

/// True now and then: often enough for Ctrl-C, rarely enough for the GIL, which may be long in coming.
class Interval {
 public:
  bool over() {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(20)) return false;
    last_ = now;
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

/// Ctrl-C ends a fit: what its handler raises is raised once the fit is over.
class SignalInterruption final : public offray::Interruption {
 public:
  /// To be called without the GIL.
  bool requested() noexcept override {
    if (!raised_ && interval_.over()) {
      const pybind11::gil_scoped_acquire acquire;
      if (PyErr_CheckSignals() != 0) raised_ = pybind11::error_already_set();
    }
    return raised_.has_value();
  }

  void raise_if_requested() {
    if (raised_) throw pybind11::error_already_set(std::move(*raised_));
  }

 private:
  Interval interval_;
  std::optional<pybind11::error_already_set> raised_;
};
