// SPDX-License-Identifier: Apache-2.0
#include "offray/offray.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename S>
py::dict report(const Fit<S>& f) {
  Identifiability<S> at;
  {
    const py::gil_scoped_release release;  // f is immutable
    at = identifiability(f);
  }
  py::dict out;
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

template <typename S>
void bind_identify_of(py::module_& m) {
  m.def("report", &report<S>, py::arg("fit"));
  m.def(
      "confining_planes",
      [](const Fit<S>& f) {
        std::vector<std::pair<Vector<S>, py::array_t<S>>> out;
        for (const InputPlane<S>& plane : confining_planes(f)) out.emplace_back(plane.power, scalar<S>(plane.level));
        return out;
      },
      py::arg("fit"));
  m.def(
      "conditioning_under",
      [](const Fit<S>& f, const std::string& objective, double delta, double quantile) {
        const auto kind = enumerator<ObjectiveKind>(kObjectives, objective, "objective");
        const WeightedConditioning<S> out = conditioning_under(f, Objective<S>{kind, S(delta), S(quantile)});
        return py::make_tuple(scalar<S>(out.kappa_plain), scalar<S>(out.kappa_weighted), scalar<S>(out.kappa_weights));
      },
      py::arg("fit"), py::arg("objective"), py::arg("delta"), py::arg("quantile"));
  m.def(
      "precision_report",
      [](const Eigen::Ref<const Jacobian<S>>& J) {
        const PrecisionReport<S> out = precision_report<S>(J);
        return py::make_tuple(scalar<S>(out.svd), scalar<S>(out.eigenvalue));
      },
      py::arg("J").noconvert());
}

}  // namespace

void bind_identify(py::module_& m) {
  m.attr("FINDINGS") = names(kFindings);
  m.attr("UNLIKELY") = kUnlikely;
  m.attr("DEPENDENT") = kDependent;
  m.attr("HUGE_NOISE") = kHugeNoise;
  m.attr("LARGE_MISFIT") = kLargeMisfit;
  m.attr("FIRST_REMARK") = static_cast<int>(kFirstRemark);
  m.attr("ONE_RAY") = kOneRay;
  bind_identify_of<double>(m);
  bind_identify_of<long double>(m);
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
