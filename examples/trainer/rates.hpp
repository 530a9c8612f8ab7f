// SPDX-License-Identifier: Apache-2.0
/// \file
/// The learning rate of every run, from short runs at a few sizes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trainer {

/// rate = reference (params / 1e5)^by_params (tokens / 1e6)^by_tokens
struct RateLaw {
  double reference, by_params, by_tokens;

  double at(double params, double tokens) const;
};

/// Losses of one cell by learning rate.
using Losses = std::map<double, double>;

/// The rate to try next: twice or half of one that was, until the best has a worse neighbour on both sides. \param start the
/// first one.
std::optional<double> next_rate(const Losses& losses, double start);

/// Where the parabola through the best rate and its neighbours, in ln rate, is least. Needs next_rate() to have nothing left.
double best_rate(const Losses& losses);

struct Tuned {
  double params, tokens, rate;
};

/// Least squares in logarithms.
RateLaw fit_rates(const std::vector<Tuned>& tuned);

/// A file with the columns reference, by_params and by_tokens.
void write_rates(const std::string& path, const RateLaw& law);
RateLaw read_rates(const std::string& path);

}  // namespace trainer
