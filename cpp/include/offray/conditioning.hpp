// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a Jacobian can and cannot determine.
#pragma once

#include <Eigen/Core>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include "offray/errors.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Column scaling before the singular values are taken.
enum class Columns {
  unit,  ///< every column divided by its 2-norm: the figure offray reports, free of the parameters' units
  raw    ///< as given
};

/// The smallest sigma_i / sigma_1 at which a singular value still carries 6 digits.
///
/// The entries of a law's Jacobian are exponentials of arguments around 10, so they carry relative errors of about 20 eps;
/// over a handful of columns ||dJ|| <= 45 eps sigma_1, and by Weyl's theorem |d sigma_i| <= ||dJ||. Then
///   |d sigma_i| / sigma_i <= 1e-6  wherever  sigma_i / sigma_1 >= 45e6 eps,
/// that is 1e-8 in double and 4.9e-12 in 80-bit long double.
template <typename S>
constexpr S rank_tolerance() {
  return S(45e6) * std::numeric_limits<S>::epsilon();
}

/// Column-pivoted QR J P = Q R, then the singular value decomposition R = U diag(sigma) V' of the small factor.
///
/// Why not the eigenvalues of J'J: they are the squares sigma_i^2, so half of the digits are gone before the first rotation;
/// for J = [1 1; e 0; 0 e] with e = 1e-9, J'J is singular in double although J has rank 2.
///
/// \par Rank deficiency
/// For J = [1 1; 1 1] only the sum of the two parameters is determined. rank() is 1, direction() is (1, -1)/sqrt(2): moving
/// along it changes no prediction, and no interval for either parameter alone exists.
template <typename S>
class Conditioning {
 public:
  /// \param J (n, p), finite, n >= 1, p >= 1.
  /// \throws InvalidInput for an empty or non-finite J.
  explicit Conditioning(CRef<Jacobian<S>> J, Columns columns = Columns::unit);

  /// sigma_1 >= ... >= sigma_min(n, p).
  const Vector<S>& singular_values() const { return singular_values_; }

  /// The number of singular values with sigma_i >= rank_tolerance() sigma_1.
  Index rank() const {
    const S cut = rank_tolerance<S>() * singular_values_[0];
    return singular_values_[0] > S(0) ? (singular_values_.array() >= cut).count() : 0;
  }

  /// kappa_2 = sigma_1 / sigma_p; infinite for an exactly singular J or for fewer rows than columns.
  S kappa() const {
    const S last = singular_values_[singular_values_.size() - 1];
    if (singular_values_.size() < V_.cols() || !(last > S(0))) return std::numeric_limits<S>::infinity();
    return singular_values_[0] / last;
  }

  /// The sloppy direction, a unit vector (p,) in the scaled columns: the combination of parameters that the runs determine
  /// least. Its largest component is positive.
  Vector<S> direction() const;

  /// (J'J)^-1_jj (J'J)_jj for every column, (p,): how much larger a parameter's variance is than if its column were orthogonal
  /// to the others. Infinite where the parameter depends on a direction beyond the rank.
  Vector<S> variance_inflation() const;

  /// A factor F, (p, p), with F F' = (J'J)^-1: columns V_i / sigma_i, unscaled. Directions beyond the rank are zero; see
  /// undetermined().
  Jacobian<S> inverse_factor() const;

  /// For a row g (p,) of derivatives in the columns' parameters: whether g'x depends on a direction beyond the rank, by more
  /// than the rounding of the null space, |g'v| > sqrt(eps) ||g|| (both in scaled columns).
  bool undetermined(CRef<Vector<S>> g) const;

 private:
  using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;

#if EIGEN_VERSION_AT_LEAST(4, 90, 0)
  using Svd = Eigen::JacobiSVD<Matrix, Eigen::NoQRPreconditioner | Eigen::ComputeFullV>;
  static Svd decompose(const Matrix& R) { return Svd(R); }
#else
  using Svd = Eigen::JacobiSVD<Matrix, Eigen::NoQRPreconditioner>;
  static Svd decompose(const Matrix& R) { return Svd(R, Eigen::ComputeFullV); }
#endif

