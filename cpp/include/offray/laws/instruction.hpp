// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a program of a law is made of.
#pragma once

#include <string_view>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What an instruction of a Tape does with its operands a, b and c, results of earlier instructions.
enum class Op : unsigned char {
  constant,       ///< the number `value`
  parameter,      ///< theta[a]
  input,          ///< column a of the inputs: ln N, ln D, ln min(U, D), then Inputs::columns
  add,            ///< a + b
  subtract,       ///< a - b
  multiply,       ///< a b
  divide,         ///< a / b
  negate,         ///< -a
  integer_power,  ///< a^k, k = b as an integer, not an operand
  exp,
  log,
  sqrt,
  expm1,
  log1p,
  tanh,
  logistic,    ///< 1 / (1 + exp(-a))
  minimum,     ///< of a and b
  maximum,     ///< of a and b
  less,        ///< 1 where a < b, 0 elsewhere
  less_equal,  ///< 1 where a <= b, 0 elsewhere
  where        ///< b where a is not zero, c elsewhere
};

/// Names, in the order of Op.
inline constexpr std::string_view kOps[] = {
    "constant", "parameter", "input", "add",  "subtract", "multiply", "divide",  "negate", "integer_power", "exp",  "log",
    "sqrt",     "expm1",     "log1p", "tanh", "logistic", "minimum",  "maximum", "less",   "less_equal",    "where"};

struct Instruction {
  Op op;
  int a = 0, b = 0, c = 0;
  long double value = 0;
};

}  // namespace OFFRAY_ABI
}  // namespace offray
