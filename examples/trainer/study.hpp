// SPDX-License-Identifier: Apache-2.0
/// \file
/// Makes the runs of a list that are not in the results yet, with a forecast before each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "corpus.hpp"
#include "loss_law.hpp"
#include "run.hpp"

namespace trainer {

struct StudyOptions {
  std::string corpora = "corpora";  ///< folder
  std::string results;              ///< file
  std::string forecasts;            ///< file; empty for none
  std::string law = "chinchilla";   ///< of the forecasts
  std::size_t part = 0, parts = 1;  ///< of the list: every parts-th run, from this one on
  bool quiet = false;
  TrainOptions train;
};

class Study {
 public:
  explicit Study(StudyOptions options) : options_(std::move(options)) {}

  /// In the order of the list. Any number of programs may do so at once, each with a part of its own.
  void perform(const std::vector<Run>& list);

  /// The runs of one corpus in the results file.
  std::vector<Place> measured(const std::string& corpus) const;

  /// Held-out losses of one run by learning rate.
  std::map<double, double> losses_by_rate(const Run& run) const;

 private:
  bool is_made(const Run& run) const;
  void make(const Run& run);
  const Corpus& corpus(const std::string& name);
  void tell(const Run& run, std::int64_t step, std::int64_t steps, double loss, double seconds) const;

  StudyOptions options_;
  std::map<std::string, Corpus> corpora_;
  std::size_t at_ = 0, of_ = 0;               ///< runs of this part
  double left_ = 0, done_ = 0, seconds_ = 0;  ///< of this part, in this process
};

}  // namespace trainer
