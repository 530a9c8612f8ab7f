// SPDX-License-Identifier: Apache-2.0
/// \file
/// Lists of runs.
#pragma once

#include <string>
#include <vector>

#include "rates.hpp"
#include "run.hpp"

namespace trainer {

/// Widths and lengths of runs: all cells of widths x bytes that cost at most `most_flops`.
struct Region {
  std::vector<int> widths;
  std::vector<std::int64_t> bytes;
  double most_flops;
};

/// Lengths from one to another at equal ratios, in whole pieces of text.
std::vector<std::int64_t> spaced(double from, double to, int count);

std::vector<Run> grid(const std::string& corpus, const Region& region, const RateLaw& rates, const std::string& role);

/// The sweep of one corpus: a grid with repeated cells, a ray, a fan and targets; the cheapest first, the targets last.
std::vector<Run> full_sweep(const std::string& corpus, const RateLaw& rates);

/// A file with the columns of run_of().
void write_plan(const std::string& path, const std::vector<Run>& runs);
std::vector<Run> read_plan(const std::string& path);

}  // namespace trainer
