// SPDX-License-Identifier: Apache-2.0
/// \file
/// A value, or why there is none.
#pragma once

#include <optional>
#include <utility>

#include "offray/input_error.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What a function returns that may refuse its input without throwing; a small std::expected.
///
/// \code
/// const auto runs = offray::Runs<double>::make(N, D, loss);
/// if (!runs) return report(runs.error().what());
/// use(*runs);
/// \endcode
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}                // NOLINT: either is the result as it is
  Expected(const InputError& error) noexcept : error_(error) {}  // NOLINT

  bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value, which must be there.
  const T& operator*() const& noexcept { return *value_; }
  T& operator*() & noexcept { return *value_; }
  T&& operator*() && noexcept { return *std::move(value_); }
  const T* operator->() const noexcept { return &*value_; }
  T* operator->() noexcept { return &*value_; }

  /// Why there is none; false where there is one.
  const InputError& error() const noexcept { return error_; }

 private:
  std::optional<T> value_;
  InputError error_;
};

}  // namespace OFFRAY_ABI
}  // namespace offray
