// SPDX-License-Identifier: Apache-2.0
#include "offray/detail/simd/kernels.hpp"

#include "pybind.hpp"

void bind_simd(py::module_& m) {
  m.def("simd", [] { return std::string(offray::simd()); });
  m.def("simd_available", [] {
    std::vector<std::string> names;
    for (const auto name : offray::simd_available()) names.emplace_back(name);
    return names;
  });
  m.def("force_simd", [](const std::string& name) { offray::force_simd(name); }, py::arg("name"));
}
