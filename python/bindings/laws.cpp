// SPDX-License-Identifier: Apache-2.0
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename S>
const AnyLaw<S>& law_at(std::size_t index) {
  return *Laws::all<S>().at(index);
}

template <typename S>
py::object evaluate(std::size_t index, Array<S> theta, Array<S> N, Array<S> D, Array<S> U, bool jacobian) {
  const AnyLaw<S>& law = law_at<S>(index);
  Vector<S> value(N.size());
  Jacobian<S> J(N.size(), jacobian ? law.size() : 0);
  {
    // Nothing below touches a Python object: the arguments are views of arrays that the caller holds.
    const py::gil_scoped_release release;
    law.evaluate(Parameters<S>(theta), Inputs<S>(N, D, U), value, J);
  }
  return jacobian ? py::cast(std::move(J)) : py::cast(std::move(value));
}

template <typename S>
void bind_scalar(py::module_& m) {
  m.def("evaluate", &evaluate<S>, py::arg("law"), py::arg("theta").noconvert(), py::arg("N").noconvert(),
        py::arg("D").noconvert(), py::arg("unique_tokens").noconvert(), py::arg("jacobian"));
}

}  // namespace

void bind_laws(py::module_& m) {
  py::list table;
  for (const AnyLaw<double>* law : Laws::all<double>()) {
    py::tuple parameters(law->parameters.size);
    for (std::size_t j = 0; j < law->parameters.size; ++j) parameters[j] = std::string(law->parameters[j]);
    table.append(py::make_tuple(std::string(law->name), parameters));
  }
  m.attr("LAWS") = py::tuple(table);
  bind_scalar<double>(m);
  bind_scalar<long double>(m);
}
