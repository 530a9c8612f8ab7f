// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "columns.hpp"
#include "offray/offray.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

/// A quantity of a fit: "parameter" (its index), "loss" (N, D, and U where tokens repeat), or one of OPTIMALS after "optimal "
/// (C, c, T).
template <typename S>
Quantity<S> quantity(const Fit<S>& fit, const std::string& name, const Vector<S>& at) {
  if (name == "parameter") return log_parameter(fit, static_cast<Index>(at[0]));
  if (name == "loss") return log_loss_at(fit, Inputs<S>(at.segment(0, 1), at.segment(1, 1), at.tail(at.size() - 2)));
  const std::string which = name.substr(std::min(name.size(), std::string("optimal ").size()));
  return log_optimal(fit, enumerator<Optimal>(kOptimals, which, "quantity"), at[0], Cost<S>{at[1], at[2]});
}

/// Estimates of ln q and their standard errors, one per place.
/// \param variance of the noise, or none for the fit's own estimate. \param sandwich groups of runs (none: each its own), for a
/// sandwich in place of that.
template <typename S>
py::tuple delta_method(const Fit<S>& fit, const std::string& name, const std::vector<Vector<S>>& places,
                       std::optional<S> variance, const std::optional<std::vector<Index>>& sandwich) {
  Vector<S> value(static_cast<Index>(places.size())), se(value.size());
  {
    const py::gil_scoped_release release;  // fit is immutable, the rest are copies
    const Uncertainty<S> uncertainty =
        sandwich ? Uncertainty<S>::sandwich(fit, *sandwich) : Uncertainty<S>(fit, variance ? *variance : noise(fit).variance());
    Parameters<S> gradient;
    for (Index i = 0; i < value.size(); ++i) {
      value[i] = quantity(fit, name, places[static_cast<std::size_t>(i)])(fit.phi, gradient);
      se[i] = uncertainty.se(gradient);
    }
  }
  return py::make_tuple(value, se);
}

template <typename S>
py::tuple profile(const Fit<S>& fit, const std::string& name, const Vector<S>& place, double level) {
  LogInterval<S> out;
  {
    const py::gil_scoped_release release;  // as above
    out = Profile<S>(fit, quantity(fit, name, place)).interval(static_cast<S>(level));
  }
  return py::make_tuple(scalar<S>(out.lower), scalar<S>(out.upper));
}

/// The profile of the loss at one place.
template <typename S>
py::tuple profile_loss(const Fit<S>& fit, const py::dict& columns, double level) {
  const Inputs<S> at = inputs<S>(columns);
  LogInterval<S> out;
  {
    const py::gil_scoped_release release;  // fit is immutable
    out = Profile<S>(fit, log_loss_at(fit, at)).interval(static_cast<S>(level));
  }
  return py::make_tuple(scalar<S>(out.lower), scalar<S>(out.upper));
}

template <typename S>
py::tuple test(const FTest<S>& at) {
  return py::make_tuple(scalar<S>(at.F), scalar<S>(at.p()), at.above, at.below);
}

template <typename S>
py::dict misfit_of(const Fit<S>& fit) {
  Misfit<S> at;
  {
    const py::gil_scoped_release release;  // fit is immutable
    at = misfit(fit);
  }
  py::dict out;
  out["residual_sd"] = scalar<S>(at.residual_sd);
  out["relative_sd"] = scalar<S>(at.relative_sd);
  out["trend"] = test<S>(at.trend);
  out["pattern"] = scalar<S>(at.pattern);
  py::dict departures;
  for (const Departure which : kAllDepartures) {
    const DepartureTest<S>& found = at.departure(which);
    departures[py::str(std::string(kDepartures[static_cast<std::size_t>(which)]))] =
        py::make_tuple(test<S>(found.test), scalar<S>(found.pattern), at.departs(which));
  }
  out["departures"] = departures;
  out["distinct"] = at.distinct;
  out["lack_of_fit"] = test<S>(at.lack_of_fit);
  out["pure_error"] = scalar<S>(at.pure_error);
  out["pure_dof"] = at.pure_dof;
  out["by_size"] = test<S>(at.by_size);
  out["sizes"] = at.sizes;
  out["serial"] = scalar<S>(at.serial);
  out["in_series"] = at.in_series;
  out["repeated"] = at.repeated;
  out["outliers"] = at.outliers;
  return out;
}

/// (slope, ln of the largest compute, [(runs, ln compute, horizon, error, expected)]).
template <typename S>
py::tuple rolling_of(const Fit<S>& fit) {
  Rolling<S> out;
  {
    const py::gil_scoped_release release;
    out = rolling(fit);
  }
  py::list origins;
  for (const Origin<S>& at : out.origins)
    origins.append(
        py::make_tuple(at.runs, scalar<S>(at.log_compute), scalar<S>(at.horizon), scalar<S>(at.error), scalar<S>(at.expected)));
  return py::make_tuple(scalar<S>(out.slope), scalar<S>(out.log_compute), origins);
}

template <typename S>
void bind_inference_of(py::module_& m) {
  m.def("misfit", &misfit_of<S>, py::arg("fit"));
  m.def("rolling", &rolling_of<S>, py::arg("fit"));
  m.def("delta_method", &delta_method<S>, py::arg("fit"), py::arg("quantity"), py::arg("places"),
        py::arg("variance") = std::nullopt, py::arg("sandwich") = std::nullopt);
  m.def("profile_loss", &profile_loss<S>, py::arg("fit"), py::arg("columns"), py::arg("level"));
  m.def("profile", &profile<S>, py::arg("fit"), py::arg("quantity"), py::arg("place"), py::arg("level"));
  m.def(
      "noise",
      [](const Fit<S>& f) {
        const Noise<S> out = noise(f);
        return py::make_tuple(scalar<S>(out.variance()), scalar<S>(out.sd));
      },
      py::arg("fit"));
  m.def("leverage", [](const Fit<S>& f) { return leverage(f); }, py::arg("fit"), py::call_guard<py::gil_scoped_release>());
  m.def(
      "sandwich",
      [](const Fit<S>& f, const std::vector<Index>& group) { return Uncertainty<S>::sandwich(f, group).covariance(f); },
      py::arg("fit"), py::arg("group"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace

void bind_inference(py::module_& m) {
  bind_inference_of<double>(m);
  bind_inference_of<long double>(m);
  m.def("f_tail", &FTest<double>::tail, py::arg("F"), py::arg("above"), py::arg("below"));
  m.def("student_t_half_width", &student_t_half_width<double>, py::arg("level"), py::arg("dof"));
}
