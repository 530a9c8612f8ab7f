// SPDX-License-Identifier: Apache-2.0
#include <tuple>
#include <vector>

#include "offray/design/planned.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename S>
void bind_scalar(py::module_& m) {
  m.def(
      "planned",
      [](std::size_t law, Array<S> N, Array<S> D, Array<S> unique_tokens, Array<S> theta) {
        return planned<S>(law_at<S>(law), Inputs<S>(N, D, unique_tokens), theta, Space::loss);
      },
      py::arg("law"), py::arg("N").noconvert(), py::arg("D").noconvert(), py::arg("unique_tokens").noconvert(),
      py::arg("theta").noconvert());
}

using Rows = Jacobian<double>;

py::tuple search_design(const std::vector<std::tuple<Rows, Rows, Rows>>& models, Array<double> cost, double budget,
                        Index max_runs, Index max_repeats, int criterion) {
  OptimalDesign<double> out;
  {
    const py::gil_scoped_release release;  // the arguments are copies, or a view of an array that the caller holds
    std::vector<DesignModel<double>> all;
    for (const auto& [candidates, existing, targets] : models) all.push_back({candidates, existing, targets});
    const DesignLimits<double> limits{cost, budget, max_runs, max_repeats};
    out = DesignSearch<double>(all, limits, static_cast<Criterion>(criterion)).search();
  }
  return py::make_tuple(out.count, out.weight, out.value, out.bound);
}

}  // namespace

void bind_design(py::module_& m) {
  m.attr("CRITERIA") = names(kCriteria);
  bind_scalar<double>(m);
  bind_scalar<long double>(m);
  m.def("search_design", &search_design, py::arg("models"), py::arg("cost").noconvert(), py::arg("budget"), py::arg("max_runs"),
        py::arg("max_repeats"), py::arg("criterion"));
}
