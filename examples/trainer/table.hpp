// SPDX-License-Identifier: Apache-2.0
/// \file
/// Tables with a header line: comma-separated, no quotes.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace trainer {

class Row {
 public:
  std::map<std::string, std::string> cells;

  /// \throws std::runtime_error naming the column if it is missing or no number.
  double number(const std::string& column) const;
  const std::string& text(const std::string& column) const;
  bool has(const std::string& column) const;
};

/// The rows of a file; none if there is no such file. Leaves out a line that was cut short when its writer was killed.
std::vector<Row> read_table(const std::string& path);

/// Appends one line in one write, so that several programs may share a file; starts a new file with the header.
void append_line(const std::string& path, const std::string& header, const std::string& line);

/// Writes a whole file under another name first, so that a reader, or a killed writer, never sees half of it.
void replace_file(const std::string& path, const std::string& content);

/// Like std::snprintf("%.*g").
std::string shown(double value, int digits = 6);

}  // namespace trainer
