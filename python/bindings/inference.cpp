// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <vector>

#include "pybind.hpp"

namespace {

using namespace offray;

/// What a quantity is, next to the numbers that place it.
enum QuantityKind {
  kParameter = -2,  ///< its index
  kLoss = -1,       ///< N, D, and U where tokens repeat
  kOptimal = 0      ///< and on, in the order of Optimal: C, c, T
};

template <typename S>
Quantity<S> quantity(const Fit<S>& fit, int kind, const Vector<S>& at) {
  if (kind == kParameter) return log_parameter(fit, static_cast<Index>(at[0]));
  if (kind == kLoss) return log_loss_at(fit, Inputs<S>(at.segment(0, 1), at.segment(1, 1), at.tail(at.size() - 2)));
  return log_optimal(fit, static_cast<Optimal>(kind - kOptimal), at[0], Cost<S>{at[1], at[2]});
}

template <typename S>
py::dict report(const Fit<S>& f) {
  Identifiability<S> at;
  {
    const py::gil_scoped_release release;  // f is immutable
    at = identifiability(f);
  }
  py::dict out;
  out["findings"] = at.findings;
  out["tpp"] = py::make_tuple(scalar<S>(at.tpp_low), scalar<S>(at.tpp_high));
  out["rank"] = at.rank;
  out["rank_against_noise"] = at.rank_against_noise;
  out["singular_values"] = at.singular_values;
  out["kappa"] = scalar<S>(at.kappa);
  out["factorial_kappa"] = scalar<S>(at.factorial_kappa);
  out["pair_kappa"] = scalar<S>(at.pair_kappa);
  out["variance_inflation"] = Vector<S>(at.variance_inflation);
  out["relative_se"] = Vector<S>(at.relative_se);
  return out;
}

/// Estimates of ln q and their standard errors, one per place.
/// \param variance of the noise, or none for the fit's own estimate.
template <typename S>
py::tuple delta(const Fit<S>& fit, int kind, const std::vector<Vector<S>>& places, std::optional<S> variance) {
  Vector<S> value(static_cast<Index>(places.size())), se(value.size());
  {
    const py::gil_scoped_release release;  // fit is immutable, the rest are copies
    const Uncertainty<S> uncertainty(fit, variance ? *variance : noise(fit).variance());
    Parameters<S> gradient;
    for (Index i = 0; i < value.size(); ++i) {
      value[i] = quantity(fit, kind, places[static_cast<std::size_t>(i)])(fit.phi, gradient);
      se[i] = uncertainty.se(gradient);
    }
  }
  return py::make_tuple(value, se);
}

template <typename S>
py::tuple profile(const Fit<S>& fit, int kind, const Vector<S>& place, double level) {
  LogInterval<S> out;
  {
    const py::gil_scoped_release release;  // as above
    out = Profile<S>(fit, quantity(fit, kind, place)).interval(static_cast<S>(level));
  }
  return py::make_tuple(scalar<S>(out.lower), scalar<S>(out.upper));
}

template <typename S>
void bind_scalar(py::module_& m) {
  m.def("report", &report<S>, py::arg("fit"));
  m.def("delta", &delta<S>, py::arg("fit"), py::arg("kind"), py::arg("places"), py::arg("variance") = std::nullopt);
  m.def("profile", &profile<S>, py::arg("fit"), py::arg("kind"), py::arg("place"), py::arg("level"));
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
  m.def(
      "conditioning_under",
      [](const Fit<S>& f, int objective, S delta, S quantile) {
        const WeightedConditioning<S> out =
            conditioning_under(f, Objective<S>{static_cast<ObjectiveKind>(objective), delta, quantile});
        return py::make_tuple(scalar<S>(out.kappa_plain), scalar<S>(out.kappa_weighted), scalar<S>(out.kappa_weights));
      },
      py::arg("fit"), py::arg("objective"), py::arg("delta"), py::arg("quantile"));
  m.def(
      "optimal",
      [](std::size_t law, Array<S> theta, Array<S> cost) {
        const OptimalPoint<S> at(law_at<S>(law), Parameters<S>(theta), cost[0], Cost<S>{cost[1], cost[2]});
        Vector<S> out(7);
        for (int k = 0; k < 7; ++k) out[k] = at.value(static_cast<Optimal>(k)).log;
        return out;
      },
      py::arg("law"), py::arg("theta").noconvert(), py::arg("cost").noconvert());
  m.def(
      "precision_report",
      [](const Eigen::Ref<const Jacobian<S>>& J) {
        const PrecisionReport<S> out = precision_report<S>(J);
        return py::make_tuple(scalar<S>(out.svd), scalar<S>(out.eigenvalue));
      },
      py::arg("J").noconvert());
}

}  // namespace

void bind_inference(py::module_& m) {
  m.attr("FINDINGS") = names(kFindings);
  m.attr("ONE_RAY") = kOneRay;
  m.attr("PARAMETER") = static_cast<int>(kParameter);
  m.attr("LOSS") = static_cast<int>(kLoss);
  m.attr("OPTIMAL") = static_cast<int>(kOptimal);
  bind_scalar<double>(m);
  bind_scalar<long double>(m);
  m.def("student_t_half_width", &student_t_half_width<double>, py::arg("level"), py::arg("dof"));
  m.def(
      "tpp_diversity",
      [](Array<double> k, double exponent, double kappa_target) {
        const TppDiversity<double> out = tpp_diversity<double>(k, exponent, kappa_target);
        return py::make_tuple(out.V_K, out.tau_K, out.tau_exact, out.kappa, out.kappa_eq);
      },
      py::arg("k").noconvert(), py::arg("exponent"), py::arg("kappa_target"));
  m.def("interval_inflation", &interval_inflation<double>, py::arg("kappa_eq"));
  m.def("least_ratio", &least_ratio<double>, py::arg("exponent"), py::arg("kappa_target"));
  m.def("least_ratio_from", &least_ratio_from<double>, py::arg("first"), py::arg("exponent"), py::arg("M"));
  m.def("ratios_about", &ratios_about<double>, py::arg("middle"), py::arg("exponent"), py::arg("M"));
}
