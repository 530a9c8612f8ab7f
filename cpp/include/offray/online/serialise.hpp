// SPDX-License-Identifier: Apache-2.0
/// \file
/// An OnlineFit as text.
#pragma once

#include <string>
#include <string_view>

#include "offray/online/online_fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Of the format; a text of another one is refused.
inline constexpr std::int64_t kOnlineVersion = 1;

template <typename S>
std::string OnlineFit<S>::serialise() const {
  detail::TextWriter out;
  out.word("offray-online").integer(kOnlineVersion).integer(std::numeric_limits<S>::digits).line();
  out.word("law").word(detail::as_word(law_->name)).integer(law_->size());
  for (const Parameter& parameter : law_->parameters) out.word(parameter.name);
  out.line();

  const SolverOptions<S>& solver = options_.solver;
  out.word("options").integer(options_.space == Space::log_loss).integer(static_cast<int>(solver.objective.kind));
  out.number(solver.objective.delta).number(solver.objective.quantile).number(solver.gradient_tolerance);
  out.integer(solver.max_evaluations).integer(options_.robust_scale).numbers(options_.start).line();
  out.word("constraints").numbers(constraints_.fixed).numbers(constraints_.lower).numbers(constraints_.upper);
  for (Index j = 0; j < law_->size(); ++j) out.integer(constraints_.root(j));
  out.line();

  out.word("runs").integer(store_.size()).integer(next_).line();
  for (std::size_t i = 0; i < store_.ids().size(); ++i) {
    const Run<S> run = store_.run(i);
    out.integer(store_.ids()[i]).number(run.N).number(run.D).number(run.loss).number(run.weight).number(run.unique_tokens);
    out.line();
  }
  out.word("changes").integer(stale_).integer(changes_.since_search).integer(changes_.searched_at);
  out.integer(changes_.since_refit).integer(changes_.removed).number(changes_.surprise).line();

  out.word("basins").integer(static_cast<std::int64_t>(kept_.size())).line();
  for (const Kept& basin : kept_) {
    out.numbers(basin.theta).number(basin.objective).integer(static_cast<int>(basin.status));
    for (const int edge : basin.edges) out.integer(edge);
    out.line();
  }
  if (!kept_.empty()) {
    const Summary<S>& at = optimum_.summary;
    out.word("optimum").numbers(optimum_.theta).numbers(optimum_.phi).integer(static_cast<int>(at.status));
    out.integer(at.iterations).integer(at.evaluations).number(at.objective).number(at.scaled_gradient).number(at.smoothing);
    out.number(at.inverse_condition).integer(static_cast<int>(optimum_.where.location)).integer(optimum_.where.parameter);
    out.integer(optimum_.lost).number(optimum_.gap).number(parametrisation_->log_N0).number(parametrisation_->log_D0);
    out.number(solver_.objective.delta).integer(result_.runs).integer(static_cast<int>(result_.searched)).line();
  }
  return out.finish();
}

