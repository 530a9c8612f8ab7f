// SPDX-License-Identifier: Apache-2.0
/// \file
/// Which bytes a run predicts, and in which order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "model.hpp"
#include "random.hpp"

namespace trainer {

inline constexpr Index kBatch = 128;  ///< predictions of one step
inline constexpr Index kPiece = 128;  ///< bytes of one piece of text; a run has whole pieces
static_assert(kPiece % kBatch == 0, "every run ends with a whole step");

/// Puts the byte at `position` and those before it into column j.
inline void put(const std::vector<std::uint8_t>& text, std::size_t position, Batch& batch, Index j) {
  for (Index w = 0; w < kWindow; ++w) batch.context(w, j) = text[position - std::size_t(kWindow) + std::size_t(w)];
  batch.target[static_cast<std::size_t>(j)] = text[position];
}

/// A run's text: pieces drawn from the whole corpus without replacement, so that short runs see all of it as long ones do; then
/// every byte of these pieces once, in random order. Another key draws other pieces.
class Batches {
 public:
  Batches(const std::vector<std::uint8_t>& text, std::int64_t bytes, std::uint64_t key)
      : text_(text), order_(static_cast<std::uint64_t>(bytes), hash("order", key)) {
    // The first piece has no context before it.
    const std::uint64_t pieces = text.size() / kPiece - 1, taken = static_cast<std::uint64_t>(bytes / kPiece);
    if (bytes % kPiece != 0 || taken < 1) throw std::runtime_error("a run has a positive multiple of 128 bytes");
    if (taken > pieces)
      throw std::runtime_error("the corpus has only " + std::to_string(pieces * kPiece) + " bytes to train on");
    const Permutation draw(pieces, hash("pieces", key));
    for (std::uint64_t i = 0; i < taken; ++i) pieces_.push_back(static_cast<std::uint32_t>(1 + draw(i)));
  }

  void fill(std::int64_t step, Batch& batch) const {
    for (Index j = 0; j < kBatch; ++j) {
      const std::uint64_t i = order_(static_cast<std::uint64_t>(step * kBatch + j));
      put(text_, std::size_t(pieces_[i / kPiece]) * kPiece + i % kPiece, batch, j);
    }
  }

 private:
  const std::vector<std::uint8_t>& text_;
  Permutation order_;
  std::vector<std::uint32_t> pieces_;
};

/// Mean loss on held-out text, nats per byte: on pieces spread evenly over it, at most `most` bytes of them, the same for all.
template <typename S>
double held_out_loss(Model<S>& model, const Vector<S>& theta, const std::vector<std::uint8_t>& text, std::size_t most) {
  const std::size_t pieces = text.size() / kPiece - 1, taken = std::min(pieces, most / kPiece);
  Batch batch(kPiece);
  double total = 0;
  for (std::size_t i = 0; i < taken; ++i) {
    const std::size_t first = (1 + i * pieces / taken) * kPiece;
    for (Index j = 0; j < kPiece; ++j) put(text, first + std::size_t(j), batch, j);
    total += model.loss(theta, batch);
  }
  return total / double(taken * kPiece);
}

}  // namespace trainer
