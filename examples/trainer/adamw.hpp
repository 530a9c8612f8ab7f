// SPDX-License-Identifier: Apache-2.0
/// \file
/// AdamW (Loshchilov & Hutter 2019) with clipped gradients, and the learning rate over a run.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "model.hpp"

namespace trainer {

/// Linear warm-up over the first twentieth of the run, then half a cosine down to a hundredth of the peak: a share of the run,
/// not a number of steps, so that the final losses of short and long runs compare.
inline double schedule(std::int64_t step, std::int64_t steps) {
  const double at = (double(step) + 0.5) / double(steps), warm = 0.05, least = 0.01;
  if (at < warm) return at / warm;
  return least + (1 - least) * 0.5 * (1 + std::cos(3.141592653589793 * (at - warm) / (1 - warm)));
}

template <typename S>
class AdamW {
 public:
  explicit AdamW(const Shape& shape)
      : shape_(shape), mean_(Vector<S>::Zero(shape.parameters())), square_(Vector<S>::Zero(shape.parameters())) {}

  /// One step. Overwrites the gradient. \param step counted from 0.
  void update(Vector<S>& theta, Vector<S>& gradient, double rate, std::int64_t step) {
    constexpr double kFirst = 0.9, kSecond = 0.99, kDecay = 0.05, kClip = 1;
    const double norm = double(gradient.norm());
    if (norm > kClip) gradient *= S(kClip / norm);
    const double t = double(step + 1);
    const S unbias_mean = S(1 / (1 - std::pow(kFirst, t))), unbias_square = S(1 / (1 - std::pow(kSecond, t)));
    mean_ = S(kFirst) * mean_ + S(1 - kFirst) * gradient;
    square_.array() = S(kSecond) * square_.array() + S(1 - kSecond) * gradient.array().square();
    for (const Tensor& tensor : shape_.tensors()) {
      // A matrix of n inputs moves its outputs n times as far as a single weight: rates go as 1 / width (Yang et al. 2021).
      const S own = S(tensor.matrix ? rate * kReferenceWidth / shape_.width() : kSingle * rate);
      const S keep = S(tensor.matrix ? 1 - rate * kDecay : 1);
      auto x = theta.segment(tensor.offset, tensor.size()).array();
      const auto m = mean_.segment(tensor.offset, tensor.size()).array();
      const auto v = square_.segment(tensor.offset, tensor.size()).array();
      x = keep * x - own * (unbias_mean * m) / ((unbias_square * v).sqrt() + S(1e-8));
    }
  }

  Vector<S>& mean() { return mean_; }
  Vector<S>& square() { return square_; }

 private:
  static constexpr double kReferenceWidth = 32, kSingle = 4;

  Shape shape_;
  Vector<S> mean_, square_;
};

}  // namespace trainer
