// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

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
/// \param variance of the noise, or none for the fit's own estimate.
template <typename S>
py::tuple delta_method(const Fit<S>& fit, const std::string& name, const std::vector<Vector<S>>& places,
                       std::optional<S> variance) {
  Vector<S> value(static_cast<Index>(places.size())), se(value.size());
  {
    const py::gil_scoped_release release;  // fit is immutable, the rest are copies
    const Uncertainty<S> uncertainty(fit, variance ? *variance : noise(fit).variance());
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

template <typename S>
void bind_inference_of(py::module_& m) {
  m.def("delta_method", &delta_method<S>, py::arg("fit"), py::arg("quantity"), py::arg("places"),
        py::arg("variance") = std::nullopt);
  m.def("profile", &profile<S>, py::arg("fit"), py::arg("quantity"), py::arg("place"), py::arg("level"));
  m.def(
      "noise",
      [](const Fit<S>& f) {
        const Noise<S> out = noise(f);
        return py::make_tuple(scalar<S>(out.variance()), scalar<S>(out.sd));
      },
      py::arg("fit"));
  m.def(
      "sandwich",
      [](const Fit<S>& f, const std::vector<Index>& group) { return Uncertainty<S>::sandwich(f, group).covariance(f); },
      py::arg("fit"), py::arg("group"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace

void bind_inference(py::module_& m) {
  bind_inference_of<double>(m);
  bind_inference_of<long double>(m);
  m.def("student_t_half_width", &student_t_half_width<double>, py::arg("level"), py::arg("dof"));
}
