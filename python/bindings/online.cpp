// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "law_handle.hpp"
#include "offray/offray.hpp"
#include "pybind.hpp"

namespace {

using namespace offray;

template <typename T>
T value_of(Expected<T> expected) {
  if (!expected) throw InvalidInput(std::string(expected.error().message()));
  return *std::move(expected);
}

/// N, D, loss, weight, U.
template <typename S>
Run<S> run_of(Array<S> values) {
  return {values[0], values[1], values[2], values[3], values[4]};
}

/// The runs that are there as columns by name; weights where they are not all one.
template <typename S>
py::dict columns_of(const OnlineFit<S>& online) {
  const std::vector<Run<S>> runs = online.as_added();
  const auto column = [&](S Run<S>::* member) {
    Vector<S> out(static_cast<Index>(runs.size()));
    for (std::size_t i = 0; i < runs.size(); ++i) out[static_cast<Index>(i)] = runs[i].*member;
    return out;
  };
  py::dict out;
  out["params"] = column(&Run<S>::N);
  out["tokens"] = column(&Run<S>::D);
  out["loss"] = column(&Run<S>::loss);
  out["weight"] = column(&Run<S>::weight);
  out["unique_tokens"] = column(&Run<S>::unique_tokens);
  return out;
}

template <typename S>
void bind_online_of(py::module_& m, const char* name) {
  using Class = OnlineFit<S>;
  py::class_<Class>(m, name)
      .def(py::init([](const LawHandle& law, const FitOptions<S>& options, const Constraints<S>* constraints) {
             return Class(kept(law.as<S>()), options, constraints == nullptr ? Constraints<S>(law.as<S>()) : *constraints);
           }),
           py::arg("law"), py::arg("options"), py::arg("constraints").none(true))
      .def_static(
          "deserialise",
          [](const std::string& text, const LawHandle& law) { return value_of(Class::deserialise(text, kept(law.as<S>()))); },
          py::arg("text"), py::arg("law"))
      .def("serialise", &Class::serialise)
      .def("reserve", &Class::reserve, py::arg("runs"), py::arg("weighted"))
      .def(
          "add", [](Class& online, Array<S> run) { return value_of(online.add(run_of<S>(run))); }, py::arg("run").noconvert())
      .def("remove", &Class::remove, py::arg("run"))
      .def("fit",
           [](Class& online) {
             online.refit();
             return value_of(online.fit());
           })
      .def("theta",
           [](Class& online) {
             const OnlineResult<S>& result = online.refit();
             if (result.error) throw InvalidInput(std::string(result.message()));
             return Vector<S>(result.theta);
           })
      .def("searched",
           [](Class& online) {
             online.refit();
             return std::string(kSearched[static_cast<std::size_t>(online.result().searched)]);
           })
      .def("columns", &columns_of<S>)
      .def("ids", [](const Class& online) { return online.ids(); });
}

}  // namespace

void bind_online(py::module_& m) {
  m.attr("SEARCHED") = names(kSearched);
  bind_online_of<double>(m, "OnlineDouble");
  bind_online_of<long double>(m, "OnlineLongDouble");
}
