// SPDX-License-Identifier: Apache-2.0
#include "pybind.hpp"

// Free-threaded Python needs no lock here: the only state between calls is one atomic pointer to the kernels in use, and every
// object is immutable once made.
PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.attr("__version__") = OFFRAY_VERSION;
  bind_laws(m);
  bind_runs(m);
  bind_options(m);
  bind_conditioning(m);
  bind_fit(m);
  bind_inference(m);
  bind_identify(m);
  bind_batch(m);
  bind_design(m);
  bind_online(m);
  bind_simd(m);
}
