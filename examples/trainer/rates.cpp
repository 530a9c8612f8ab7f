// SPDX-License-Identifier: Apache-2.0
#include "rates.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "table.hpp"

namespace trainer {
namespace {

constexpr double kParams = 1e5, kTokens = 1e6;

Losses::const_iterator best(const Losses& losses) {
  return std::min_element(losses.begin(), losses.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
}

}  // namespace

double RateLaw::at(double params, double tokens) const {
  return reference * std::pow(params / kParams, by_params) * std::pow(tokens / kTokens, by_tokens);
}

std::optional<double> next_rate(const Losses& losses, double start) {
  if (losses.empty()) return start;
  const auto middle = best(losses);
  if (middle == losses.begin()) return middle->first / 2;
  if (std::next(middle) == losses.end()) return middle->first * 2;
  return std::nullopt;
}

double best_rate(const Losses& losses) {
  const auto middle = best(losses), left = std::prev(middle), right = std::next(middle);
  // Neighbours are a factor of two apart, on both sides.
  const double slope = (right->second - left->second) / 2, curvature = right->second - 2 * middle->second + left->second;
  return middle->first * std::exp2(curvature > 0 ? -slope / curvature : 0);
}

RateLaw fit_rates(const std::vector<Tuned>& tuned) {
  const auto n = static_cast<Eigen::Index>(tuned.size());
  Eigen::MatrixXd X(n, 3);
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Tuned& at = tuned[static_cast<std::size_t>(i)];
    X.row(i) << 1, std::log(at.params / kParams), std::log(at.tokens / kTokens);
    y[i] = std::log(at.rate);
  }
  const Eigen::Vector3d found = X.colPivHouseholderQr().solve(y);
  return {std::exp(found[0]), found[1], found[2]};
}

void write_rates(const std::string& path, const RateLaw& law) {
  replace_file(path, "reference,by_params,by_tokens\n" + shown(law.reference) + "," + shown(law.by_params) + "," +
                         shown(law.by_tokens) + "\n");
}

RateLaw read_rates(const std::string& path) {
  const std::vector<Row> rows = read_table(path);
  if (rows.size() != 1) throw std::runtime_error(path + " has no law of learning rates: the command tune makes it");
  return {rows[0].number("reference"), rows[0].number("by_params"), rows[0].number("by_tokens")};
}

}  // namespace trainer
