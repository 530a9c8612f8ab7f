// SPDX-License-Identifier: Apache-2.0
/// \file
/// The table of kernels on any Pack.
#pragma once

#include "offray/detail/simd/column_loops.hpp"
#include "offray/detail/simd/repeated_rows.hpp"

namespace offray {
namespace kernel_paths {

template <typename V>
constexpr KernelTable<typename Pack<V>::Scalar> table_of(const char* name) {
  return {name,
          exp<V>,
          log<V>,
          power<V>,
          products<V>,
          scaled<V>,
          dot<V>,
          dot3<V>,
          gram<V>,
          tall_qr<V>,
          total_rho<V>,
          influence<V>,
          power_sum_residual<V>,
          power_sum_weights<V>,
          power_sum_columns<V>,
          power_sum_curvature<V>,
          power_sum_outer_curvature<V>,
          repeated_data<V>};
}

}  // namespace kernel_paths
}  // namespace offray
