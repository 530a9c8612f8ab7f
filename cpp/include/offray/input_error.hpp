// SPDX-License-Identifier: Apache-2.0
/// \file
/// Why input cannot be used, as a value instead of an exception.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include "offray/errors.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What InvalidInput would say, without a throw and without an allocation. False where there is nothing wrong.
///
/// \code
/// if (const offray::InputError error = runs.assign(N, D, loss)) std::puts(error.what());
/// \endcode
class InputError {
 public:
  InputError() = default;

  /// \param argument a literal: N, D, loss, weight, unique_tokens, start, fixed, bounds, ... \param parts of the message: texts
  /// and numbers.
  template <typename... Parts>
  static InputError of(std::string_view argument, const Parts&... parts) noexcept {
    InputError out;
    out.argument_ = argument;
    (out.add(parts), ...);
    return out;
  }

  /// About one row of an argument: "N[3] = -1: " and the message.
  template <typename S>
  static InputError at(std::string_view argument, Index row, S value, std::string_view message) noexcept {
    InputError out = of(argument, argument, "[", row, "] = ", value, ": ", message);
    out.row_ = row;
    out.value_ = static_cast<long double>(value);
    return out;
  }

  /// About an argument that is one number: "N = -1: " and the message.
  template <typename S>
  static InputError of_value(std::string_view argument, S value, std::string_view message) noexcept {
    InputError out = of(argument, argument, " = ", value, ": ", message);
    out.value_ = static_cast<long double>(value);
    return out;
  }

  /// More of the message: a text or a number.
  void add(std::string_view text) noexcept {
    const std::size_t room = text_.size() - 1 - size_;
    const std::size_t taken = std::min(text.size(), room);
    std::copy_n(text.data(), taken, text_.data() + size_);
    size_ += taken;
    text_[size_] = '\0';
  }
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  void add(Number number) noexcept {
    std::array<char, 64> digits{};
    if constexpr (std::is_integral_v<Number>)
      std::snprintf(digits.data(), digits.size(), "%lld", static_cast<long long>(number));
    else
      std::snprintf(digits.data(), digits.size(), "%.17Lg", static_cast<long double>(number));
    add(std::string_view(digits.data()));
  }

  explicit operator bool() const noexcept { return size_ != 0; }

  /// The argument that is wrong.
  std::string_view argument() const noexcept { return argument_; }
  /// Its first bad row, from 0; -1 where it is wrong as a whole.
  Index row() const noexcept { return row_; }
  /// The value there.
  long double value() const noexcept { return value_; }
  /// One sentence; empty where there is nothing wrong. It lives in this object.
  const char* what() const noexcept { return text_.data(); }
  std::string_view message() const noexcept { return {text_.data(), size_}; }

 private:
  std::string_view argument_;
  Index row_ = -1;
  long double value_ = 0;
  std::size_t size_ = 0;
  std::array<char, 320> text_{};  ///< longer messages, of laws with long names, are cut
};

namespace detail {

/// Throws what an error says, if there is one.
inline void reject_if(const InputError& error) {
  if (error) reject(std::string(error.message()));
}

}  // namespace detail

}  // namespace OFFRAY_ABI
}  // namespace offray
