// SPDX-License-Identifier: Apache-2.0
/// \file
/// The runs and the start that bench/compare.py and bench/profile_pieces.py hand to a program: FILE.csv E A B alpha beta.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

struct Input {
  Eigen::VectorXd N, D, loss;
  Eigen::VectorXd start;
};

/// \throws std::runtime_error where the arguments or the file are not as described.
inline Input read_input(int argc, char** argv) {
  if (argc != 7) throw std::runtime_error("usage: FILE.csv E A B alpha beta");
  std::ifstream file(argv[1]);
  std::string line;
  if (!std::getline(file, line) || line.rfind("params,tokens,loss", 0) != 0)
    throw std::runtime_error(std::string(argv[1]) + ": expected a header params,tokens,loss");
  std::vector<std::array<double, 3>> rows;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    char comma;
    std::array<double, 3> row;
    if (!(cells >> row[0] >> comma >> row[1] >> comma >> row[2])) throw std::runtime_error("not a row of numbers: " + line);
    rows.push_back(row);
  }
  const auto n = static_cast<Eigen::Index>(rows.size());
  Input out{Eigen::VectorXd(n), Eigen::VectorXd(n), Eigen::VectorXd(n), Eigen::VectorXd(5)};
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    out.N[i] = row[0];
    out.D[i] = row[1];
    out.loss[i] = row[2];
  }
  for (int j = 0; j < 5; ++j) out.start[j] = std::stod(argv[2 + j]);
  return out;
}

}  // namespace bench
