// SPDX-License-Identifier: Apache-2.0
#include "offray/offray.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename S>
void bind_conditioning_of(py::module_& m, const char* name) {
  using Class = Conditioning<S>;
  py::class_<Class>(m, name)
      .def_property_readonly("kappa", Getter<Class>([](const Class& c) -> py::object { return scalar<S>(c.kappa()); }))
      .def_property_readonly("rank", Getter<Class>([](const Class& c) -> py::object { return py::cast(c.rank()); }))
      .def_property_readonly("singular_values", Getter<Class>([](const Class& c) -> py::object {
                               return py::cast(Vector<S>(c.singular_values()));
                             }))
      .def_property_readonly("direction", Getter<Class>([](const Class& c) -> py::object { return py::cast(c.direction()); }))
      .def_property_readonly("variance_inflation",
                             Getter<Class>([](const Class& c) -> py::object { return py::cast(c.variance_inflation()); }));
  m.def(
      "condition",
      [](const Eigen::Ref<const Jacobian<S>>& J, const std::string& columns) {
        const Columns kind = columns == "raw" ? Columns::raw : Columns::unit;
        const py::gil_scoped_release release;  // J is a view of an array that the caller holds
        return Class(J, kind);
      },
      py::arg("J").noconvert(), py::arg("columns"));
}

}  // namespace

void bind_conditioning(py::module_& m) {
  bind_conditioning_of<double>(m, "ConditioningDouble");
  bind_conditioning_of<long double>(m, "ConditioningLongDouble");
}
