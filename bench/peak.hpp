// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench {

/// Independent chains of multiply-adds, as many as keep one core busy. Returns the number of floating-point operations.
/// \param[out] sum of the chains, so that they are not optimised away.
double multiply_adds(double& sum);

}  // namespace bench
