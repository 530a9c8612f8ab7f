// SPDX-License-Identifier: Apache-2.0
#include "law_handle.hpp"
#include "offray/constraints.hpp"
#include "offray/fit.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename S>
void bind_options_of(py::module_& m, const char* options_name, const char* constraints_name) {
  using Options = FitOptions<S>;
  py::class_<Options>(m, options_name)
      .def(py::init([](const std::string& objective, Array<S> delta, double quantile, bool log_loss, int max_evaluations,
                       Array<S> start) {
             Options out;
             out.space = log_loss ? Space::log_loss : Space::loss;
             out.solver.objective.kind = enumerator<ObjectiveKind>(kObjectives, objective, "objective");
             out.robust_scale = delta.size() == 0;
             if (!out.robust_scale) out.solver.objective.delta = delta[0];
             out.solver.objective.quantile = static_cast<S>(quantile);
             out.solver.max_evaluations = max_evaluations;
             out.start = start;
             return out;
           }),
           py::arg("objective"), py::arg("delta").noconvert(), py::arg("quantile"), py::arg("log_loss"),
           py::arg("max_evaluations"), py::arg("start").noconvert());

  using Class = Constraints<S>;
  py::class_<Class>(m, constraints_name)
      .def(py::init([](const LawHandle& law) { return Class(law.as<S>()); }), py::arg("law"))
      .def(
          "fix", [](Class& c, const std::string& name, Array<S> value) { c.fix(name, value[0]); }, py::arg("name"),
          py::arg("value").noconvert())
      .def(
          "tie", [](Class& c, const std::string& first, const std::string& second) { c.tie(first, second); }, py::arg("first"),
          py::arg("second"))
      .def(
          "bound", [](Class& c, const std::string& name, Array<S> ends) { c.bound(name, ends[0], ends[1]); }, py::arg("name"),
          py::arg("ends").noconvert());
}

}  // namespace

void bind_options(py::module_& m) {
  py::list scaled;
  for (std::size_t i = 0; i < std::size(kObjectives); ++i)
    if (has_scale(static_cast<ObjectiveKind>(i))) scaled.append(std::string(kObjectives[i]));
  m.attr("OBJECTIVES") = names(kObjectives);
  m.attr("SCALED_OBJECTIVES") = py::tuple(scaled);
  bind_options_of<double>(m, "FitOptionsDouble", "ConstraintsDouble");
  bind_options_of<long double>(m, "FitOptionsLongDouble", "ConstraintsLongDouble");
}