/// The rest, once law and options are known.
template <typename S>
void OnlineFit<S>::read(detail::TextReader& in) {
  const Index p = law_->size();
  in.expect("runs");
  const std::int64_t count = in.integer(0, static_cast<std::int64_t>(in.left()));
  next_ = in.integer(0, std::numeric_limits<std::int64_t>::max());
  RunId last = -1;
  for (std::int64_t i = 0; i < count && in.ok(); ++i) {
    const RunId id = in.integer(last + 1, std::max(next_ - 1, last + 1));
    Run<S> run{in.number<S>(), in.number<S>(), in.number<S>(), in.number<S>(), in.number<S>()};
    if (!in.ok() || id >= next_ || detail::run_error(run)) return in.fail();
    store_.add(last = id, run);
  }
  in.expect("changes");
  stale_ = in.integer(0, 1) != 0;
  changes_.since_search = in.integer(0, std::numeric_limits<std::int64_t>::max());
  changes_.searched_at = in.integer(0, std::numeric_limits<std::int64_t>::max());
  changes_.since_refit = in.integer(0, std::numeric_limits<std::int64_t>::max());
  changes_.removed = in.integer(0, 1) != 0;
  changes_.surprise = in.number<S>();

  in.expect("basins");
  kept_.resize(static_cast<std::size_t>(in.integer(0, kMostKept)));
  for (Kept& basin : kept_) {
    in.numbers(basin.theta, p);
    basin.objective = in.number<S>();
    basin.status = in.enumerator<Status>(std::size(kStatuses));
    for (int& edge : basin.edges) edge = static_cast<int>(in.integer(-1, 1));
  }
  if (kept_.empty() || !in.ok()) return;
  const detail::Parametrisation<S> free(*law_, S(0), S(0), constraints_);
  in.expect("optimum");
  in.numbers(optimum_.theta, p);
  in.numbers(optimum_.phi, free.free());
  Summary<S>& at = optimum_.summary;
  at.status = in.enumerator<Status>(std::size(kStatuses));
  at.iterations = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
  at.evaluations = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
  at.objective = in.number<S>();
  at.scaled_gradient = in.number<S>();
  at.smoothing = in.number<S>();
  at.inverse_condition = in.number<S>();
  optimum_.where.location = in.enumerator<Location>(std::size(kLocations));
  optimum_.where.parameter = static_cast<int>(in.integer(-1, p - 1));
  optimum_.lost = in.integer(0, p);
  optimum_.gap = in.number<S>();
  const S log_N0 = in.number<S>(), log_D0 = in.number<S>();
  solver_ = options_.solver;
  solver_.objective.delta = in.number<S>();
  const Index runs = in.integer(0, std::numeric_limits<std::int64_t>::max());
  const auto searched = in.enumerator<Searched>(std::size(kSearched));
  if (!in.ok()) return;
  parametrisation_.emplace(*law_, log_N0, log_D0, constraints_);
  detail::set_result(optimum_, parametrisation_->free(), runs, result_);
  result_.basins = static_cast<int>(kept_.size());
  result_.searched = searched;
}

template <typename S>
Expected<OnlineFit<S>> OnlineFit<S>::deserialise(std::string_view text, const std::shared_ptr<const AnyLaw<S>>& law) {
  detail::TextReader in(text);
  if (!in.ok()) return InputError::of("text", "text: it is damaged, or not of an OnlineFit: the checksum does not fit");
  in.expect("offray-online");
  if (const std::int64_t version = in.integer(); version != kOnlineVersion)
    return InputError::of("text", "text: it has version ", version, " of the format, this library reads version ",
                          kOnlineVersion);
  if (in.integer() != std::numeric_limits<S>::digits) return InputError::of("text", "text: it is of another scalar");
  in.expect("law");
  in.expect(detail::as_word(law->name));
  in.expect(std::to_string(law->size()));
  for (const Parameter& parameter : law->parameters) in.expect(parameter.name);
  if (!in.ok()) return InputError::of("law", "law: the text is of another one than ", law->name);

  FitOptions<S> options;
  in.expect("options");
  options.space = in.enumerator<Space>(2);
  options.solver.objective.kind = in.enumerator<ObjectiveKind>(kObjectiveKinds);
  options.solver.objective.delta = in.number<S>();
  options.solver.objective.quantile = in.number<S>();
  options.solver.gradient_tolerance = in.number<S>();
  options.solver.max_evaluations = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
  options.robust_scale = in.integer(0, 1) != 0;
  const auto starts = static_cast<Index>(in.integer(0, kMaxParameters));
  options.start.resize(starts);
  for (Index j = 0; j < starts; ++j) options.start[j] = in.number<S>();
  Constraints<S> constraints(*law);
  in.expect("constraints");
  in.numbers(constraints.fixed, law->size());
  in.numbers(constraints.lower, law->size());
  in.numbers(constraints.upper, law->size());
  for (Index j = 0; j < law->size(); ++j) constraints.tied[static_cast<std::size_t>(j)] = in.integer(0, law->size() - 1);

  OnlineFit out(law, std::move(options), std::move(constraints));
  if (in.ok()) out.read(in);
  if (!in.ok()) return InputError::of("text", "text: it is not of an OnlineFit of this law");
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
