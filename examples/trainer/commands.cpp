// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"

#include <cstdio>
#include <filesystem>

#include "study.hpp"
#include "sweeps.hpp"

namespace trainer {
namespace {

std::vector<std::string> names(const std::string& list) {
  std::vector<std::string> out(1);
  for (const char c : list)
    if (c == ',')
      out.emplace_back();
    else
      out.back() += c;
  return out;
}

/// "1/2" is the first of two.
void parse_part(const std::string& text, StudyOptions& options) {
  std::size_t part = 0, parts = 0;
  if (std::sscanf(text.c_str(), "%zu/%zu", &part, &parts) != 2 || part < 1 || part > parts)
    throw std::runtime_error("--part needs a part such as 1/2, not " + text);
  options.part = part - 1;
  options.parts = parts;
}

StudyOptions study_options(Arguments& arguments, const std::string& results) {
  StudyOptions options;
  options.corpora = arguments.get("corpora", std::string("corpora"));
  options.results = arguments.get("results", results);
  options.forecasts = arguments.get("forecasts", std::string());
  options.law = arguments.get("law", options.law);
  options.train.state_folder = arguments.get("state", std::string("state"));
  options.train.checkpoint_seconds = arguments.get("checkpoint", 30.0);
  options.quiet = arguments.get("quiet", 0.0) != 0;
  parse_part(arguments.get("part", std::string("1/1")), options);
  std::filesystem::create_directories(options.train.state_folder);
  return options;
}

/// Runs that may be suggested.
std::vector<Run> candidates(const std::string& corpus, Arguments& arguments, const RateLaw& rates, double budget) {
  std::vector<int> widths;
  for (const std::string& width : names(arguments.get("widths", std::string("12,16,24,36,52,76,112,168"))))
    widths.push_back(std::stoi(width));
  const auto bytes = spaced(arguments.get("least-bytes", 3e5), arguments.get("most-bytes", 2e7), 12);
  return grid(corpus, {widths, bytes, budget}, rates, "suggested");
}

std::vector<Place> places(const std::vector<Run>& runs) {
  std::vector<Place> out;
  for (const Run& run : runs) out.push_back({run.params(), double(run.bytes), 0, run.flops()});
  return out;
}

Place target(Arguments& arguments) {
  const Run run{"", static_cast<int>(arguments.get("target-width", 168.0)), 0, 1, 0};
  return {run.params(), arguments.get("target-bytes", 3e7)};
}

/// Three sizes at three lengths each, both from the smallest to the largest of what costs at most `most_flops` a run.
std::vector<Run> seed_set(const std::vector<Run>& open, double most_flops) {
  std::map<int, std::vector<Run>> by_width;
  for (const Run& run : open)
    if (run.flops() <= most_flops) by_width[run.width].push_back(run);
  std::vector<std::vector<Run>> sizes;
  for (const auto& [width, runs] : by_width)
    if (runs.size() >= 3) sizes.push_back(runs);
  std::vector<Run> out;
  for (std::size_t i = 0; i < 3 && sizes.size() >= 3; ++i) {
    const std::vector<Run>& runs = sizes[i * (sizes.size() - 1) / 2];
    for (std::size_t k = 0; k < 3; ++k) out.push_back(runs[k * (runs.size() - 1) / 2]);
  }
  if (out.empty()) throw std::runtime_error("the budget is too small for a seed set of nine runs");
  return out;
}

/// The next runs, printed with what is expected of them.
std::vector<Run> next_runs(const std::string& name, const std::vector<Place>& made, const std::vector<Run>& open,
                           const Place& target, double budget, int most) {
  const LossLaw law(made, name);
  std::printf("%s", law.text().c_str());
  const Forecast goal = law.forecast(target);
  std::printf("target N = %.0f, D = %.0f: %.4f, 95 %% %.4f .. %.4f\n", target.params, target.tokens, goal.loss, goal.low,
              goal.high);
  std::vector<Run> out;
  for (const std::size_t i : law.next(places(open), target, budget, most)) {
    out.push_back(open[i]);
    const Forecast at = law.forecast(places({open[i]}).front());
    std::printf("next: width %d, N = %.0f, D = %lld, %.2g FLOP: forecast %.4f, 95 %% %.4f .. %.4f\n", open[i].width,
                open[i].params(), static_cast<long long>(open[i].bytes), open[i].flops(), at.loss, at.low, at.high);
  }
  return out;
}

}  // namespace

int tune(Arguments& arguments) {
  const StudyOptions options = study_options(arguments, "tune.csv");
  const std::string law = arguments.get("rates", std::string("rates.csv"));
  const auto corpora = names(arguments.get("corpus", std::string("python,documentation")));
  const double start = arguments.get("start", 0.012);
  const auto seeds = static_cast<std::uint64_t>(arguments.get("seeds", 2.0));
  std::vector<int> widths;
  for (const std::string& width : names(arguments.get("widths", std::string("12,32,80")))) widths.push_back(std::stoi(width));
  const auto lengths = spaced(arguments.get("least-bytes", 3e5), arguments.get("most-bytes", 6e6), 3);
  arguments.check();

  Study study(options);
  std::vector<Tuned> tuned;
  for (const std::int64_t bytes : lengths)
    for (const int width : widths)
      for (const std::string& corpus : corpora) {
        Losses mean;
        for (auto rate = std::optional<double>(start); rate; rate = next_rate(mean, start)) {
          double total = 0;
          for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            const Run run{corpus, width, bytes, seed, *rate, "tune"};
            study.perform({run});
            total += study.losses_by_rate(run).at(std::stod(shown(*rate)));
          }
          mean[*rate] = total / double(seeds);
        }
        tuned.push_back({Run{corpus, width, bytes, 1, 0}.params(), double(bytes), best_rate(mean)});
        std::printf("%s, width %d, %lld bytes: best learning rate %.4g\n", corpus.c_str(), width, static_cast<long long>(bytes),
                    tuned.back().rate);
        std::fflush(stdout);
      }
  const RateLaw found = fit_rates(tuned);
  write_rates(law, found);
  std::printf("learning rate = %.4g (N / 1e5)^%.3f (D / 1e6)^%.3f\n", found.reference, found.by_params, found.by_tokens);
  return 0;
}

