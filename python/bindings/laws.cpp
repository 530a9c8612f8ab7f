// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "callback_law.hpp"
#include "columns.hpp"
#include "law_handle.hpp"
#include "offray/inference/compute_optimal.hpp"
#include "offray/laws/list.hpp"
#include "offray/laws/tape_law.hpp"

namespace {

using namespace offray;

/// theta of a law, as many values as it has parameters.
template <typename S>
Parameters<S> parameters(const AnyLaw<S>& law, const Array<S>& theta) {
  if (theta.size() != law.size())
    throw InvalidInput("theta has " + std::to_string(theta.size()) + " values, but " + std::string(law.name) + " has " +
                       std::to_string(law.size()) + " parameters");
  return theta;
}

template <typename S>
py::object evaluate(const LawHandle& handle, Array<S> theta, const py::dict& columns, bool jacobian) {
  const AnyLaw<S>& law = handle.as<S>();
  const Parameters<S> point = parameters<S>(law, theta);
  const Inputs<S> at = inputs<S>(columns);
  Vector<S> value(at.size());
  Jacobian<S> J(at.size(), jacobian ? law.size() : 0);
  {
    const py::gil_scoped_release release;  // nothing below touches a Python object
    law.evaluate(point, at, value, J);
  }
  return jacobian ? py::cast(std::move(J)) : py::cast(std::move(value));
}

/// ln of every number of the compute-optimal point, in the order of OPTIMALS.
template <typename S>
Vector<S> optimal(const LawHandle& handle, Array<S> theta, Array<S> flops, double per_token, double inference_tokens) {
  const AnyLaw<S>& law = handle.as<S>();
  const OptimalPoint<S> at(law, parameters<S>(law, theta), flops[0], Cost<S>{S(per_token), S(inference_tokens)});
  Vector<S> out(static_cast<Index>(std::size(kOptimals)));
  for (Index k = 0; k < out.size(); ++k) out[k] = at.value(static_cast<Optimal>(k)).log;
  return out;
}

template <typename S>
void define(py::class_<LawHandle>& law) {
  law.def("evaluate", &evaluate<S>, py::arg("theta").noconvert(), py::arg("columns"), py::arg("jacobian"))
      .def("optimal", &optimal<S>, py::arg("theta").noconvert(), py::arg("flops").noconvert(), py::arg("per_token"),
           py::arg("inference_tokens"));
}

py::tuple roles(const LawDescription& law) {
  py::list out;
  for (const Parameter& p : law.parameters)
    out.append(py::make_tuple(std::string(p.name), std::string(kRoles[static_cast<std::size_t>(p.role)]),
                              p.axis == Axis::none ? py::object(py::none()) : py::str(p.axis == Axis::N ? "N" : "D")));
  return py::tuple(out);
}

py::dict published(const LawDescription& law) {
  py::dict out;
  for (const Published& fit : law.published)
    out[py::str(std::string(fit.source))] = std::vector<double>(fit.theta.begin(), fit.theta.begin() + law.size());
  return out;
}

LawHandle handle(const AnyLaw<double>& in_double, const AnyLaw<long double>& in_long_double) {
  return {in_double.shared_from_this(), in_long_double.shared_from_this()};
}

py::object on_ray(const LawHandle& law) {
  if (law.in_double->on_ray == nullptr) return py::none();
  return py::cast(handle(*law.in_double->on_ray, *law.in_long_double->on_ray));
}

using Named = std::tuple<std::string, std::string, std::optional<std::string>>;

/// \param parameters (name, role, axis or None).
TapeDescription description(const std::string& name, const std::string& formula, const std::vector<Named>& parameters,
                            const std::vector<std::string>& inputs) {
  TapeDescription out;
  out.name = name;
  out.formula = formula;
  for (const auto& [called, role, axis] : parameters) {
    const Axis at = !axis ? Axis::none : *axis == "N" ? Axis::N : Axis::D;
    out.parameters.push_back({called, enumerator<Role>(kRoles, role, "role"), at});
  }
  out.inputs = inputs;
  return out;
}

/// \param program (operation, a, b, c). \param constants (k,) of the program.
LawHandle tape_law(const std::string& name, const std::string& formula, const std::vector<Named>& parameters,
                   const std::vector<std::string>& inputs, const std::vector<std::tuple<std::string, int, int, int>>& program,
                   Array<long double> constants, bool power_sum, bool of_sum, const std::vector<int>& linear,
                   const std::vector<std::pair<std::string, int>>& ranges) {
  TapeDescription texts = description(name, formula, parameters, inputs);
  texts.power_sum = power_sum;
  texts.of_sum = of_sum;
  texts.linear = linear;
  for (const auto& [range, column] : ranges)
    texts.ranges.push_back({enumerator<StartRange>(kStartRanges, range, "range"), column});
  std::vector<Instruction> instructions;
  for (const auto& [op, a, b, c] : program) {
    const auto value = constants[static_cast<Index>(instructions.size())];
    instructions.push_back({enumerator<Op>(kOps, op, "operation"), a, b, c, value});
  }
  // Columns 0 to 2 are those of every law.
  Index columns = 3;
  for (const std::string& input : inputs) columns += input != "params" && input != "tokens";
  const Tape tape(std::move(instructions), static_cast<Index>(parameters.size()), columns);
  return {std::make_shared<const TapeLaw<double>>(texts, tape), std::make_shared<const TapeLaw<long double>>(texts, tape)};
}

LawHandle callback_law(const std::string& name, const std::string& formula, const std::vector<Named>& parameters,
                       const std::vector<std::string>& inputs, const py::function& function) {
  const TapeDescription texts = description(name, formula, parameters, inputs);
  return {std::make_shared<const CallbackLaw<double>>(texts, function),
          std::make_shared<const CallbackLaw<long double>>(texts, function)};
}

}  // namespace

