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
void bind_batch(py::module_& m);
void bind_conditioning(py::module_& m);
void bind_simd(py::module_& m);

/// A 0-d array: pybind11 turns a long double into a Python float, which would lose digits.
template <typename S>
py::array_t<S> scalar(S value) {
  py::array_t<S> out(std::vector<py::ssize_t>{});
  *out.mutable_data() = value;
  return out;
}

/// A vector as read by numpy without a copy: contiguous and of the right type, which Python makes sure of.
template <typename S>
using Array = const Eigen::Ref<const offray::Vector<S>>&;
