// SPDX-License-Identifier: Apache-2.0
/// \file
/// Named columns of Python as inputs of the core.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "offray/errors.hpp"
#include "offray/runs.hpp"
#include "pybind.hpp"

/// A view of one column; an empty one where it is not there.
template <typename S>
Eigen::Map<const offray::Vector<S>> column(const py::dict& columns, const char* name) {
  if (!columns.contains(name)) return {nullptr, 0};
  const py::object value = columns[name];
  if (!py::isinstance<py::array_t<S, py::array::c_style>>(value)) throw py::type_error(std::string(name) + ": wrong dtype");
  const auto array = py::reinterpret_borrow<py::array_t<S>>(value);
  if (array.ndim() != 1) throw py::type_error(std::string(name) + ": must be one-dimensional");
  return {array.data(), array.size()};
}

/// The columns beside params, tokens and unique_tokens, in their order.
template <typename S>
std::vector<Eigen::Map<const offray::Vector<S>>> further_columns(const py::dict& columns) {
  std::vector<Eigen::Map<const offray::Vector<S>>> out;
  for (const auto& item : columns) {
    const std::string name = py::str(item.first);
    if (name != "params" && name != "tokens" && name != "unique_tokens") out.push_back(column<S>(columns, name.c_str()));
  }
  return out;
}

/// Where a law is evaluated: columns params, tokens and perhaps unique_tokens, and in their order whatever else it reads. A law
/// that does not read params or tokens is given none: then they are 1.
template <typename S>
offray::Inputs<S> inputs(const py::dict& columns) {
  const auto views = further_columns<S>(columns);
  const std::vector<offray::Vector<S>> further(views.begin(), views.end());
  offray::Index n = 0;
  for (const auto& item : columns) n = column<S>(columns, std::string(py::str(item.first)).c_str()).size();
  const auto counts = [&](const char* name) -> offray::Vector<S> {
    if (!columns.contains(name)) return offray::Vector<S>::Ones(n);
    return column<S>(columns, name);
  };
  for (const offray::Vector<S>& other : further)
    if (other.size() != n) throw offray::InvalidInput("every column needs one value per run");
  if (further.empty() && columns.contains("params") && columns.contains("tokens"))
    return offray::Inputs<S>(column<S>(columns, "params"), column<S>(columns, "tokens"), column<S>(columns, "unique_tokens"));
  offray::Inputs<S> out(counts("params"), counts("tokens"), column<S>(columns, "unique_tokens"));
  out.columns = further;
  return out;
}
