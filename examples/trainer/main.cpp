// SPDX-License-Identifier: Apache-2.0
// Trains small language models for a scaling-law study that offray plans and forecasts.
#include <cstdio>
#include <exception>
#include <map>

#include "commands.hpp"

namespace {

const char* const kUsage =
    "usage: trainer COMMAND [--OPTION VALUE] ...\n"
    "  tune     find learning rates: short runs, then a power law in size and length   (--rates, --results)\n"
    "  plan     write the list of the full sweep                                       (--rates, --plan)\n"
    "  run      make the runs of a list that are not done yet; may be killed and       (--plan, --results, --forecasts,\n"
    "           started again at any time, and by several programs with --part 1/2      --part, --state, --checkpoint)\n"
    "  suggest  ask offray which runs to make next                                     (--results, --corpus, --flops, --runs)\n"
    "  sweep    a study that plans itself: a seed set, then batches chosen by offray   (--corpus, --flops, --rounds, --runs)\n"
    "  mini     all of that in seconds, checked                                        (--folder)\n"
    "The law of forecasts is --law, \"chinchilla\" unless given; kaplan, kaplan_floor and droppo_elibol are others.\n"
    "Corpora are looked for in --corpora, \"corpora\" unless given; the corpus \"synthetic\" needs no file.\n";

}  // namespace

int main(int count, char** values) {
  const std::map<std::string, int (*)(trainer::Arguments&)> commands{{"tune", trainer::tune},   {"plan", trainer::plan},
                                                                     {"run", trainer::run},     {"suggest", trainer::suggest},
                                                                     {"sweep", trainer::sweep}, {"mini", trainer::mini}};
  try {
    trainer::Arguments arguments(std::vector<std::string>(values + 1, values + count));
    const auto command = arguments.words.size() == 1 ? commands.find(arguments.words[0]) : commands.end();
    if (command == commands.end()) {
      std::fputs(kUsage, stderr);
      return 2;
    }
    return command->second(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "trainer: %s\n", error.what());
    return 1;
  }
}
