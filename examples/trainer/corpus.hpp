// SPDX-License-Identifier: Apache-2.0
/// \file
/// Text to train on and text held out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trainer {

struct Corpus {
  std::string name;
  std::vector<std::uint8_t> train, held_out;
};

/// FOLDER/NAME/{train,heldout}.bin, or the text that the program makes itself if the name is "synthetic".
/// \throws std::runtime_error for a file that is missing or not ASCII.
Corpus load_corpus(const std::string& folder, const std::string& name);

}  // namespace trainer
