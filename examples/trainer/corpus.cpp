// SPDX-License-Identifier: Apache-2.0
#include "corpus.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "random.hpp"
#include "shape.hpp"

namespace trainer {
namespace {

std::vector<std::uint8_t> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path + ": corpora.py makes it");
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b >= kSymbols; }))
    throw std::runtime_error(path + " has bytes beyond ASCII");
  return bytes;
}

/// Words of a made-up lexicon, frequent as in Zipf's law: a learner knows the more of them, the larger it is and the more it
/// read.
std::vector<std::uint8_t> synthetic(std::size_t size, std::uint64_t key) {
  constexpr std::size_t kWords = 1 << 14;
  Random lexicon(1), text(key);
  std::vector<std::string> words(kWords);
  for (std::string& word : words)
    for (std::uint64_t syllables = 1 + lexicon.below(3); syllables > 0; --syllables) {
      word += "bdfgklmnprst"[lexicon.below(12)];
      word += "aeiou"[lexicon.below(5)];
    }
  std::vector<std::uint8_t> out;
  while (out.size() < size) {
    const std::string& word = words[static_cast<std::size_t>(std::pow(double(kWords), text.uniform())) - 1];
    out.insert(out.end(), word.begin(), word.end());
    out.push_back(' ');
  }
  out.resize(size);
  return out;
}

}  // namespace

Corpus load_corpus(const std::string& folder, const std::string& name) {
  if (name == "synthetic") return {name, synthetic(1 << 21, 2), synthetic(1 << 15, 3)};
  return {name, read(folder + "/" + name + "/train.bin"), read(folder + "/" + name + "/heldout.bin")};
}

}  // namespace trainer
