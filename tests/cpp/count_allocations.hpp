// SPDX-License-Identifier: Apache-2.0
/// \file
/// Counts allocations between two lines of a test, those of Eigen in release builds too. Include first, in one file of a
/// program.
#pragma once

#include <cstdlib>
#include <new>

namespace count {
inline bool on = false;
inline int allocations = 0;
}  // namespace count

// Eigen asserts that it may allocate, by malloc and not by operator new; a release build would leave the assertion out.
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) ((condition) ? void() : void(++count::allocations))

#include <Eigen/Core>

// Not inlined, or GCC takes malloc and operator delete for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (count::on) ++count::allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
// Its default pairs with the operators above, a sanitizer's does not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (count::on) ++count::allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace count {
inline void start() {
  on = true;
  Eigen::internal::set_is_malloc_allowed(false);
}
inline void stop() {
  Eigen::internal::set_is_malloc_allowed(true);
  on = false;
}
}  // namespace count
