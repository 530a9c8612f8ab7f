// SPDX-License-Identifier: Apache-2.0
/// \file
/// Random numbers and permutations that are functions of a key: nothing to save in a checkpoint.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace trainer {

/// A bijection of 64 bits that mixes them well (the finaliser of SplitMix64, Steele, Lea & Flood 2014).
inline std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

inline std::uint64_t hash(std::string_view text, std::uint64_t key = 0) {
  for (const char c : text) key = mix(key + 0x9e3779b97f4a7c15ULL + static_cast<unsigned char>(c));
  return mix(key);
}

/// A stream of random numbers.
class Random {
 public:
  explicit Random(std::uint64_t key) : state_(key) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  /// In (0, 1).
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
  std::uint64_t below(std::uint64_t n) { return static_cast<std::uint64_t>(uniform() * static_cast<double>(n)); }
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }

 private:
  std::uint64_t state_;
};

/// A permutation of 0 .. n - 1 without a table: a Feistel network on the next power of four, walked until it is below n.
class Permutation {
 public:
  Permutation(std::uint64_t n, std::uint64_t key) : n_(n), key_(key) {
    while ((std::uint64_t(1) << (2 * bits_)) < n) ++bits_;
    mask_ = (std::uint64_t(1) << bits_) - 1;
  }

  std::uint64_t operator()(std::uint64_t i) const {
    do {
      std::uint64_t left = i >> bits_, right = i & mask_;
      for (std::uint64_t round = 0; round < 4; ++round) {
        const std::uint64_t old = left;
        left = right;
        right = old ^ (mix(key_ + round * 0x9e3779b97f4a7c15ULL + right) & mask_);
      }
      i = left << bits_ | right;
    } while (i >= n_);
    return i;
  }

 private:
  std::uint64_t n_, key_, mask_ = 0;
  unsigned bits_ = 1;
};

}  // namespace trainer
