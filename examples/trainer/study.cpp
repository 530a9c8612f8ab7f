// SPDX-License-Identifier: Apache-2.0
#include "study.hpp"

#include <cmath>
#include <cstdio>
#include <optional>

namespace trainer {
namespace {

const char* const kResults = "corpus,params,tokens,loss,seed,flops,learning_rate,wall_seconds,role";
const char* const kForecasts = "corpus,params,tokens,seed,role,runs,forecast,low,high,loss";

bool is(const Row& row, const Run& run) {
  return row.text("corpus") == run.corpus && row.number("params") == run.params() &&
         row.number("tokens") == double(run.bytes) && row.number("seed") == double(run.seed);
}

std::string minutes(double seconds) {
  return seconds < 90 ? shown(std::ceil(seconds), 4) + " s" : shown(std::ceil(seconds / 60), 5) + " min";
}

std::string place(const Run& run) { return run.corpus + "," + shown(run.params(), 12) + "," + shown(double(run.bytes), 12); }

}  // namespace

void Study::perform(const std::vector<Run>& list) {
  std::vector<Run> own;
  left_ = done_ = seconds_ = 0;
  for (std::size_t i = options_.part; i < list.size(); i += options_.parts) {
    if (is_made(list[i])) continue;
    own.push_back(list[i]);
    left_ += list[i].effort();
  }
  of_ = own.size();
  for (at_ = 0; at_ < of_; ++at_) make(own[at_]);
}

void Study::make(const Run& run) {
  std::optional<Forecast> forecast;
  std::size_t fitted = 0;
  if (!options_.forecasts.empty()) {
    const std::vector<Place> before = measured(run.corpus);
    fitted = before.size();
    if (fitted >= LossLaw::kFewest) forecast = LossLaw(before, options_.law).forecast({run.params(), double(run.bytes)});
  }
  TrainOptions options = options_.train;
  if (!options_.quiet)
    options.progress = [&](std::int64_t step, std::int64_t steps, double loss, double seconds) {
      tell(run, step, steps, loss, seconds);
    };
  const std::optional<Outcome> outcome = train(run, corpus(run.corpus), options);
  if (!outcome) return;
  append_line(options_.results, kResults,
              place(run) + "," + shown(outcome->loss, 7) + "," + std::to_string(run.seed) + "," + shown(run.flops(), 8) + "," +
                  shown(run.rate) + "," + shown(outcome->seconds, 4) + "," + run.role);
  forget(run, options);
  left_ -= run.effort();
  done_ += run.effort();
  seconds_ += outcome->seconds;
  if (forecast)
    append_line(options_.forecasts, kForecasts,
                place(run) + "," + std::to_string(run.seed) + "," + run.role + "," + std::to_string(fitted) + "," +
                    shown(forecast->loss, 7) + "," + shown(forecast->low, 7) + "," + shown(forecast->high, 7) + "," +
                    shown(outcome->loss, 7));
  if (options_.quiet) return;
  std::fprintf(stderr, "\r\033[K%s: loss %.4f", run.name().c_str(), outcome->loss);
  if (forecast) {
    const bool inside = forecast->low <= outcome->loss && outcome->loss <= forecast->high;
    std::fprintf(stderr, ", forecast %.4f, 95 %% %.4f .. %.4f%s", forecast->loss, forecast->low, forecast->high,
                 inside ? "" : " MISSED");
  }
  std::fprintf(stderr, "\n");
}

void Study::tell(const Run& run, std::int64_t step, std::int64_t steps, double loss, double seconds) const {
  const double part = double(step) / double(steps), speed = (done_ + part * run.effort()) / (seconds_ + seconds);
  std::fprintf(stderr, "\r\033[K%zu of %zu, %s: %.0f %%, loss %.3f, %s left", at_ + 1, of_, run.name().c_str(), 100 * part,
               loss, minutes((left_ - part * run.effort()) / speed).c_str());
}

std::vector<Place> Study::measured(const std::string& corpus) const {
  std::vector<Place> out;
  for (const Row& row : read_table(options_.results))
    if (row.text("corpus") == corpus)
      out.push_back({row.number("params"), row.number("tokens"), row.number("loss"), row.number("flops")});
  return out;
}

std::map<double, double> Study::losses_by_rate(const Run& run) const {
  std::map<double, double> out;
  for (const Row& row : read_table(options_.results))
    if (is(row, run)) out[row.number("learning_rate")] = row.number("loss");
  return out;
}

bool Study::is_made(const Run& run) const { return losses_by_rate(run).count(std::stod(shown(run.rate))) != 0; }

const Corpus& Study::corpus(const std::string& name) {
  auto at = corpora_.find(name);
  if (at == corpora_.end()) at = corpora_.emplace(name, load_corpus(options_.corpora, name)).first;
  return at->second;
}

}  // namespace trainer