int plan(Arguments& arguments) {
  const RateLaw rates = read_rates(arguments.get("rates", std::string("rates.csv")));
  const std::string path = arguments.get("plan", std::string("plan.csv"));
  const auto corpora = names(arguments.get("corpus", std::string("python,documentation")));
  arguments.check();
  // One run of every corpus in turn, so that all corpora are there from the beginning.
  std::vector<std::vector<Run>> sweeps;
  for (const std::string& corpus : corpora) sweeps.push_back(full_sweep(corpus, rates));
  std::vector<Run> runs;
  double flops = 0;
  for (std::size_t i = 0; i < sweeps.front().size(); ++i)
    for (const std::vector<Run>& list : sweeps) {
      runs.push_back(list[i]);
      flops += list[i].flops();
    }
  write_plan(path, runs);
  std::printf("%zu runs, %.3g FLOP\n", runs.size(), flops);
  return 0;
}

int run(Arguments& arguments) {
  const std::string path = arguments.get("plan", std::string("plan.csv"));
  const StudyOptions options = study_options(arguments, "results.csv");
  arguments.check();
  const std::vector<Run> list = read_plan(path);
  if (list.empty()) throw std::runtime_error(path + " has no runs: the command plan makes it");
  Study(options).perform(list);
  return 0;
}

int suggest(Arguments& arguments) {
  const StudyOptions options = study_options(arguments, "results.csv");
  const RateLaw rates = read_rates(arguments.get("rates", std::string("rates.csv")));
  const std::string corpus = arguments.get("corpus", std::string("python")), path = arguments.get("plan", std::string());
  const double budget = arguments.get("flops", 1e13);
  const int most = static_cast<int>(arguments.get("runs", 6.0));
  const Place goal = target(arguments);
  const std::vector<Run> open = candidates(corpus, arguments, rates, budget);
  arguments.check();
  const std::vector<Place> made = Study(options).measured(corpus);
  if (made.size() < LossLaw::kFewest) throw std::runtime_error("too few runs to fit");
  const std::vector<Run> next = next_runs(options.law, made, open, goal, budget, most);
  if (!path.empty()) write_plan(path, next);
  return 0;
}

int sweep(Arguments& arguments) {
  StudyOptions options = study_options(arguments, "results.csv");
  const std::string corpus = arguments.get("corpus", std::string("python"));
  if (options.forecasts.empty()) options.forecasts = options.results + ".forecasts";
  const std::string path = arguments.get("rates", std::string());
  const RateLaw rates = path.empty() ? RateLaw{0.015, 0, -0.25} : read_rates(path);
  const double budget = arguments.get("flops", 1e13);
  const int rounds = static_cast<int>(arguments.get("rounds", 2.0)), most = static_cast<int>(arguments.get("runs", 4.0));
  const Place goal = target(arguments);
  std::vector<Run> open = candidates(corpus, arguments, rates, budget);
  arguments.check();

  // Only three of its runs cost as much as that: a tenth of the budget in all.
  Study study(options);
  study.perform(seed_set(open, budget / 36));
  for (int round = 0; round < rounds; ++round) {
    std::printf("round %d: ", round + 1);
    study.perform(next_runs(options.law, study.measured(corpus), open, goal, 0.9 * budget / rounds, most));
    // What is done is not suggested again.
    std::vector<Run> rest;
    for (const Run& run : open)
      if (study.losses_by_rate(run).empty()) rest.push_back(run);
    open = rest;
  }
  std::printf("in the end: %s", LossLaw(study.measured(corpus), options.law).text().c_str());
  return 0;
}

}  // namespace trainer
