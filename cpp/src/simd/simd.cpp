// SPDX-License-Identifier: Apache-2.0
// Which kernels run: asked of the processor once, changed by name.
#include <atomic>
#include <cstdlib>

#include "offray/detail/simd/kernels.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

namespace {

using KernelTable = kernel_paths::KernelTable<double>;

/// Slowest first; the baseline is always there.
std::vector<const KernelTable*> available() {
  std::vector<const KernelTable*> paths{&kernel_paths::baseline};
#ifdef OFFRAY_SIMD_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    paths.push_back(&kernel_paths::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      paths.push_back(&kernel_paths::avx512);
  }
#endif
  return paths;
}

/// Null where the name is not available.
const KernelTable* find(std::string_view name) {
  for (const KernelTable* path : available())
    if (path->name == name) return path;
  return nullptr;
}

const KernelTable* initial() {
  const char* wish = std::getenv("OFFRAY_SIMD");
  const KernelTable* wished = wish == nullptr ? nullptr : find(wish);
  return wished == nullptr ? available().back() : wished;
}

/// Null until first asked, so that no static initialiser can come too late.
std::atomic<const KernelTable*> chosen{nullptr};

}  // namespace

namespace detail {

const KernelTable& simd_path() {
  const KernelTable* path = chosen.load(std::memory_order_relaxed);
  if (path == nullptr) {
    const KernelTable* first = initial();
    // A choice made meanwhile by another thread stands; `path` is then that choice.
    if (chosen.compare_exchange_strong(path, first, std::memory_order_relaxed)) path = first;
  }
  return *path;
}

}  // namespace detail

std::string_view simd() { return detail::simd_path().name; }

std::vector<std::string_view> simd_available() {
  std::vector<std::string_view> names;
  for (const KernelTable* path : available()) names.emplace_back(path->name);
  return names;
}

void force_simd(std::string_view name) {
  const KernelTable* path = name == "best" ? available().back() : find(name);
  if (path == nullptr) {
    std::string message = "simd path must be 'best', 'baseline', 'avx2' or 'avx512'; available here: ";
    for (const std::string_view known : simd_available()) message.append(known).append(", ");
    message.resize(message.size() - 2);
    detail::reject(message.append("; got '").append(name).append("'"));
  }
  chosen.store(path, std::memory_order_relaxed);
}

}  // namespace OFFRAY_ABI
}  // namespace offray
