// SPDX-License-Identifier: Apache-2.0
#define OFFRAY_PATH avx512
#define OFFRAY_LANES 8
#include "kernels.inc"
