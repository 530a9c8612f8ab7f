// SPDX-License-Identifier: Apache-2.0
#define OFFRAY_PATH avx2
#define OFFRAY_LANES 4
#include "kernels.inc"
