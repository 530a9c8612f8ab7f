// SPDX-License-Identifier: Apache-2.0
// What a run is made of, and that it comes out the same however it is interrupted.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "adamw.hpp"
#include "batches.hpp"
#include "run.hpp"

using namespace trainer;

namespace {

std::string fresh_folder(const char* name) {
  const auto folder = std::filesystem::temp_directory_path() / (std::string("offray_trainer_") + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder.string();
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE("parameters and FLOPs are counted from the shapes") {
  const Shape shape(16);
  // embedding, input with bias, two blocks, output with bias
  const double matrices = 64 * 16 + 2 * (64 * 16 + 16 * 32) + 128 * 16;
  CHECK(double(shape.parameters()) == 128 * 4 + 16 + matrices + 128);
  CHECK(shape.flops_per_byte() == 6 * matrices);
  CHECK_THROWS(Shape(10));
}

TEST_CASE("a permutation has every number once") {
  for (const std::uint64_t n : {1u, 2u, 5u, 64u, 1000u, 4097u}) {
    const Permutation permutation(n, 3);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < n; ++i) seen.insert(permutation(i));
    CHECK((seen.size() == n && *seen.rbegin() == n - 1));
  }
}

TEST_CASE("a run predicts no byte twice, each after the bytes before it") {
  // Every position's last three bytes say where it is.
  std::vector<std::uint8_t> text(1 << 15);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::uint8_t>(hash("", i) % kSymbols);
  const std::int64_t bytes = 100 * kPiece;
  const Batches batches(text, bytes, 1), others(text, bytes, 2);
  std::multiset<std::vector<std::uint8_t>> seen, other;
  Batch batch(kBatch);
  const auto note = [&](const Batches& from, std::int64_t step, auto& into) {
    from.fill(step, batch);
    for (Index j = 0; j < batch.size(); ++j) {
      std::vector<std::uint8_t> window(batch.context.col(j).data(), batch.context.col(j).data() + kWindow);
      window.push_back(batch.target[static_cast<std::size_t>(j)]);
      into.insert(window);
    }
  };
  for (std::int64_t step = 0; step < bytes / kBatch; ++step) {
    note(batches, step, seen);
    note(others, step, other);
  }
  std::multiset<std::vector<std::uint8_t>> all;
  for (std::size_t i = kPiece; i < text.size(); ++i)
    all.insert({text.begin() + std::ptrdiff_t(i) - kWindow, text.begin() + std::ptrdiff_t(i) + 1});
  CHECK(seen.size() == std::size_t(bytes));
  CHECK(std::includes(all.begin(), all.end(), seen.begin(), seen.end()));
  CHECK(seen != other);
  CHECK_THROWS(Batches(text, 1 << 15, 1));
  CHECK_THROWS(Batches(text, 100, 1));
}

TEST_CASE("the learning rate rises, then falls to a hundredth") {
  CHECK(schedule(0, 1000) < 0.02);
  CHECK(schedule(50, 1000) > 0.999);
  CHECK(schedule(999, 1000) < 0.011);
}

TEST_CASE("a run interrupted anywhere leaves the same parameters, to the last bit, as one that was not") {
  const Corpus corpus = load_corpus("", "synthetic");
  const Run run{"synthetic", 8, 65536, 1, 0.01};
  const std::string path = "/" + run.name() + ".state";
  TrainOptions whole, pieces;
  whole.state_folder = fresh_folder("whole");
  pieces.state_folder = fresh_folder("pieces");
  whole.stop_before = 200;
  CHECK_FALSE(train(run, corpus, whole));
  for (const std::int64_t step : {1, 77, 78, 200}) {
    pieces.stop_before = step;
    CHECK_FALSE(train(run, corpus, pieces));
  }
  const std::size_t times = 24;  // step, seconds and the recent loss come first; seconds differ
  const std::string a = content(whole.state_folder + path), b = content(pieces.state_folder + path);
  CHECK(a.size() > times);
  CHECK(a.substr(times) == b.substr(times));
  whole.stop_before = pieces.stop_before = -1;
  const double loss = train(run, corpus, whole)->loss;
  CHECK(train(run, corpus, pieces)->loss == loss);
  // A checkpoint that is cut short counts as none.
  std::ofstream(pieces.state_folder + path, std::ios::binary) << b.substr(0, b.size() / 2);
  CHECK(train(run, corpus, pieces)->loss == loss);
  forget(run, pieces);
  CHECK(train(run, corpus, pieces)->loss == loss);
  CHECK(loss < 2.6);
  Run other = run;
  other.seed = 2;
  CHECK(train(other, corpus, pieces)->loss != loss);
}

TEST_CASE("a table outlives a writer that is killed within a line") {
  const std::string path = fresh_folder("table") + "/t.csv";
  CHECK(read_table(path).empty());
  append_line(path, "a,b", "1,x");
  std::ofstream(path, std::ios::app) << "2,";
  CHECK(read_table(path).size() == 1);
  append_line(path, "a,b", "3,");
  const std::vector<Row> rows = read_table(path);
  CHECK(rows.size() == 3);  // "2," is a whole line by now
  CHECK(rows[0].number("a") == 1);
  CHECK(rows[0].text("b") == "x");
  CHECK_FALSE(rows[2].has("b"));
  CHECK_THROWS(rows[0].number("b"));
  CHECK_THROWS(rows[0].text("c"));
}

}  // namespace
