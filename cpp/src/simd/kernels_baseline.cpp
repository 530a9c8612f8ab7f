// SPDX-License-Identifier: Apache-2.0
#define OFFRAY_PATH baseline
#define OFFRAY_LANES 2
#include "kernels.inc"
