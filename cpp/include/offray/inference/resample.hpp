// SPDX-License-Identifier: Apache-2.0
/// \file
/// The data of bootstrap replicates: which runs, or which losses.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "offray/detail/numeric/random.hpp"
#include "offray/fit.hpp"
#include "offray/groups.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// How the data of a replicate are made, for a fit with predictions m and residuals e in the fitted space.
enum class Resampling {
  pairs,     ///< runs drawn with replacement: neither the law nor equal noise is taken for granted
  residual,  ///< m_i + e*_i: sqrt(w) e, centred, are drawn with replacement; the design stays, the noise must be alike
  wild       ///< m_i + v_i e_i with v = -1 or 1: the design stays, the noise of every run keeps its size
};

/// Names, in the order of Resampling.
inline constexpr std::string_view kResamplings[] = {"pairs", "residual", "wild"};

/// Draws the data of any replicate of a fit; the same data for the same (seed, replicate). Immutable: threads share it.
template <typename S>
class Resampler {
 public:
  /// \param labels as Groups. Runs of a group are drawn together (pairs), take consecutive residuals of one drawn group
  /// (residual) or share one sign (wild), which keeps what their noise has in common.
  Resampler(const Fit<S>& fit, Resampling kind, std::uint64_t seed, const std::vector<Index>& labels)
      : kind_(kind),
        seed_(seed),
        log_space_(fit.options.space == Space::log_loss),
        groups_(fit.runs.size(), labels),
        observed_(fit.runs.loss) {
    if (log_space_) detail::kernels<S>().log(observed_.size(), fit.runs.loss.data(), observed_.data());
    if (kind == Resampling::pairs) return;
    const Vector<S> r = fit.residual();
    predicted_ = observed_ + r;
    noise_ = -r;
    if (kind != Resampling::residual) return;
    const bool weighted = fit.weight().size() != 0;
    if (weighted) noise_ = noise_.cwiseProduct(fit.weight().cwiseSqrt());
    noise_.array() -= noise_.mean();
    if (weighted) spread_ = fit.weight().cwiseSqrt().cwiseInverse();
  }

  Resampling kind() const { return kind_; }
  const Groups& groups() const { return groups_; }
  /// The losses as measured, in the fitted space.
  const Vector<S>& observed() const { return observed_; }

  /// Pairs: how often each group was drawn.
  void draw_groups(Index replicate, std::vector<std::uint32_t>& times) const {
    detail::RandomStream random = stream(replicate);
    const auto count = static_cast<std::uint32_t>(groups_.count());
    times.assign(count, 0);
    for (std::uint32_t k = 0; k < count; ++k) ++times[random.below(count)];
  }

  /// Residual and wild: new losses in the fitted space.
  /// \return whether they are losses: positive, whatever the space.
  bool draw_losses(Index replicate, Vector<S>& losses) const {
    detail::RandomStream random = stream(replicate);
    losses = predicted_;
    for (Index g = 0; g < groups_.count(); ++g) {
      if (kind_ == Resampling::wild)
        flip(g, random.sign(), losses);
      else
        transplant(g, random, losses);
    }
    return losses.allFinite() && (log_space_ || losses.minCoeff() > S(0));
  }

 private:
  Resampling kind_;
  std::uint64_t seed_;
  bool log_space_;
  Groups groups_;
  Vector<S> observed_, predicted_;
  Vector<S> noise_;   ///< e, or sqrt(w) e centred
  Vector<S> spread_;  ///< 1 / sqrt(w) where residuals were scaled by sqrt(w)

  detail::RandomStream stream(Index replicate) const {
    return detail::RandomStream(seed_, static_cast<std::uint64_t>(replicate));
  }

  void flip(Index group, int sign, Vector<S>& losses) const {
    for (Index k = 0; k < groups_.size(group); ++k) {
      const Index i = groups_.member(group, k);
      losses[i] += S(sign) * noise_[i];
    }
  }

  /// Residuals of a drawn group, from a drawn place on and around, so that neighbours stay neighbours whatever the sizes.
  void transplant(Index group, detail::RandomStream& random, Vector<S>& losses) const {
    const Index donor = random.below(static_cast<std::uint32_t>(groups_.count()));
    const Index available = groups_.size(donor);
    Index from = available == 1 ? 0 : random.below(static_cast<std::uint32_t>(available));
    for (Index k = 0; k < groups_.size(group); ++k) {
      const Index i = groups_.member(group, k);
      const S noise = noise_[groups_.member(donor, from)];
      losses[i] += spread_.size() == 0 ? noise : spread_[i] * noise;
      if (++from == available) from = 0;
    }
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
