// SPDX-License-Identifier: Apache-2.0
#include "offray/detail/instantiate.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
OFFRAY_INSTANTIATE_ONLINE(, double)
}  // namespace OFFRAY_ABI
}  // namespace offray
