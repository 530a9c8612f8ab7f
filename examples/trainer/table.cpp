// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace trainer {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) out.push_back(cell);
  if (!line.empty() && line.back() == ',') out.emplace_back();
  return out;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

bool Row::has(const std::string& column) const {
  const auto at = cells.find(column);
  return at != cells.end() && !at->second.empty();
}

const std::string& Row::text(const std::string& column) const {
  const auto at = cells.find(column);
  if (at == cells.end()) throw std::runtime_error("a table lacks the column " + column);
  return at->second;
}

double Row::number(const std::string& column) const {
  const std::string& cell = text(column);
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  if (cell.empty() || *end != '\0') throw std::runtime_error("column " + column + " has no number in \"" + cell + "\"");
  return value;
}

std::vector<Row> read_table(const std::string& path) {
  const std::string content = read_all(path);
  std::istringstream lines(content.substr(0, content.rfind('\n') + 1));
  std::string line, header;
  std::getline(lines, header);
  const std::vector<std::string> names = split(header);
  std::vector<Row> rows;
  while (std::getline(lines, line)) {
    const std::vector<std::string> cells = split(line);
    if (line == header || cells.size() != names.size()) continue;
    rows.emplace_back();
    for (std::size_t k = 0; k < names.size(); ++k) rows.back().cells[names[k]] = cells[k];
  }
  return rows;
}

void append_line(const std::string& path, const std::string& header, const std::string& line) {
  const std::string before = read_all(path);
  std::string text = before.empty() ? header + "\n" : before.back() != '\n' ? "\n" : "";
  text += line + "\n";
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.flush();
  if (!file) throw std::runtime_error("cannot write " + path);
}

void replace_file(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.flush();
    if (!file) throw std::runtime_error("cannot write " + fresh);
  }
  std::filesystem::rename(fresh, path);
}

std::string shown(double value, int digits) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
  return buffer;
}

}  // namespace trainer
