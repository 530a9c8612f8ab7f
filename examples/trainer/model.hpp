// SPDX-License-Identifier: Apache-2.0
/// \file
/// The language model: loss and gradient of one batch. Templated on the scalar so that the gradient can be checked in double.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <vector>

#include "random.hpp"
#include "shape.hpp"

namespace trainer {

template <typename S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
template <typename S>
using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;

/// Predictions to make: one column for each.
struct Batch {
  Eigen::Matrix<std::uint8_t, kWindow, Eigen::Dynamic> context;  ///< the bytes before, oldest first
  std::vector<std::uint8_t> target;

  explicit Batch(Index size) : context(kWindow, size), target(static_cast<std::size_t>(size)) {}
  Index size() const { return context.cols(); }
};

/// x divided by the root of its mean square, column by column.
template <typename S>
struct Normalised {
  Matrix<S> value;                              ///< y = x / r
  Eigen::Matrix<S, 1, Eigen::Dynamic> inverse;  ///< 1 / r

  void forward(const Matrix<S>& x) {
    constexpr S kTiny = S(1e-6);
    inverse = (x.colwise().squaredNorm().array() / S(x.rows()) + kTiny).rsqrt();
    value.noalias() = x * inverse.asDiagonal();
  }
  /// dx += (dy - y mean(y dy)) / r
  void backward(const Matrix<S>& dy, Matrix<S>& dx) const {
    const S n = S(value.rows());
    for (Index j = 0; j < value.cols(); ++j)
      dx.col(j) += inverse[j] * (dy.col(j) - value.col(j) * (value.col(j).dot(dy.col(j)) / n));
  }
};

/// Activations are columns, one for each prediction, so that every product is a large matrix product.
template <typename S>
class Model {
 public:
  explicit Model(const Shape& shape) : shape_(shape) {}

  const Shape& shape() const { return shape_; }

  /// Random initial parameters.
  Vector<S> start(std::uint64_t key) const {
    Random random(key);
    Vector<S> theta = Vector<S>::Zero(shape_.parameters());
    for (const Tensor& tensor : shape_.tensors())
      if (tensor.start > 0)
        for (Index i = 0; i < tensor.size(); ++i) theta[tensor.offset + i] = S(tensor.start * random.normal());
    return theta;
  }

  /// Sum of the cross-entropies of a batch, nats.
  double loss(const Vector<S>& theta, const Batch& batch) {
    const auto of = [&](int name) { return view(theta, name); };
    embed(theta, batch);
    stream_.noalias() = of(Shape::input) * letters_;
    stream_.colwise() += of(Shape::input_bias).col(0);
    const Index h = shape_.hidden();
    for (int b = 0; b < kBlocks; ++b) {
      Block& block = blocks_[static_cast<std::size_t>(b)];
      block.in.forward(stream_);
      block.gates.noalias() = of(Shape::gates(b)) * block.in.value;
      const auto gate = block.gates.topRows(h).array(), up = block.gates.bottomRows(h).array();
      block.open = gate.logistic();
      block.out = gate * block.open.array() * up;
      stream_.noalias() += of(Shape::down(b)) * block.out;
    }
    last_.forward(stream_);
    logits_.noalias() = of(Shape::output) * last_.value;
    logits_.colwise() += of(Shape::output_bias).col(0);
    return softmax(batch);
  }

  /// The same, with the gradient of the mean cross-entropy.
  double loss_and_gradient(const Vector<S>& theta, const Batch& batch, Vector<S>& gradient) {
    const double total = loss(theta, batch);
    gradient.resize(theta.size());
    const auto of = [&](int name) { return view(theta, name); };
    const auto by = [&](int name) {
      const Tensor& t = shape_[name];
      return Eigen::Map<Matrix<S>>(gradient.data() + t.offset, t.rows, t.cols);
    };
    Matrix<S>& d_logits = logits_;  // they hold the probabilities
    for (Index j = 0; j < batch.size(); ++j) d_logits(batch.target[static_cast<std::size_t>(j)], j) -= S(1);
    d_logits /= S(batch.size());
    by(Shape::output).noalias() = d_logits * last_.value.transpose();
    by(Shape::output_bias) = d_logits.rowwise().sum();
    d_.noalias() = of(Shape::output).transpose() * d_logits;
    d_stream_.setZero(stream_.rows(), stream_.cols());
    last_.backward(d_, d_stream_);
    const Index h = shape_.hidden();
    for (int b = kBlocks - 1; b >= 0; --b) {
      Block& block = blocks_[static_cast<std::size_t>(b)];
      by(Shape::down(b)).noalias() = d_stream_ * block.out.transpose();
      d_out_.noalias() = of(Shape::down(b)).transpose() * d_stream_;
      // swish'(g) = open (1 + g (1 - open))
      auto gate = block.gates.topRows(h).array(), up = block.gates.bottomRows(h).array();
      const auto open = block.open.array();
      d_gates_.resize(2 * h, batch.size());
      d_gates_.topRows(h) = d_out_.array() * up * open * (S(1) + gate * (S(1) - open));
      d_gates_.bottomRows(h) = d_out_.array() * gate * open;
      by(Shape::gates(b)).noalias() = d_gates_ * block.in.value.transpose();
      d_.noalias() = of(Shape::gates(b)).transpose() * d_gates_;
      block.in.backward(d_, d_stream_);
    }
    by(Shape::input).noalias() = d_stream_ * letters_.transpose();
    by(Shape::input_bias) = d_stream_.rowwise().sum();
    d_letters_.noalias() = of(Shape::input).transpose() * d_stream_;
    auto d_embedding = by(Shape::embedding);
    d_embedding.setZero();
    const Index e = shape_.letter();
    for (Index j = 0; j < batch.size(); ++j)
      for (Index w = 0; w < kWindow; ++w) d_embedding.col(batch.context(w, j)) += d_letters_.col(j).segment(w * e, e);
    return total;
  }

 private:
  struct Block {
    Normalised<S> in;
    Matrix<S> gates, open, out;
  };

  Eigen::Map<const Matrix<S>> view(const Vector<S>& theta, int name) const {
    const Tensor& t = shape_[name];
    return {theta.data() + t.offset, t.rows, t.cols};
  }

  void embed(const Vector<S>& theta, const Batch& batch) {
    const auto embedding = view(theta, Shape::embedding);
    const Index e = shape_.letter();
    letters_.resize(kWindow * e, batch.size());
    for (Index j = 0; j < batch.size(); ++j)
      for (Index w = 0; w < kWindow; ++w) letters_.col(j).segment(w * e, e) = embedding.col(batch.context(w, j));
  }

  /// Turns logits into probabilities and returns the sum of the cross-entropies.
  double softmax(const Batch& batch) {
    double total = 0;
    for (Index j = 0; j < batch.size(); ++j) {
      auto z = logits_.col(j).array();
      z -= z.maxCoeff();
      const S target = z[batch.target[static_cast<std::size_t>(j)]];
      z = z.exp();
      const S sum = z.sum();
      z /= sum;
      total += double(std::log(sum)) - double(target);
    }
    return total;
  }

  Shape shape_;
  Matrix<S> letters_, stream_, logits_;
  std::array<Block, kBlocks> blocks_;
  Normalised<S> last_;
  Matrix<S> d_, d_stream_, d_out_, d_gates_, d_letters_;
};

}  // namespace trainer
