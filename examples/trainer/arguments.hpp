// SPDX-License-Identifier: Apache-2.0
/// \file
/// The command line: words, and options "--name value".
#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace trainer {

class Arguments {
 public:
  std::vector<std::string> words;

  explicit Arguments(const std::vector<std::string>& line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i].rfind("--", 0) != 0)
        words.push_back(line[i]);
      else if (i + 1 == line.size())
        throw std::runtime_error(line[i] + " needs a value");
      else
        options_[line[i].substr(2)] = line[i + 1], ++i;
    }
  }

  std::string get(const std::string& name, const std::string& otherwise) {
    known_.push_back(name);
    const auto at = options_.find(name);
    return at == options_.end() ? otherwise : at->second;
  }

  double get(const std::string& name, double otherwise) {
    const std::string value = get(name, std::string());
    if (value.empty()) return otherwise;
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (*end != '\0') throw std::runtime_error("--" + name + " needs a number, not " + value);
    return number;
  }

  /// \throws std::runtime_error for an option that nothing asked for.
  void check() const {
    for (const auto& [name, value] : options_)
      if (std::find(known_.begin(), known_.end(), name) == known_.end())
        throw std::runtime_error("no option --" + name + " here");
  }

 private:
  std::map<std::string, std::string> options_;
  std::vector<std::string> known_;
};

}  // namespace trainer
