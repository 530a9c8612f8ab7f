// SPDX-License-Identifier: Apache-2.0
#include "pybind.hpp"

// Free-threaded Python needs no lock here: no function keeps state between calls, and every object is immutable once made.
PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.attr("__version__") = OFFRAY_VERSION;
  bind_laws(m);
  bind_conditioning(m);
  bind_fit(m);
  bind_simd(m);
}
