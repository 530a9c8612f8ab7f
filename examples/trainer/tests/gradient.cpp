// SPDX-License-Identifier: Apache-2.0
// The hand-written backward pass against central differences.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "model.hpp"

using namespace trainer;

namespace {

Batch random_batch(Index size) {
  Random random(5);
  Batch batch(size);
  for (Index j = 0; j < size; ++j) {
    for (Index w = 0; w < kWindow; ++w) batch.context(w, j) = static_cast<std::uint8_t>(random.below(kSymbols));
    batch.target[static_cast<std::size_t>(j)] = static_cast<std::uint8_t>(random.below(kSymbols));
  }
  return batch;
}

/// Of a direction that moves all entries of one tensor: their derivative, and how far the gradient in S is from it, in terms of
/// the gradient's length.
template <typename S>
void check(double tolerance) {
  const Shape shape(12);
  Model<S> model(shape);
  Model<long double> exact(shape);
  const Batch batch = random_batch(20);
  Vector<S> theta = model.start(1), gradient;
  Random random(2);
  for (Index i = 0; i < theta.size(); ++i) theta[i] += S(0.1 * random.normal());  // biases too
  model.loss_and_gradient(theta, batch, gradient);
  for (const Tensor& tensor : shape.tensors()) {
    for (int trial = 0; trial < 3; ++trial) {
      Vector<long double> direction = Vector<long double>::Zero(theta.size());
      for (Index i = 0; i < tensor.size(); ++i) direction[tensor.offset + i] = random.normal();
      direction.normalize();
      const long double h = 1e-5L;
      const Vector<long double> at = theta.template cast<long double>();
      // Fourth order.
      const auto loss = [&](long double step) { return (long double)(exact.loss(at + step * direction, batch)) / 20; };
      const long double slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h);
      const long double ours = gradient.template cast<long double>().dot(direction);
      const long double scale = gradient.segment(tensor.offset, tensor.size()).template cast<long double>().norm();
      CAPTURE(tensor.offset);
      CHECK(std::abs(double((ours - slope) / scale)) < tolerance);
    }
  }
}

TEST_CASE("the gradient in float") { check<float>(1e-4); }
TEST_CASE("the gradient in double") { check<double>(1e-8); }

}  // namespace
