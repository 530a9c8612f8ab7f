// SPDX-License-Identifier: Apache-2.0
/// \file
/// Runs that come one by one: OnlineFit.
#pragma once

#include "offray/online/online_fit.hpp"
#include "offray/online/serialise.hpp"