  Vector<S> scale_;
  Vector<S> length2_;  ///< squared lengths of the columns whose singular values are taken
  Vector<S> singular_values_;
  Matrix V_;
};

// Defined out of class so that an extern template keeps their bodies out of every translation unit.

template <typename S>
Conditioning<S>::Conditioning(CRef<Jacobian<S>> J, Columns columns) {
  if (J.size() == 0) detail::reject("J must have at least one row and one column");
  if (!J.allFinite()) detail::reject("J must be finite");
  scale_.setOnes(J.cols());
  const S largest = J.cwiseAbs().maxCoeff();
  Matrix M = largest > S(0) ? Matrix(J / largest) : Matrix(J);  // no square below can overflow
  if (columns == Columns::unit) {
    for (Index j = 0; j < M.cols(); ++j) {
      const S norm = M.col(j).stableNorm();
      if (!(norm > S(0))) continue;
      M.col(j) /= norm;
      scale_[j] = norm * largest;
    }
  }
  const Eigen::ColPivHouseholderQR<Matrix> qr(M);
  const Index k = std::min(M.rows(), M.cols());
  // R is k x p; the small square factor keeps Jacobi cheap to compile and to run. Wide J (k < p) is padded with zero rows.
  Matrix R = Matrix::Zero(M.cols(), M.cols());
  R.topRows(k) = qr.matrixR().topRows(k).template triangularView<Eigen::Upper>();
  const auto svd = decompose(R);
  singular_values_ = svd.singularValues().head(k) * (columns == Columns::raw && largest > S(0) ? largest : S(1));
  V_ = qr.colsPermutation() * svd.matrixV();
  length2_ = (V_ * svd.singularValues().asDiagonal()).rowwise().squaredNorm();  // of the columns as decomposed
  if (columns == Columns::raw && largest > S(0)) length2_ *= largest * largest;
}

template <typename S>
Vector<S> Conditioning<S>::direction() const {
  Vector<S> v = V_.col(V_.cols() - 1);
  Index largest;
  v.cwiseAbs().maxCoeff(&largest);
  return v[largest] < S(0) ? Vector<S>(-v) : v;
}

template <typename S>
Vector<S> Conditioning<S>::variance_inflation() const {
  const Index r = rank();
  const Vector<S> inverse = singular_values_.head(r).cwiseInverse();
  Vector<S> out(V_.rows());
  for (Index j = 0; j < out.size(); ++j) {
    Vector<S> unit = Vector<S>::Zero(out.size());
    unit[j] = scale_[j];  // in unscaled parameters, whose columns are scale_ long
    out[j] = undetermined(unit) ? std::numeric_limits<S>::infinity()
                                : V_.row(j).head(r).transpose().cwiseProduct(inverse).squaredNorm() * length2_[j];
  }
  return out;
}

template <typename S>
Jacobian<S> Conditioning<S>::inverse_factor() const {
  Jacobian<S> F = Jacobian<S>::Zero(V_.rows(), V_.cols());
  const Index r = rank();
  for (Index i = 0; i < r; ++i) F.col(i) = V_.col(i).cwiseQuotient(scale_) / singular_values_[i];
  return F;
}

template <typename S>
bool Conditioning<S>::undetermined(CRef<Vector<S>> g) const {
  const Vector<S> scaled = g.cwiseQuotient(scale_);
  const Index r = rank();
  const S outside = V_.rightCols(V_.cols() - r).transpose().lazyProduct(scaled).norm();
  return outside > std::sqrt(std::numeric_limits<S>::epsilon()) * scaled.norm();
}

}  // namespace OFFRAY_ABI
}  // namespace offray
