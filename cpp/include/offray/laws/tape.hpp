// SPDX-License-Identifier: Apache-2.0
/// \file
/// A law as a small program: what a formula that is known only at run time compiles to.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "offray/detail/simd/kernels.hpp"
#include "offray/errors.hpp"
#include "offray/laws/instruction.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// A program of instructions in an order in which operands come first; the last one is the result.
///
/// Values and derivatives of a block of rows are computed in one pass forwards and one backwards (reverse accumulation), so
/// that the cost of the Jacobian does not grow with the number of parameters. What depends on parameters alone is computed
/// once, with its derivatives, and stands for a number in every row.
class Tape {
 public:
  static constexpr std::size_t kLongest = 4096;

  /// \throws InvalidInput for an operand that is not an earlier instruction, a parameter or column that is not there, an empty
  /// program or one of more than kLongest instructions.
  Tape(std::vector<Instruction> program, Index parameters, Index columns)
      : program_(std::move(program)), parameters_(parameters), columns_(columns) {
    if (program_.empty() || program_.size() > kLongest) detail::reject("a program has 1 to 4096 instructions");
    for (std::size_t k = 0; k < program_.size(); ++k) check(k);
  }

  Index parameters() const { return parameters_; }
  Index columns() const { return columns_; }
  const std::vector<Instruction>& program() const { return program_; }

  /// \param theta (p,). \param at (n,) inputs. \param[out] value (n,). \param[out] J (n, p) derivatives, or (n, 0).
  template <typename S>
  void evaluate(CRef<Vector<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const;

 private:
  static constexpr Index kBlock = 64;
  static constexpr std::size_t kOnStack = 48;  // instructions whose rows fit there

  static int operands(Op op) {
    switch (op) {
      case Op::constant:
      case Op::parameter:
      case Op::input:
        return 0;
      case Op::where:
        return 3;
      case Op::add:
      case Op::subtract:
      case Op::multiply:
      case Op::divide:
      case Op::minimum:
      case Op::maximum:
      case Op::less:
      case Op::less_equal:
        return 2;
      default:
        return 1;
    }
  }

  void check(std::size_t k) {
    const Instruction& at = program_[k];
    const auto inside = [](int operand, Index count) { return operand >= 0 && operand < count; };
    bool good = true, rows = at.op == Op::input, moves = at.op == Op::parameter;
    if (at.op == Op::parameter) good = inside(at.a, parameters_);
    if (at.op == Op::input) good = inside(at.a, columns_);
    const std::array<int, 3> operand{at.a, at.b, at.c};
    for (int i = 0; i < operands(at.op); ++i) {
      const int j = operand[static_cast<std::size_t>(i)];
      good = good && inside(j, static_cast<Index>(k));
      if (!good) break;
      rows = rows || rows_[static_cast<std::size_t>(j)];
      moves = moves || moves_[static_cast<std::size_t>(j)];
    }
    if (!good) detail::reject("instruction " + std::to_string(k) + " has an operand that does not exist");
    rows_.push_back(rows);
    moves_.push_back(moves && at.op != Op::less && at.op != Op::less_equal);
  }

  std::vector<Instruction> program_;
  Index parameters_, columns_;
  std::vector<char> rows_;   ///< whether a result differs between rows
  std::vector<char> moves_;  ///< whether it changes with parameters

  template <typename S>
  struct Pass;
};

/// One evaluation. `x` holds kBlock rows of every result, those of numbers repeated; `bar` the derivative of the result by
/// each.
template <typename S>
struct Tape::Pass {
  const Tape& tape;
  CRef<Vector<S>> theta;
  const Inputs<S>& at;
  S *x, *bar;

  using Row = Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>>;
  Row row(int k, Index n) const { return Row(x + k * kBlock, n); }
  Row slope(int k, Index n) const { return Row(bar + k * kBlock, n); }

  const S* column(int k) const {
    if (k >= 3) return at.columns[static_cast<std::size_t>(k - 3)].data();
    return (k == 0 ? at.log_N : k == 1 ? at.log_D : at.log_U).data();
  }

  /// A function of one number, and its derivative there, f being its value.
  static S elementary(Op op, S v) {
    if (op == Op::sqrt) return std::sqrt(v);
    if (op == Op::expm1) return std::expm1(v);
    if (op == Op::log1p) return std::log1p(v);
    return op == Op::tanh ? std::tanh(v) : S(1) / (S(1) + std::exp(-v));
  }
  static S derivative(Op op, S v, S f) {
    if (op == Op::sqrt) return S(0.5) / f;
    if (op == Op::expm1) return f + S(1);
    if (op == Op::log1p) return S(1) / (v + S(1));
    return op == Op::tanh ? S(1) - f * f : f * (S(1) - f);
  }

  /// Result k of n rows that begin at `first`.
  void forward(int k, Index first, Index n) const {
    const Instruction& is = tape.program_[static_cast<std::size_t>(k)];
    Row out = row(k, n);
    const auto a = [&] { return row(is.a, n); };
    const auto b = [&] { return row(is.b, n); };
    switch (is.op) {
      case Op::constant:
        out.setConstant(static_cast<S>(is.value));
        break;
      case Op::parameter:
        out.setConstant(theta[is.a]);
        break;
      case Op::input:
        std::copy(column(is.a) + first, column(is.a) + first + n, out.data());
        break;
      case Op::add:
        out = a() + b();
        break;
      case Op::subtract:
        out = a() - b();
        break;
      case Op::multiply:
        out = a() * b();
        break;
      case Op::divide:
        out = a() / b();
        break;
      case Op::negate:
        out = -a();
        break;
      case Op::integer_power:
        out = a().unaryExpr([&](S v) { return std::pow(v, is.b); });
        break;
      case Op::exp:
        detail::kernels<S>().exp(n, S(1), x + is.a * kBlock, out.data());
        break;
      case Op::log:
        detail::kernels<S>().log(n, x + is.a * kBlock, out.data());
        break;
      case Op::sqrt:
      case Op::expm1:
      case Op::log1p:
      case Op::tanh:
      case Op::logistic:
        out = a().unaryExpr([&](S v) { return elementary(is.op, v); });
        break;
      case Op::minimum:
        out = a().min(b());
        break;
      case Op::maximum:
        out = a().max(b());
        break;
      case Op::less:
      case Op::less_equal:
        out = a().binaryExpr(b(), [&](S v, S w) { return S(is.op == Op::less ? v < w : v <= w); });
        break;
      case Op::where:
        out = (a() != S(0)).select(b(), row(is.c, n));
        break;
    }
  }

