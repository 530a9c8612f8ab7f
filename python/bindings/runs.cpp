// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"

namespace {

template <typename S>
void bind_runs_of(py::module_& m, const char* name) {
  using Class = offray::Runs<S>;
  py::class_<Class>(m, name).def(py::init([](const py::dict& columns, Array<S> loss, Array<S> weight, bool any_sign) {
                                   if (!any_sign) return Class(inputs<S>(columns), loss, weight);
                                   Class out(inputs<S>(columns), offray::Vector<S>::Ones(loss.size()), weight);
                                   out.loss = loss;
                                   return out;
                                 }),
                                 py::arg("columns"), py::arg("loss").noconvert(), py::arg("weight").noconvert(),
                                 py::arg("any_sign"));
}

}  // namespace

void bind_runs(py::module_& m) {
  bind_runs_of<double>(m, "RunsDouble");
  bind_runs_of<long double>(m, "RunsLongDouble");
}
