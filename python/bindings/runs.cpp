// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"

namespace {

template <typename S>
void bind_runs_of(py::module_& m, const char* name) {
  using Class = offray::Runs<S>;
  py::class_<Class>(m, name).def(py::init([](const py::dict& columns, Array<S> loss, Array<S> weight) {
                                   return Class(column<S>(columns, "params"), column<S>(columns, "tokens"), loss, weight,
                                                column<S>(columns, "unique_tokens"));
                                 }),
                                 py::arg("columns"), py::arg("loss").noconvert(), py::arg("weight").noconvert());
}

}  // namespace

void bind_runs(py::module_& m) {
  bind_runs_of<double>(m, "RunsDouble");
  bind_runs_of<long double>(m, "RunsLongDouble");
}
