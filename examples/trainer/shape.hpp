// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a model of a given width consists of: its tensors, in one flat vector of parameters, and what they cost.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <stdexcept>

namespace trainer {

using Eigen::Index;

inline constexpr int kSymbols = 128;  ///< ASCII; no corpus has other bytes
inline constexpr int kWindow = 16;    ///< bytes that a prediction sees
inline constexpr int kBlocks = 2;

/// One tensor inside of the flat vector.
struct Tensor {
  Index offset, rows, cols;
  bool matrix;   ///< multiplies activations; the others are the embedding and the biases
  double start;  ///< standard deviation of its initial values

  Index size() const { return rows * cols; }
};

/// All sizes follow from the width d, so that models of all sizes have one form:
/// embedding d/4 of 16 bytes -> d -> two gated blocks d -> 2d -> d on a residual stream -> 128 logits.
class Shape {
 public:
  enum Name { embedding, input, input_bias, block, output = block + 2 * kBlocks, output_bias, count };

  /// \param width a positive multiple of 4.
  explicit Shape(int width) : width_(width) {
    if (width < 4 || width % 4 != 0) throw std::runtime_error("width must be a positive multiple of 4");
    const Index d = width, e = letter(), h = hidden();
    add(embedding, e, kSymbols, false, 1);
    add(input, d, kWindow * e, true, 1 / std::sqrt(double(kWindow * e)));
    add(input_bias, d, 1, false, 0);
    for (int b = 0; b < kBlocks; ++b) {
      add(gates(b), 2 * h, d, true, 1 / std::sqrt(double(d)));
      add(down(b), d, h, true, 0.5 / std::sqrt(double(h)));
    }
    add(output, kSymbols, d, true, 0.25 / std::sqrt(double(d)));
    add(output_bias, kSymbols, 1, false, 0);
  }

  int width() const { return width_; }
  Index letter() const { return width_ / 4; }  ///< length of the embedding of one byte
  Index hidden() const { return 2 * width_; }
  static constexpr int gates(int b) { return block + 2 * b; }  ///< the gate's rows above those of what it gates
  static constexpr int down(int b) { return block + 2 * b + 1; }
  const Tensor& operator[](int name) const { return tensors_[static_cast<std::size_t>(name)]; }
  const std::array<Tensor, count>& tensors() const { return tensors_; }

  /// All of them, embedding and biases included.
  Index parameters() const { return size_; }

  /// Of training: every matrix product has one multiplication and one addition for each of its matrix's entries, and is done
  /// three times, once forward and twice backward. The embedding is looked up, which costs none.
  double flops_per_byte() const {
    double entries = 0;
    for (const Tensor& tensor : tensors_)
      if (tensor.matrix) entries += double(tensor.size());
    return 6 * entries;
  }

 private:
  void add(int name, Index rows, Index cols, bool matrix, double start) {
    tensors_[static_cast<std::size_t>(name)] = {size_, rows, cols, matrix, start};
    size_ += rows * cols;
  }

  int width_;
  Index size_ = 0;
  std::array<Tensor, count> tensors_{};
};

}  // namespace trainer
