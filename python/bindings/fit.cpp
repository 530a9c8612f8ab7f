// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <tuple>

#include "options.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

using Names = std::vector<std::string>;

/// Names and values of fixed parameters, tied pairs, names and values of bounds.
template <typename S>
using Limits = std::tuple<Names, Vector<S>, std::vector<std::pair<std::string, std::string>>, Names, Vector<S>, Vector<S>>;

template <typename S>
Constraints<S> constraints_of(const AnyLaw<S>& law, const std::optional<Limits<S>>& limits) {
  Constraints<S> out(law);
  if (!limits) return out;
  const auto& [fixed, values, tied, bounded, lower, upper] = *limits;
  for (std::size_t i = 0; i < fixed.size(); ++i) out.fix(fixed[i], values[static_cast<Index>(i)]);
  for (const auto& pair : tied) out.tie(pair.first, pair.second);
  for (std::size_t i = 0; i < bounded.size(); ++i)
    out.bound(bounded[i], lower[static_cast<Index>(i)], upper[static_cast<Index>(i)]);
  return out;
}

template <typename S>
Fit<S> run(std::size_t law_index, Array<S> N, Array<S> D, Array<S> loss, Array<S> weight, Array<S> unique_tokens, int objective,
           Array<S> delta, double quantile, bool log_loss, int max_evaluations, Array<S> start,
           const std::optional<Limits<S>>& constraints) {
  // Safe without the GIL: every argument is a C++ value or a view of an array that the caller holds.
  const py::gil_scoped_release release;
  const AnyLaw<S>& law = law_at<S>(law_index);
  const FitOptions<S> options = fit_options<S>(objective, delta, quantile, log_loss, max_evaluations, start);
  return fit_any<S>(law, Runs<S>(N, D, loss, weight, unique_tokens), options, constraints_of<S>(law, constraints));
}

template <typename S>
void bind_scalar(py::module_& m, const char* name) {
  using Class = Fit<S>;
  py::class_<Class>(m, name)
      .def_property_readonly("theta", [](const Class& f) { return Vector<S>(f.theta); })
      .def_property_readonly("rss", [](const Class& f) { return scalar<S>(f.rss()); })
      .def_property_readonly("objective_value", [](const Class& f) { return scalar<S>(f.summary.objective); })
      .def_property_readonly("scaled_gradient", [](const Class& f) { return scalar<S>(f.summary.scaled_gradient); })
      .def_property_readonly("inverse_condition", [](const Class& f) { return scalar<S>(f.summary.inverse_condition); })
      .def_property_readonly("status", [](const Class& f) { return std::string(kStatuses[static_cast<int>(f.status())]); })
      .def_property_readonly("message", [](const Class& f) { return std::string(describe(f.status())); })
      .def_property_readonly("findings", [](const Class& f) { return findings(f); })
      .def_property_readonly("evaluations", [](const Class& f) { return f.summary.evaluations; })
      .def_property_readonly("delta", [](const Class& f) { return scalar<S>(f.options.solver.objective.delta); })
      .def_property_readonly("gap", [](const Class& f) { return scalar<S>(f.gap); })
      .def_property_readonly("limit", [](const Class& f) { return std::string(kLocations[static_cast<int>(f.location)]); })
      .def_property_readonly("limit_parameter", [](const Class& f) { return f.location_parameter; })
      .def_property_readonly("basins",
                             [](const Class& f) {
                               py::list out;
                               for (const FitBasin<S>& b : f.basins)
                                 out.append(py::make_tuple(Vector<S>(b.theta), scalar<S>(b.objective),
                                                           std::string(kStatuses[static_cast<int>(b.status)])));
                               return out;
                             })
      .def_property_readonly("room", [](const Class& f) { return Vector<S>(f.room()); })
      .def_property_readonly("residual", &Class::residual)
      .def_property_readonly("tpp_ratio", [](const Class& f) { return scalar<S>(f.runs.at.tpp_ratio()); })
      .def_property_readonly("degrees_of_freedom", &Class::degrees_of_freedom)
      .def_property_readonly("free",
                             [](const Class& f) {
                               std::vector<bool> out;
                               for (Index j = 0; j < f.theta.size(); ++j) out.push_back(f.parametrisation.slot(j) >= 0);
                               return out;
                             })
      .def_property_readonly("sloppy_direction",
                             [](const Class& f) {
                               py::dict out;
                               for (const auto& [parameter, component] : sloppy_direction(f, conditioning(f)))
                                 out[py::str(parameter)] = static_cast<double>(component);
                               return out;
                             })
      .def_property_readonly("at_bound",
                             [](const Class& f) {
                               std::vector<int> out;
                               for (Index j = 0; j < f.theta.size(); ++j) out.push_back(f.at_bound(j));
                               return out;
                             })
      .def(
          "covariance", [](const Class& f) { return covariance(f); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "unit_covariance", [](const Class& f) { return covariance(f, S(1)); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "conditioning", [](const Class& f) { return conditioning(f); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "predict",
          [](const Class& f, Array<S> N, Array<S> D, Array<S> unique_tokens) {
            Prediction<S> out;
            {
              const py::gil_scoped_release release;  // as in run()
              out = predict(f, Inputs<S>(N, D, unique_tokens));
            }
            return py::make_tuple(std::move(out.value), std::move(out.se));
          },
          py::arg("N").noconvert(), py::arg("D").noconvert(), py::arg("unique_tokens").noconvert());
  m.def("fit", &run<S>, py::arg("law"), py::arg("N").noconvert(), py::arg("D").noconvert(), py::arg("loss").noconvert(),
        py::arg("weight").noconvert(), py::arg("unique_tokens").noconvert(), py::arg("objective"), py::arg("delta").noconvert(),
        py::arg("quantile"), py::arg("log_loss"), py::arg("max_evaluations"), py::arg("start").noconvert(),
        py::arg("constraints"));
}

}  // namespace

void bind_fit(py::module_& m) {
  py::list objectives;
  for (const auto name : kObjectives) objectives.append(std::string(name));
  m.attr("OBJECTIVES") = py::tuple(objectives);
  py::list scaled;
  for (std::size_t i = 0; i < std::size(kObjectives); ++i)
    if (has_scale(static_cast<ObjectiveKind>(i))) scaled.append(std::string(kObjectives[i]));
  m.attr("SCALED_OBJECTIVES") = py::tuple(scaled);
  bind_scalar<double>(m, "FitDouble");
  bind_scalar<long double>(m, "FitLongDouble");
}
