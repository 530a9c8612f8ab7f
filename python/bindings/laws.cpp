// SPDX-License-Identifier: Apache-2.0
#include "pybind.hpp"

namespace {

using namespace offray;

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
  const auto entry = [](const AnyLaw<double>& law) {
    py::tuple parameters(law.parameters.size());
    for (std::size_t j = 0; j < law.parameters.size(); ++j) parameters[j] = std::string(law.parameters[j].name);
    return py::make_tuple(std::string(law.name), parameters);
  };
  py::list table, on_ray;
  for (const AnyLaw<double>* law : Laws::all<double>()) {
    table.append(entry(*law));
    on_ray.append(law->on_ray == nullptr ? py::object(py::none()) : entry(*law->on_ray));
  }
  m.attr("LAWS") = py::tuple(table);
  m.attr("LAWS_ON_RAY") = py::tuple(on_ray);
  bind_scalar<double>(m);
  bind_scalar<long double>(m);
}
