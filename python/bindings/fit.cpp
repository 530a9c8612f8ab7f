// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "columns.hpp"
#include "law_handle.hpp"
#include "offray/offray.hpp"
#include "signals.hpp"

namespace {

using namespace offray;

/// The findings by name.
py::tuple finding_names(Findings found) {
  py::list out;
  for (std::size_t k = 0; k < std::size(kFindings); ++k)
    if (has(found, static_cast<Finding>(k))) out.append(std::string(kFindings[k]));
  return py::tuple(out);
}

template <typename S>
Fit<S> run(const LawHandle& law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>* constraints) {
  SignalInterruption interruption;
  FitOptions<S> watched = options;
  watched.solver.interruption = &interruption;
  std::optional<Fit<S>> out;
  {
    const py::gil_scoped_release release;  // every argument is a C++ object that the caller holds
    out = fit_any<S>(law.as<S>(), runs, watched, constraints == nullptr ? Constraints<S>(law.as<S>()) : *constraints);
  }
  interruption.raise_if_requested();
  return std::move(*out);
}

/// What the search found, by name.
template <typename S>
py::dict state_as_dict(const Fit<S>& fit) {
  const FitState<S> at = state_of(fit);
  py::list basins;
  for (const FitBasin<S>& b : at.basins)
    basins.append(
        py::make_tuple(Vector<S>(b.theta), scalar<S>(b.objective), std::string(kStatuses[static_cast<int>(b.status)])));
  py::dict out;
  out["theta"] = Vector<S>(at.theta);
  out["phi"] = Vector<S>(at.phi);
  out["status"] = std::string(kStatuses[static_cast<int>(at.summary.status)]);
  out["iterations"] = at.summary.iterations;
  out["evaluations"] = at.summary.evaluations;
  out["objective_value"] = scalar<S>(at.summary.objective);
  out["scaled_gradient"] = scalar<S>(at.summary.scaled_gradient);
  out["smoothing"] = scalar<S>(at.summary.smoothing);
  out["inverse_condition"] = scalar<S>(at.summary.inverse_condition);
  out["limit"] = std::string(kLocations[static_cast<int>(at.location)]);
  out["limit_parameter"] = at.location_parameter;
  out["lost"] = at.lost;
  out["gap"] = scalar<S>(at.gap);
  out["delta"] = scalar<S>(at.delta);
  out["log_N0"] = scalar<S>(at.log_N0);
  out["log_D0"] = scalar<S>(at.log_D0);
  out["basins"] = basins;
  return out;
}

template <typename S>
Vector<S> vector_in(const py::handle& value) {
  const auto array = py::cast<py::array_t<S, py::array::c_style>>(value);
  if (array.ndim() > 1) throw py::value_error("state: an array has more than one dimension");
  return Eigen::Map<const Vector<S>>(array.data(), array.size());
}

template <typename S>
S scalar_in(const py::handle& value) {
  const Vector<S> out = vector_in<S>(value);
  if (out.size() != 1) throw py::value_error("state: an array stands for a number");
  return out[0];
}

template <typename S>
FitState<S> state_in(const py::dict& from) {
  FitState<S> out;
  out.theta = vector_in<S>(from["theta"]);
  out.phi = vector_in<S>(from["phi"]);
  out.summary.status = enumerator<Status>(kStatuses, py::cast<std::string>(from["status"]), "status");
  out.summary.iterations = py::cast<int>(from["iterations"]);
  out.summary.evaluations = py::cast<int>(from["evaluations"]);
  out.summary.objective = scalar_in<S>(from["objective_value"]);
  out.summary.scaled_gradient = scalar_in<S>(from["scaled_gradient"]);
  out.summary.smoothing = scalar_in<S>(from["smoothing"]);
  out.summary.inverse_condition = scalar_in<S>(from["inverse_condition"]);
  out.location = enumerator<Location>(kLocations, py::cast<std::string>(from["limit"]), "limit");
  out.location_parameter = py::cast<int>(from["limit_parameter"]);
  out.lost = py::cast<Index>(from["lost"]);
  out.gap = scalar_in<S>(from["gap"]);
  out.delta = scalar_in<S>(from["delta"]);
  out.log_N0 = scalar_in<S>(from["log_N0"]);
  out.log_D0 = scalar_in<S>(from["log_D0"]);
  for (const py::handle& item : py::cast<py::list>(from["basins"])) {
    const auto basin = py::cast<py::tuple>(item);
    const auto status = enumerator<Status>(kStatuses, py::cast<std::string>(basin[2]), "status");
    out.basins.push_back({vector_in<S>(basin[0]), scalar_in<S>(basin[1]), status});
  }
  return out;
}

template <typename S>
Fit<S> restored(const LawHandle& law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>* constraints,
                const py::dict& state) {
  const AnyLaw<S>& of = law.as<S>();
  Expected<Fit<S>> out =
      restore<S>(of, runs, options, constraints == nullptr ? Constraints<S>(of) : *constraints, state_in<S>(state));
  if (!out) throw InvalidInput(std::string(out.error().message()));
  return *std::move(out);
}

/// Figures of a fit.
template <typename S>
void bind_figures_of(py::class_<Fit<S>>& fit) {
  using Class = Fit<S>;
  fit.def_property_readonly("theta", Getter<Class>([](const Class& f) -> py::object { return py::cast(Vector<S>(f.theta)); }))
      .def_property_readonly("rss", Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.rss()); }))
      .def_property_readonly("objective_value",
                             Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.summary.objective); }))
      .def_property_readonly("scaled_gradient",
                             Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.summary.scaled_gradient); }))
      .def_property_readonly("inverse_condition",
                             Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.summary.inverse_condition); }))
      .def_property_readonly("status", Getter<Class>([](const Class& f) -> py::object {
                               return py::cast(std::string(kStatuses[static_cast<int>(f.status())]));
                             }))
      .def_property_readonly(
          "message", Getter<Class>([](const Class& f) -> py::object { return py::cast(std::string(describe(f.status()))); }))
      .def_property_readonly("found", Getter<Class>([](const Class& f) -> py::object {
                               const Findings found = findings(f);
                               return py::make_tuple(finding_names(found), (found & kLoud) != 0);
                             }))
      .def_property_readonly("rivals", Getter<Class>([](const Class& f) -> py::object { return py::cast(rivals(f)); }))
      .def_property_readonly("evaluations",
                             Getter<Class>([](const Class& f) -> py::object { return py::cast(f.summary.evaluations); }))
      .def_property_readonly(
          "delta", Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.options.solver.objective.delta); }))
      .def_property_readonly("gap", Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.gap); }))
      .def_property_readonly("limit", Getter<Class>([](const Class& f) -> py::object {
                               return py::cast(std::string(kLocations[static_cast<int>(f.location)]));
                             }))
      .def_property_readonly("limit_parameter",
                             Getter<Class>([](const Class& f) -> py::object { return py::cast(f.location_parameter); }))
      .def_property_readonly("basins", Getter<Class>([](const Class& f) -> py::object {
                               py::list out;
                               for (const FitBasin<S>& b : f.basins)
                                 out.append(py::make_tuple(Vector<S>(b.theta), scalar<S>(b.objective),
                                                           std::string(kStatuses[static_cast<int>(b.status)])));
                               return out;
                             }));
}

