// SPDX-License-Identifier: Apache-2.0
#include "offray/offray.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename S>
void bind_conditioning_of(py::module_& m, const char* name) {
  using Class = Conditioning<S>;
  py::class_<Class>(m, name)
      .def_property_readonly("kappa", [](const Class& c) { return scalar<S>(c.kappa()); })
      .def_property_readonly("rank", &Class::rank)
      .def_property_readonly("singular_values", [](const Class& c) { return Vector<S>(c.singular_values()); })
      .def_property_readonly("direction", &Class::direction)
      .def_property_readonly("variance_inflation", &Class::variance_inflation);
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
