// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "adamw.hpp"
#include "batches.hpp"
#include "model.hpp"

namespace trainer {
namespace {

using Clock = std::chrono::steady_clock;
using Scalar = float;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What changes from step to step.
struct State {
  std::int64_t step = 0;
  double seconds = 0, recent = 0;
  Vector<Scalar> theta;
  AdamW<Scalar> adam;

  /// The arrays of a checkpoint, in its order.
  std::array<Vector<Scalar>*, 3> arrays() { return {&theta, &adam.mean(), &adam.square()}; }
};

std::string path_of(const Run& run, const TrainOptions& options) { return options.state_folder + "/" + run.name() + ".state"; }

void save(State& state, const std::string& path) {
  std::string bytes;
  const auto put = [&](const void* data, std::size_t size) { bytes.append(static_cast<const char*>(data), size); };
  put(&state.step, sizeof state.step);
  put(&state.seconds, sizeof state.seconds);
  put(&state.recent, sizeof state.recent);
  for (Vector<Scalar>* array : state.arrays()) put(array->data(), sizeof(Scalar) * static_cast<std::size_t>(array->size()));
  replace_file(path, bytes);
}

/// Leaves the state as it is unless the file is whole.
void load(const std::string& path, State& state) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return;
  State found = state;
  const auto get = [&](void* data, std::size_t size) {
    file.read(static_cast<char*>(data), static_cast<std::streamsize>(size));
  };
  get(&found.step, sizeof found.step);
  get(&found.seconds, sizeof found.seconds);
  get(&found.recent, sizeof found.recent);
  for (Vector<Scalar>* array : found.arrays()) get(array->data(), sizeof(Scalar) * static_cast<std::size_t>(array->size()));
  if (file && file.peek() == std::ifstream::traits_type::eof()) state = found;
}

}  // namespace

std::string Run::name() const {
  return corpus + "-w" + std::to_string(width) + "-b" + std::to_string(bytes) + "-s" + std::to_string(seed) + "-r" +
         shown(rate);
}

Run run_of(const Row& row) {
  return {row.text("corpus"),
          static_cast<int>(row.number("width")),
          static_cast<std::int64_t>(row.number("tokens")),
          static_cast<std::uint64_t>(row.number("seed")),
          row.number("learning_rate"),
          row.text("role")};
}

std::optional<Outcome> train(const Run& run, const Corpus& corpus, const TrainOptions& options) {
  const Clock::time_point start = Clock::now();
  // No two runs share pieces or initial parameters, so that their errors are independent; but runs at different rates do, so
  // that the rates compare.
  const std::uint64_t key =
      hash(corpus.name, mix(run.seed) ^ hash(std::to_string(run.width) + "/" + std::to_string(run.bytes)));
  const Batches batches(corpus.train, run.bytes, key);
  Model<Scalar> model(run.shape());
  State state{0, 0, 0, model.start(hash("start", key)), AdamW<Scalar>(run.shape())};
  const std::string path = path_of(run, options);
  load(path, state);
  const double before = state.seconds;
  double saved = 0, told = 0;
  const std::int64_t steps = run.bytes / kBatch;
  Batch batch(kBatch);
  Vector<Scalar> gradient;
  while (state.step < steps) {
    if (state.step == options.stop_before) {
      save(state, path);
      return std::nullopt;
    }
    batches.fill(state.step, batch);
    const double loss = model.loss_and_gradient(state.theta, batch, gradient) / kBatch;
    state.recent += (loss - state.recent) / double(std::min<std::int64_t>(state.step + 1, 100));
    state.adam.update(state.theta, gradient, run.rate * schedule(state.step, steps), state.step);
    ++state.step;
    const double now = seconds_since(start);
    state.seconds = before + now;
    if (options.progress && now - told > 2) {
      options.progress(state.step, steps, state.recent, now);
      told = now;
    }
    if (now - saved > options.checkpoint_seconds) {
      save(state, path);
      saved = seconds_since(start);
    }
  }
  return Outcome{held_out_loss(model, state.theta, corpus.held_out, options.held_out), state.seconds};
}

void forget(const Run& run, const TrainOptions& options) { std::filesystem::remove(path_of(run, options)); }

}  // namespace trainer