/// What follows from a fit.
template <typename S>
void bind_consequences_of(py::module_& m, py::class_<Fit<S>>& fit) {
  using Class = Fit<S>;
  fit.def_property_readonly("room", Getter<Class>([](const Class& f) -> py::object { return py::cast(Vector<S>(f.room())); }))
      .def_property_readonly("residual", Getter<Class>([](const Class& f) -> py::object { return py::cast(f.residual()); }))
      .def_property_readonly("tpp_ratio",
                             Getter<Class>([](const Class& f) -> py::object { return scalar<S>(f.runs.at.tpp_ratio()); }))
      .def_property_readonly("degrees_of_freedom",
                             Getter<Class>([](const Class& f) -> py::object { return py::cast(f.degrees_of_freedom()); }))
      .def_property_readonly("free", Getter<Class>([](const Class& f) -> py::object {
                               std::vector<bool> out;
                               for (Index j = 0; j < f.theta.size(); ++j) out.push_back(f.parametrisation.slot(j) >= 0);
                               return py::cast(out);
                             }))
      .def_property_readonly("sloppy_direction", Getter<Class>([](const Class& f) -> py::object {
                               py::dict out;
                               for (const auto& [parameter, component] : sloppy_direction(f, conditioning(f)))
                                 out[py::str(parameter)] = static_cast<double>(component);
                               return out;
                             }))
      .def_property_readonly("at_bound", Getter<Class>([](const Class& f) -> py::object {
                               std::vector<int> out;
                               for (Index j = 0; j < f.theta.size(); ++j) out.push_back(f.at_bound(j));
                               return py::cast(out);
                             }))
      .def(
          "covariance", [](const Class& f) { return covariance(f); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "unit_covariance", [](const Class& f) { return covariance(f, S(1)); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "conditioning", [](const Class& f) { return conditioning(f); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "predict",
          [](const Class& f, const py::dict& columns, const std::optional<std::vector<Index>>& sandwich,
             std::optional<double> variance) {
            const Inputs<S> at = inputs<S>(columns);
            Prediction<S> out;
            {
              const py::gil_scoped_release release;  // f is immutable
              const S noise = variance ? static_cast<S>(*variance) : noise_variance(f);
              out = predict(f, at, sandwich ? Uncertainty<S>::sandwich(f, *sandwich) : Uncertainty<S>(f, noise));
            }
            return py::make_tuple(std::move(out.value), std::move(out.se));
          },
          py::arg("columns"), py::arg("sandwich") = std::nullopt, py::arg("variance") = std::nullopt);
  fit.def_property_readonly("state", Getter<Class>([](const Class& f) -> py::object { return state_as_dict(f); }));
  m.def("restore", &restored<S>, py::arg("law"), py::arg("runs"), py::arg("options"), py::arg("constraints").none(true),
        py::arg("state"));
  m.def("fit", &run<S>, py::arg("law"), py::arg("runs"), py::arg("options"), py::arg("constraints").none(true));
}

template <typename S>
void bind_fit_of(py::module_& m, const char* name) {
  py::class_<Fit<S>> fit(m, name);
  bind_figures_of<S>(fit);
  bind_consequences_of<S>(m, fit);
}

}  // namespace

void bind_fit(py::module_& m) {
  bind_fit_of<double>(m, "FitDouble");
  bind_fit_of<long double>(m, "FitLongDouble");
}
