// SPDX-License-Identifier: Apache-2.0
/// \file
/// Runs that share something: checkpoints of one training run, models of one family.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Which runs belong together.
class Groups {
 public:
  /// \param labels one per run; empty: every run is a group of its own.
  /// \throws InvalidInput for another number of labels, or where all runs are one group.
  Groups(Index runs, const std::vector<Index>& labels) : of_(static_cast<std::size_t>(runs)), members_(of_.size()) {
    if (!labels.empty() && static_cast<Index>(labels.size()) != runs)
      detail::reject("group has " + std::to_string(labels.size()) + " labels, but there are " + std::to_string(runs) +
                     " runs: one per run is needed");
    for (std::size_t i = 0; i < of_.size(); ++i) members_[i] = static_cast<Index>(i);
    const auto label = [&](Index run) { return labels.empty() ? run : labels[static_cast<std::size_t>(run)]; };
    std::stable_sort(members_.begin(), members_.end(), [&](Index a, Index b) { return label(a) < label(b); });
    for (std::size_t k = 0; k < members_.size(); ++k) {
      if (k == 0 || label(members_[k]) != label(members_[k - 1])) first_.push_back(static_cast<Index>(k));
      of_[static_cast<std::size_t>(members_[k])] = static_cast<Index>(first_.size()) - 1;
    }
    first_.push_back(runs);
    if (count() < 2) detail::reject("group: all runs are in one group; resampling needs at least two");
  }

  Index count() const { return static_cast<Index>(first_.size()) - 1; }
  Index of(Index run) const { return of_[static_cast<std::size_t>(run)]; }
  Index size(Index group) const { return first(group + 1) - first(group); }
  /// The k-th run of a group, in the order of the runs.
  Index member(Index group, Index k) const { return members_[static_cast<std::size_t>(first(group) + k)]; }

 private:
  std::vector<Index> of_, members_, first_;

  Index first(Index group) const { return first_[static_cast<std::size_t>(group)]; }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
