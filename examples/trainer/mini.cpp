// SPDX-License-Identifier: Apache-2.0
// A study of seconds on made-up text, which checks what the long one relies on.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "commands.hpp"
#include "study.hpp"
#include "sweeps.hpp"

namespace trainer {
namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("mini: failed: ") + what);
  std::printf("mini: %s\n", what);
}

}  // namespace

int mini(Arguments& arguments) {
  const std::string folder = arguments.get("folder", std::string("mini"));
  arguments.check();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  StudyOptions options;
  options.results = folder + "/results.csv";
  options.forecasts = folder + "/forecasts.csv";
  options.train.state_folder = folder;
  options.quiet = true;
  const RateLaw rates{0.015, 0, -0.25};
  const std::vector<Run> list = grid("synthetic", {{4, 8, 16}, spaced(16384, 131072, 4), 1e12}, rates, "grid");
  const std::string path = folder + "/plan.csv";
  write_plan(path, list);

  // Killed within the third run, a second worker at its own part, then started again.
  StudyOptions killed = options;
  killed.train.stop_before = 50;
  Study(killed).perform({list[2]});
  require(Study(options).measured("synthetic").empty(), "a run that is interrupted has no result");
  require(std::filesystem::exists(folder + "/" + list[2].name() + ".state"), "but a checkpoint");
  for (const std::size_t part : {1u, 0u}) {
    StudyOptions own = options;
    own.part = part;
    own.parts = 2;
    Study(own).perform(read_plan(path));
  }
  Study study(options);
  study.perform(read_plan(path));  // nothing is left to do
  require(study.measured("synthetic").size() == list.size(), "two parts make every run of the list once");
  require(!std::filesystem::exists(folder + "/" + list[2].name() + ".state"), "and leave no checkpoint");
  const Outcome whole = *train(list[2], load_corpus("", "synthetic"), options.train);
  require(shown(whole.loss, 7) == shown(study.losses_by_rate(list[2]).begin()->second, 7),
          "a run that was interrupted ends like one that was not");
  require(!read_table(options.forecasts).empty(), "later runs were forecast");

  std::string line = "sweep --corpus synthetic --widths 4,8,12,16,24 --least-bytes 16384 --most-bytes 262144 --flops 1e11";
  line += " --rounds 2 --runs 2 --target-width 32 --target-bytes 1e6 --quiet 1";
  line += " --state " + folder + " --results " + folder + "/sweep.csv";
  std::istringstream stream(line);
  Arguments sweeping(std::vector<std::string>{std::istream_iterator<std::string>(stream), {}});
  require(sweep(sweeping) == 0, "a sweep that plans itself comes to its end");
  const std::size_t made = read_table(folder + "/sweep.csv").size();
  require(made > 9 && made <= 13, "with runs beyond its seed set");
  return 0;
}

}  // namespace trainer
