// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace bench {

/// Keeps a result that nobody reads from being optimised away.
template <typename T>
void keep(const T& value) {
  static void (*volatile reader)(const void*) = [](const void*) {};
  reader(&value);
}

/// Median nanoseconds of one call, over batches of about a tenth of a millisecond, for about 60 ms.
template <typename Call>
double median_ns(Call call) {
  using Clock = std::chrono::steady_clock;
  const auto batch_ns = [&](int repeats) {
    const auto start = Clock::now();
    for (int k = 0; k < repeats; ++k) call();
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  };
  int repeats = 1;
  while (batch_ns(repeats) < 1e5) repeats *= 2;
  std::vector<double> times;
  for (double spent = 0; spent < 6e7 || times.size() < 5;) {
    const double ns = batch_ns(repeats);
    spent += ns;
    times.push_back(ns / repeats);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

}  // namespace bench