void bind_laws(py::module_& m) {
  py::class_<LawHandle> law(m, "Law");
  law.def_property_readonly(
         "name", Getter<LawHandle>([](const LawHandle& l) -> py::object { return py::cast(std::string(l.in_double->name)); }))
      .def_property_readonly("formula", Getter<LawHandle>([](const LawHandle& l) -> py::object {
                               return py::cast(std::string(l.in_double->formula));
                             }))
      .def_property_readonly("reference", Getter<LawHandle>([](const LawHandle& l) -> py::object {
                               return py::cast(std::string(l.in_double->reference));
                             }))
      .def_property_readonly(
          "psi", Getter<LawHandle>([](const LawHandle& l) -> py::object { return py::cast(std::string(l.in_double->psi)); }))
      .def_property_readonly("search", Getter<LawHandle>([](const LawHandle& l) -> py::object {
                               const LawDescription& is = *l.in_double;
                               return py::str(is.separable()                  ? is.term(Term::outer) < 0 ? "grid" : "profile"
                                              : is.own_starts                 ? "own"
                                              : is.form == PowerSumForm::none ? "sweep"
                                                                              : "data");
                             }))
      .def_property_readonly("of_sum",
                             Getter<LawHandle>([](const LawHandle& l) -> py::object { return py::cast(l.in_double->of_sum); }))
      .def_property_readonly("inputs",
                             Getter<LawHandle>([](const LawHandle& l) -> py::object { return names(l.in_double->inputs); }))
      .def_property_readonly("roles", Getter<LawHandle>([](const LawHandle& l) -> py::object { return roles(*l.in_double); }))
      .def_property_readonly("published",
                             Getter<LawHandle>([](const LawHandle& l) -> py::object { return published(*l.in_double); }))
      .def_property_readonly("on_ray", Getter<LawHandle>(&on_ray));
  define<double>(law);
  define<long double>(law);
  m.def("tape_law", &tape_law, py::arg("name"), py::arg("formula"), py::arg("parameters"), py::arg("inputs"),
        py::arg("program"), py::arg("constants").noconvert(), py::arg("power_sum"), py::arg("of_sum"), py::arg("linear"),
        py::arg("ranges"));
  m.def("callback_law", &callback_law, py::arg("name"), py::arg("formula"), py::arg("parameters"), py::arg("inputs"),
        py::arg("function"));
  m.attr("OPERATIONS") = names(kOps);
  m.attr("MOST_PARAMETERS") = kMaxParameters;
  m.attr("OPTIMALS") = names(kOptimals);
  py::list all;
  const auto in_double = Laws::all<double>();
  const auto in_long_double = Laws::all<long double>();
  for (std::size_t k = 0; k < Laws::size; ++k) all.append(handle(*in_double[k], *in_long_double[k]));
  m.attr("LAWS") = py::tuple(all);
}
