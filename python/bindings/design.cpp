// SPDX-License-Identifier: Apache-2.0
#include <tuple>
#include <vector>

#include "columns.hpp"
#include "law_handle.hpp"
#include "offray/offray.hpp"

namespace {

using namespace offray;

template <typename S>
void bind_design_of(py::module_& m) {
  m.def(
      "planned",
      [](const LawHandle& law, const py::dict& columns, Array<S> theta, double sigma) {
        return planned<S>(law.as<S>(), inputs<S>(columns), theta, Space::loss, static_cast<S>(sigma));
      },
      py::arg("law"), py::arg("columns"), py::arg("theta").noconvert(), py::arg("sigma") = 0.0);
}

using Rows = Jacobian<double>;

py::tuple search_design(const std::vector<std::tuple<Rows, Rows, Rows>>& models, Array<double> cost, double budget,
                        Index max_runs, Index max_repeats, const std::string& criterion) {
  OptimalDesign<double> out;
  {
    const py::gil_scoped_release release;  // the arguments are copies, or a view of an array that the caller holds
    std::vector<DesignModel<double>> all;
    for (const auto& [candidates, existing, targets] : models) all.push_back({candidates, existing, targets});
    const DesignLimits<double> limits{cost, budget, max_runs, max_repeats};
    out = DesignSearch<double>(all, limits, enumerator<Criterion>(kCriteria, criterion, "criterion")).search();
  }
  return py::make_tuple(out.count, out.weight, out.value, out.bound);
}

}  // namespace

void bind_design(py::module_& m) {
  m.attr("CRITERIA") = names(kCriteria);
  bind_design_of<double>(m);
  bind_design_of<long double>(m);
  m.def("search_design", &search_design, py::arg("models"), py::arg("cost").noconvert(), py::arg("budget"), py::arg("max_runs"),
        py::arg("max_repeats"), py::arg("criterion"));
}
