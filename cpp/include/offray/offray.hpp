// SPDX-License-Identifier: Apache-2.0
/// \file
/// Everything. With OFFRAY_COMPILED defined (the CMake target offray::offray does it) the heavy templates come from a library
/// that is built from cpp/src with the including program's own flags; without it the headers stand alone.
#pragma once

#include "offray/conditioning.hpp"
#include "offray/constraints.hpp"
#include "offray/design/planned.hpp"
#include "offray/design/search.hpp"
#include "offray/fit.hpp"
#include "offray/fit_many.hpp"
#include "offray/fit_state.hpp"
#include "offray/fitter.hpp"
#include "offray/groups.hpp"
#include "offray/identify/identifiability.hpp"
#include "offray/identify/precision.hpp"
#include "offray/identify/tpp_diversity.hpp"
#include "offray/inference/bootstrap.hpp"
#include "offray/inference/compute_optimal.hpp"
#include "offray/inference/f_test.hpp"
#include "offray/inference/leverage.hpp"
#include "offray/inference/misfit.hpp"
#include "offray/inference/predict.hpp"
#include "offray/inference/profile.hpp"
#include "offray/inference/quantity.hpp"
#include "offray/inference/rolling.hpp"
#include "offray/inference/student_t.hpp"
#include "offray/inference/uncertainty.hpp"
#include "offray/laws/list.hpp"
#include "offray/laws/row_law.hpp"
#include "offray/laws/tape_law.hpp"
#include "offray/online.hpp"
#include "offray/rho.hpp"
#include "offray/runs.hpp"
#include "offray/status.hpp"
#include "offray/types.hpp"

#ifdef OFFRAY_COMPILED
#include "offray/detail/instantiate.hpp"
#endif