  /// Adds what result k hands on to its operands: to(operand, derivative by it).
  template <typename To>
  void backward(int k, Index n, const To& to) const {
    const Instruction& is = tape.program_[static_cast<std::size_t>(k)];
    const Row out = row(k, n);
    const auto a = [&] { return row(is.a, n); };
    const auto b = [&] { return row(is.b, n); };
    const auto moves = [&](int operand) { return tape.moves_[static_cast<std::size_t>(operand)] != 0; };
    const auto first = [&](const auto& derivative) {
      if (moves(is.a)) to(is.a, derivative);
    };
    const auto second = [&](const auto& derivative) {
      if (moves(is.b)) to(is.b, derivative);
    };
    const auto one = Eigen::Array<S, Eigen::Dynamic, 1>::Ones(n);
    switch (is.op) {
      case Op::constant:
      case Op::parameter:
      case Op::input:
      case Op::less:
      case Op::less_equal:
        break;
      case Op::add:
      case Op::subtract:
        first(one), second(one * S(is.op == Op::add ? 1 : -1));
        break;
      case Op::multiply:
        first(b()), second(a());
        break;
      case Op::divide:
        first(b().inverse()), second(-out / b());
        break;
      case Op::negate:
        first(-one);
        break;
      case Op::integer_power:
        first(a().unaryExpr([&](S v) { return S(is.b) * std::pow(v, is.b - 1); }));
        break;
      case Op::exp:
        first(out);
        break;
      case Op::log:
        first(a().inverse());
        break;
      case Op::sqrt:
      case Op::expm1:
      case Op::log1p:
      case Op::tanh:
      case Op::logistic:
        first(a().binaryExpr(out, [&](S v, S f) { return derivative(is.op, v, f); }));
        break;
      case Op::minimum:
        first((a() <= b()).template cast<S>()), second((a() > b()).template cast<S>());
        break;
      case Op::maximum:
        first((a() >= b()).template cast<S>()), second((a() < b()).template cast<S>());
        break;
      case Op::where:
        second((a() != S(0)).template cast<S>());
        if (moves(is.c)) to(is.c, (a() == S(0)).template cast<S>());
        break;
    }
  }
};

template <typename S>
void Tape::evaluate(CRef<Vector<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const {
  const int count = static_cast<int>(program_.size());
  const bool differentiate = J.cols() != 0;
  alignas(64) S near[2 * kOnStack * kBlock];
  std::vector<S> far(program_.size() > kOnStack ? 2 * program_.size() * kBlock : 0);
  S* x = far.empty() ? near : far.data();
  const Pass<S> pass{*this, theta, at, x, x + static_cast<std::size_t>(count) * kBlock};
  const auto differs = [&](int k) { return rows_[static_cast<std::size_t>(k)] != 0; };
  const auto moves = [&](int k) { return moves_[static_cast<std::size_t>(k)] != 0; };

  // Numbers, and their derivatives by theta: gradients[k] of the k-th one.
  std::array<Parameters<S>, kOnStack> near_gradients;
  std::vector<Parameters<S>> far_gradients(far.empty() ? 0 : program_.size());
  Parameters<S>* const gradients = far.empty() ? near_gradients.data() : far_gradients.data();
  for (int k = 0; k < count; ++k) {
    if (differs(k)) continue;
    pass.forward(k, 0, 1);
    const S number = pass.row(k, 1)(0);
    pass.row(k, kBlock).setConstant(number);
    if (!differentiate || !moves(k)) continue;
    Parameters<S>& own = gradients[k];
    own.setZero(parameters_);
    const Instruction& is = program_[static_cast<std::size_t>(k)];
    if (is.op == Op::parameter) own[is.a] = S(1);
    pass.backward(k, 1, [&](int operand, const auto& by) { own += by(0) * gradients[operand]; });
  }
  for (Index first = 0; first < value.size(); first += kBlock) {
    const Index n = std::min(kBlock, value.size() - first);
    for (int k = 0; k < count; ++k)
      if (differs(k)) pass.forward(k, first, n);
    value.segment(first, n) = pass.row(count - 1, n).matrix();
    if (!differentiate) continue;
    auto block = J.middleRows(first, n);
    block.setZero();
    for (int k = 0; k < count; ++k)
      if (moves(k)) pass.slope(k, n).setZero();
    pass.slope(count - 1, n).setOnes();
    for (int k = count - 1; k >= 0; --k) {
      if (!moves(k)) continue;
      const auto own = pass.slope(k, n);
      if (differs(k)) {
        pass.backward(k, n, [&](int operand, const auto& by) { pass.slope(operand, n) += own * by; });
      } else {
        const Parameters<S>& gradient = gradients[k];
        for (Index j = 0; j < parameters_; ++j)
          if (gradient[j] != S(0)) block.col(j).array() += own * gradient[j];
      }
    }
  }
}

}  // namespace OFFRAY_ABI
}  // namespace offray
