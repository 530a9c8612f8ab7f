// SPDX-License-Identifier: Apache-2.0
/// \file
/// Named columns of Python as inputs of the core.
#pragma once

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

/// Where a law is evaluated: columns params, tokens and perhaps unique_tokens.
template <typename S>
offray::Inputs<S> inputs(const py::dict& columns) {
  return offray::Inputs<S>(column<S>(columns, "params"), column<S>(columns, "tokens"), column<S>(columns, "unique_tokens"));
}
