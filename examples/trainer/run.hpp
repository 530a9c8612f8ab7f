// SPDX-License-Identifier: Apache-2.0
/// \file
/// One training run: what it is, and doing it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "corpus.hpp"
#include "shape.hpp"
#include "table.hpp"

namespace trainer {

struct Run {
  std::string corpus;
  int width;
  std::int64_t bytes;  ///< each predicted once; a multiple of 128
  std::uint64_t seed;  ///< of the initial parameters, of the pieces of text and of their order
  double rate;         ///< peak learning rate
  std::string role = "grid";

  Shape shape() const { return Shape(width); }
  double params() const { return double(shape().parameters()); }
  double flops() const { return shape().flops_per_byte() * double(bytes); }
  /// What its time goes with, in FLOPs: what is not a matrix product takes about as long as 1e5 FLOPs for each byte.
  double effort() const { return flops() + 1e5 * double(bytes); }
  /// Unlike that of any other run; names the checkpoint.
  std::string name() const;
};

/// Columns corpus, width, tokens, seed, learning_rate and role.
Run run_of(const Row& row);

struct Outcome {
  double loss;     ///< held out, nats per byte
  double seconds;  ///< of training, the parts before interruptions included
};

struct TrainOptions {
  std::string state_folder = ".";  ///< of the checkpoint, which is removed with forget()
  double checkpoint_seconds = 30;
  std::int64_t stop_before = -1;    ///< this step: leaves a checkpoint; for tests of what comes after an interruption
  std::size_t held_out = 1u << 19;  ///< most bytes to judge by
  /// Told now and then: steps done and in all, the recent training loss, seconds in this process.
  std::function<void(std::int64_t, std::int64_t, double, double)> progress;
};

/// Trains from the run's checkpoint, if there is one, or from the start; the result is the same, bit for bit. Nothing if
/// `stop_before` stopped it.
std::optional<Outcome> train(const Run& run, const Corpus& corpus, const TrainOptions& options);

/// Removes the checkpoint.
void forget(const Run& run, const TrainOptions& options);

}  // namespace trainer
