// SPDX-License-Identifier: Apache-2.0
/// \file
/// Numbers that someone else holds.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "offray/types.hpp"

#if __cplusplus >= 202002L || (defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#include <span>
#endif

namespace offray {
inline namespace OFFRAY_ABI {

namespace detail {

/// Whether an Eigen type is known to have its elements one after the other in one row or column; true for any other type.
template <typename T, typename = void>
struct IsDense : std::true_type {};
template <typename T>
struct IsDense<T, std::void_t<decltype(T::InnerStrideAtCompileTime), decltype(T::IsVectorAtCompileTime)>>
    : std::bool_constant<T::InnerStrideAtCompileTime == 1 && bool(T::IsVectorAtCompileTime)> {};

}  // namespace detail

/// n numbers one after the other: a pointer and a size. Made from whatever has data() and size(): std::vector, std::array,
/// std::span, Eigen's vectors and maps of unit stride. It owns nothing, so it is for arguments, which no function here keeps
/// beyond its call.
///
/// Its own type even where std::span exists, so that a program in C++20 links with a library in C++17.
template <typename S>
class Span {
 public:
  constexpr Span() noexcept = default;
  constexpr Span(const S* data, std::size_t size) noexcept : data_(data), size_(static_cast<Index>(size)) {}
  constexpr Span(const S* data, Index size) noexcept : data_(data), size_(size) {}

  template <typename Container,
            typename = std::enable_if_t<
                detail::IsDense<Container>::value &&
                std::is_same_v<std::remove_cv_t<std::remove_pointer_t<decltype(std::declval<const Container&>().data())>>, S>>,
            typename = decltype(std::declval<const Container&>().size())>
  constexpr Span(const Container& values) noexcept  // NOLINT: a view of them is what is meant
      : data_(values.data()), size_(static_cast<Index>(values.size())) {}

#ifdef __cpp_lib_span
  constexpr Span(std::span<const S> values) noexcept  // NOLINT
      : data_(values.data()), size_(static_cast<Index>(values.size())) {}
#endif

  constexpr const S* data() const noexcept { return data_; }
  constexpr Index size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const S& operator[](Index i) const noexcept { return data_[i]; }
  constexpr const S* begin() const noexcept { return data_; }
  constexpr const S* end() const noexcept { return data_ + size_; }

  /// As Eigen sees them.
  Eigen::Map<const Vector<S>> vector() const noexcept { return {data_, size_}; }

 private:
  const S* data_ = nullptr;
  Index size_ = 0;
};

}  // namespace OFFRAY_ABI
}  // namespace offray
