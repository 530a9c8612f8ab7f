// SPDX-License-Identifier: Apache-2.0
#include "sweeps.hpp"

#include <algorithm>
#include <cmath>

#include "batches.hpp"

namespace trainer {
namespace {

std::int64_t whole_pieces(double bytes) { return std::max<std::int64_t>(1, std::llround(bytes / kPiece)) * kPiece; }

Run make(const std::string& corpus, int width, double bytes, std::uint64_t seed, const RateLaw& rates,
         const std::string& role) {
  Run run{corpus, width, whole_pieces(bytes), seed, 0, role};
  run.rate = std::stod(shown(rates.at(run.params(), double(run.bytes))));  // as a file tells it
  return run;
}

}  // namespace

std::vector<std::int64_t> spaced(double from, double to, int count) {
  std::vector<std::int64_t> out;
  for (int i = 0; i < count; ++i) out.push_back(whole_pieces(from * std::pow(to / from, double(i) / std::max(count - 1, 1))));
  return out;
}

std::vector<Run> grid(const std::string& corpus, const Region& region, const RateLaw& rates, const std::string& role) {
  std::vector<Run> out;
  for (const int width : region.widths)
    for (const std::int64_t bytes : region.bytes) {
      const Run run = make(corpus, width, double(bytes), 1, rates, role);
      if (run.flops() <= region.most_flops) out.push_back(run);
    }
  return out;
}

std::vector<Run> full_sweep(const std::string& corpus, const RateLaw& rates) {
  const Region region{{12, 16, 24, 36, 52, 76, 112, 168}, spaced(3e5, 2e7, 8), 8e12};
  std::vector<Run> out = grid(corpus, region, rates, "grid");
  // Further seeds of cells all over the grid.
  for (const auto& [width, length] : {std::pair{12, 1}, {12, 6}, {24, 3}, {36, 0}, {36, 5}, {52, 3}, {76, 1}, {112, 3}})
    for (const std::uint64_t seed : {2u, 3u, 4u})
      out.push_back(make(corpus, width, double(region.bytes[std::size_t(length)]), seed, rates, "replicate"));
  // One number of bytes per parameter; and the same sizes at numbers spread about it.
  const int widths[] = {16, 20, 28, 40, 56, 72, 88};
  const double ratio = 60, spread[] = {8, 2, 0.5, 4, 0.25, 0.5, 0.125};
  for (std::size_t i = 0; i < std::size(widths); ++i) {
    const double bytes = ratio * Run{corpus, widths[i], kPiece, 1, 0}.params();
    out.push_back(make(corpus, widths[i], bytes, 1, rates, "ray"));
    out.push_back(make(corpus, widths[i], bytes * spread[i], 1, rates, "fan"));
  }
  std::stable_sort(out.begin(), out.end(), [](const Run& a, const Run& b) { return a.flops() < b.flops(); });
  for (const int width : {168, 240}) out.push_back(make(corpus, width, 3e7, 1, rates, "target"));
  return out;
}

void write_plan(const std::string& path, const std::vector<Run>& runs) {
  std::string text = "corpus,width,tokens,seed,learning_rate,role\n";
  for (const Run& run : runs)
    text += run.corpus + "," + std::to_string(run.width) + "," + std::to_string(run.bytes) + "," + std::to_string(run.seed) +
            "," + shown(run.rate) + "," + run.role + "\n";
  replace_file(path, text);
}

std::vector<Run> read_plan(const std::string& path) {
  std::vector<Run> out;
  for (const Row& row : read_table(path)) out.push_back(run_of(row));
  return out;
}

}  // namespace trainer
