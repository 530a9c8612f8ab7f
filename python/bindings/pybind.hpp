// SPDX-License-Identifier: Apache-2.0
/// \file
/// The only place that includes pybind11, so that every file sees the same conversions.
#pragma once

#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "offray/types.hpp"

namespace py = pybind11;

void bind_laws(py::module_& m);
void bind_runs(py::module_& m);
void bind_options(py::module_& m);
void bind_fit(py::module_& m);
void bind_inference(py::module_& m);
void bind_identify(py::module_& m);
void bind_batch(py::module_& m);
void bind_design(py::module_& m);
void bind_online(py::module_& m);
void bind_conditioning(py::module_& m);
void bind_simd(py::module_& m);

/// A 0-d array: pybind11 turns a long double into a Python float, which would lose digits.
template <typename S>
py::array_t<S> scalar(S value) {
  py::array_t<S> out(std::vector<py::ssize_t>{});
  *out.mutable_data() = value;
  return out;
}

/// Names as Python strings.
template <typename Names>
py::tuple names(const Names& all) {
  py::list out;
  for (const auto name : all) out.append(std::string(name));
  return py::tuple(out);
}

/// The enumerator of a name, out of a table in the order of the enumerators.
template <typename Enum, typename Table>
Enum enumerator(const Table& table, const std::string& name, const char* argument) {
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (table[i] == name) return static_cast<Enum>(i);
  throw py::value_error(std::string(argument) + ": unknown name '" + name + "'");
}

/// A vector as read by numpy without a copy: contiguous and of the right type, which Python makes sure of.
template <typename S>
using Array = const Eigen::Ref<const offray::Vector<S>>&;

/// A getter of one type for all properties of a class, so that pybind11's machinery is compiled once for all of them.
template <typename Class>
using Getter = py::object (*)(const Class&);
