// SPDX-License-Identifier: Apache-2.0
/// \file
/// The only place that includes pybind11, so that every file sees the same conversions.
#pragma once

#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "offray/offray.hpp"

namespace py = pybind11;

void bind_laws(py::module_& m);
void bind_fit(py::module_& m);
void bind_inference(py::module_& m);
void bind_batch(py::module_& m);
void bind_design(py::module_& m);
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

/// A law by its index in the list; what is left of it on one ray by that plus the length of the list.
template <typename S>
const offray::AnyLaw<S>& law_at(std::size_t index) {
  constexpr std::size_t size = offray::Laws::size;
  const offray::AnyLaw<S>& law = *offray::Laws::all<S>().at(index % size);
  if (index < size) return law;
  if (index >= 2 * size || law.on_ray == nullptr) throw std::out_of_range("no such law");
  return *law.on_ray;
}

/// A vector as read by numpy without a copy: contiguous and of the right type, which Python makes sure of.
template <typename S>
using Array = const Eigen::Ref<const offray::Vector<S>>&;
