// SPDX-License-Identifier: Apache-2.0
/// \file
/// Numbers as text and back to the last bit, whatever the locale and the scalar; lines with a checksum.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "offray/input_error.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// FNV-1a (Fowler, Noll & Vo): tells a damaged text, not a forged one.
inline std::uint64_t checksum(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

/// A text without the spaces that would part it.
inline std::string as_word(std::string_view text) {
  std::string out(text.empty() ? "-" : text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == ' ' || c == '\n'; }, '_');
  return out;
}

/// Writes words with a space after each, and ends lines.
class TextWriter {
 public:
  TextWriter& word(std::string_view text) {
    text_.append(text).push_back(' ');
    return *this;
  }
  TextWriter& integer(std::int64_t value) { return word(std::to_string(value)); }

  /// A number as a hexadecimal fraction in [1/2, 1) and a power of two, 0x.b504f334p1, or inf, nan.
  template <typename S>
  TextWriter& number(S value) {
    if (std::isnan(value)) return word("nan");
    std::string out = std::signbit(value) ? "-" : "";
    if (std::isinf(value)) return word(out + "inf");
    int exponent = 0;
    S rest = std::frexp(std::abs(value), &exponent);
    out += "0x.";
    do {
      rest = std::ldexp(rest, 4);
      const int digit = static_cast<int>(rest);
      rest -= S(digit);
      out += "0123456789abcdef"[digit];
    } while (rest > S(0));
    return word(out + "p" + std::to_string(exponent));
  }
  template <typename Vector>
  TextWriter& numbers(const Vector& values) {
    integer(static_cast<std::int64_t>(values.size()));
    for (Index j = 0; j < values.size(); ++j) number(values[j]);
    return *this;
  }
  TextWriter& line() {
    if (!text_.empty() && text_.back() == ' ') text_.pop_back();
    text_.push_back('\n');
    return *this;
  }

  /// The text with a last line that vouches for it.
  std::string finish() const {
    char digits[17] = {};
    std::uint64_t sum = checksum(text_);
    for (int k = 15; k >= 0; --k, sum >>= 4) digits[k] = "0123456789abcdef"[sum & 15];
    return text_ + "checksum " + digits + "\n";
  }

 private:
  std::string text_;
};

/// Reads what TextWriter wrote. What is not there, or not what it should be, is remembered: ok() says so once at the end.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {
    constexpr std::size_t kLast = 26;  // "checksum ", 16 digits, the end of the line
    if (text.size() < kLast || text.substr(text.size() - kLast, 9) != "checksum ") {
      fail();
      return;
    }
    const std::string_view digits = text.substr(text.size() - 17, 16);
    std::uint64_t sum = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), sum, 16);
    text_.remove_suffix(kLast);
    if (code != std::errc() || end != digits.data() + digits.size() || sum != checksum(text_)) fail();
  }

  bool ok() const { return ok_; }
  /// What is left to read, in characters: no list in it can be longer.
  std::size_t left() const { return text_.size(); }

  std::string_view word() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
    const std::size_t size = std::min(text_.find_first_of(" \n"), text_.size());
    const std::string_view out = text_.substr(0, size);
    text_.remove_prefix(size);
    if (out.empty()) fail();
    return out;
  }
  /// The word that must come.
  void expect(std::string_view wanted) {
    if (word() != wanted) fail();
  }
  std::int64_t integer() {
    const std::string_view text = word();
    std::int64_t out = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (code != std::errc() || end != text.data() + text.size()) fail();
    return out;
  }
  /// An integer in [low, high].
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    const std::int64_t out = integer();
    if (out < low || out > high) fail();
    return std::min(std::max(out, low), high);
  }
  template <typename Enum>
  Enum enumerator(std::size_t count) {
    return static_cast<Enum>(integer(0, static_cast<std::int64_t>(count) - 1));
  }

  template <typename S>
  S number() {
    std::string_view text = word();
    if (text == "nan") return std::numeric_limits<S>::quiet_NaN();
    const bool negative = !text.empty() && text.front() == '-';
    if (negative) text.remove_prefix(1);
    S out = S(0);
    if (text == "inf") {
      out = std::numeric_limits<S>::infinity();
    } else {
      const std::size_t power = text.find('p');
      if (text.substr(0, 3) != "0x." || power == std::string_view::npos) return fail(), S(0);
      const std::string_view digits = text.substr(3, power - 3), last = text.substr(power + 1);
      int exponent = 0;
      const auto [end, code] = std::from_chars(last.data(), last.data() + last.size(), exponent);
      if (code != std::errc() || end != last.data() + last.size() || digits.size() > 64) return fail(), S(0);
      for (std::size_t k = digits.size(); k-- > 0;) {
        const char c = digits[k];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
        if (digit == 16) return fail(), S(0);
        out = (out + S(digit)) / S(16);
      }
      out = std::ldexp(out, exponent);
    }
    return negative ? -out : out;
  }
  /// A list of `wanted` numbers.
  template <typename Vector>
  void numbers(Vector& out, Index wanted) {
    if (integer() != wanted) return fail();
    out.resize(wanted);
    for (Index j = 0; j < wanted; ++j) out[j] = number<typename Vector::Scalar>();
  }

  void fail() {
    ok_ = false;
    text_ = {};
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
