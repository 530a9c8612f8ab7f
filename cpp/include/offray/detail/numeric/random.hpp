// SPDX-License-Identifier: Apache-2.0
/// \file
/// Random numbers that are a function of (seed, stream, position): the same bits from any thread, in any order, on any machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011): a keyed bijection of 128-bit counters whose values pass the statistical
/// batteries. It has no state to carry from one replicate to the next, hence no order to keep between threads.
struct Philox {
  using Counter = std::array<std::uint32_t, 4>;
  using Key = std::array<std::uint32_t, 2>;

  static constexpr Counter block(Counter c, Key k) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
      c = {high(b) ^ c[1] ^ k[0], low(b), high(a) ^ c[3] ^ k[1], low(a)};
      k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
    }
    return c;
  }

 private:
  static constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
  static constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
};

/// One of 2^64 independent streams of a seed.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        stream_{static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)} {}

  /// 32 random bits; a stream has 2^66 of them.
  std::uint32_t bits() {
    if (used_ == words_.size()) refill();
    return words_[used_++];
  }

  /// Uniform on 0 .. bound - 1, bound > 0, without bias and almost always without a division (Lemire 2019).
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{bits()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t excess = (0u - bound) % bound;  // 2^32 mod bound
      while (static_cast<std::uint32_t>(product) < excess) product = std::uint64_t{bits()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// 1 or -1 with equal chance.
  int sign() { return 1 - static_cast<int>(bits() >> 31 << 1); }

 private:
  static constexpr std::size_t kBlocks = 4;  ///< made together: their rounds are independent and overlap in the processor

  Philox::Key key_;
  std::array<std::uint32_t, 2> stream_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4 * kBlocks> words_{};
  std::size_t used_ = words_.size();

  void refill() {
    for (std::size_t b = 0; b < kBlocks; ++b, ++position_) {
      const auto block = Philox::block(
          {static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(position_ >> 32), stream_[0], stream_[1]}, key_);
      for (std::size_t i = 0; i < block.size(); ++i) words_[4 * b + i] = block[i];
    }
    used_ = 0;
  }
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
