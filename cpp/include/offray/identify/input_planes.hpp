// SPDX-License-Identifier: Apache-2.0
/// \file
/// Products of powers of the inputs that are the same in all runs.
#pragma once

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "offray/laws/law.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// prod_j x_j^power_j = exp(level) in all runs: one value of an input, or one ratio of two. An input that is not positive in
/// all runs counts as it is, in units of its largest magnitude, in place of its logarithm.
template <typename S>
struct InputPlane {
  Vector<S> power;  ///< by LawDescription::inputs, the largest 1; of x alone where the law also reads "ln x"
  S level;
};

namespace detail {

/// An input as planes take it, (n,).
template <typename S>
Vector<S> coordinate(std::string_view name, const Vector<S>& x) {
  if (name.substr(0, kLogarithmOf.size()) == kLogarithmOf) return x;
  if (x.minCoeff() > S(0)) return x.array().log();
  const S largest = x.cwiseAbs().maxCoeff();
  return largest > S(0) ? Vector<S>(x / largest) : x;
}

/// The coordinates of runs in what a law reads.
template <typename S>
struct InputCoordinates {
  std::vector<Index> input;  ///< (q,), places in LawDescription::inputs; an x that is read in two forms is here once
  Jacobian<S> at;            ///< (n, q)

  InputCoordinates(const LawDescription& law, const Inputs<S>& runs) : at(runs.size(), law.inputs.size()) {
    std::size_t further = 0;
    for (std::size_t j = 0; j < law.inputs.size(); ++j) {
      const std::string_view name = law.inputs[j];
      const bool count = name == "params" || name == "tokens" || name == "unique_tokens";
      const Vector<S>* own = count ? nullptr : &runs.columns[further++];
      if (name.substr(0, kLogarithmOf.size()) == kLogarithmOf && law.reads(name.substr(kLogarithmOf.size()))) continue;
      auto column = at.col(static_cast<Index>(input.size()));
      if (own != nullptr)
        column = coordinate(name, *own);
      else
        column = name == "params" ? runs.log_N : name == "tokens" ? runs.log_D : runs.log_U;
      input.push_back(static_cast<Index>(j));
    }
    at.conservativeResize(Eigen::NoChange, static_cast<Index>(input.size()));
  }
};

}  // namespace detail

/// The planes that the runs keep to, none where they spread in all inputs. A column z_j of coordinates, about its mean, counts
/// as one with the others where what they leave of it obeys
///   ||rest|| <= sqrt(n) ln(factor) / 2,
/// which holds where x_j over a product of powers of the others varies by less than the factor.
template <typename S>
std::vector<InputPlane<S>> input_planes(const LawDescription& law, const Inputs<S>& at, S factor) {
  detail::InputCoordinates<S> z(law, at);
  const Vector<S> mean = z.at.colwise().mean();
  z.at.rowwise() -= mean.transpose();
  using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::ColPivHouseholderQR<Matrix> qr(z.at);
  const Index q = z.at.cols(), most = std::min(z.at.rows(), q);
  const S small = std::sqrt(S(z.at.rows())) * std::log(factor) / S(2);
  Index k = 0;
  while (k < most && std::abs(qr.matrixR()(k, k)) > small) ++k;
  const Matrix R = qr.matrixR().topRows(k);
  std::vector<InputPlane<S>> out;
  for (Index j = k; j < q; ++j) {
    Vector<S> power = Vector<S>::Zero(q);
    power[j] = S(1);
    power.head(k) = -R.leftCols(k).template triangularView<Eigen::Upper>().solve(R.col(j));
    power = (qr.colsPermutation() * power).eval();
    Index largest;
    power.cwiseAbs().maxCoeff(&largest);
    power /= power[largest];
    InputPlane<S> plane{Vector<S>::Zero(static_cast<Index>(law.inputs.size())), power.dot(mean)};
    for (Index i = 0; i < q; ++i) plane.power[z.input[static_cast<std::size_t>(i)]] = power[i];
    out.push_back(std::move(plane));
  }
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
