// SPDX-License-Identifier: Apache-2.0
/// \file
/// C++ solvers on the problem of bench/compare.py: other_engines FILE.csv E A B alpha beta
///
/// Squares on the loss from the start, in logarithms of the centred parameters, analytic Jacobian. Prints JSON.
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>

#include "clock.hpp"
#include "csv.hpp"

#ifdef OFFRAY_WITH_TINY_SOLVER
#include <ceres/tiny_solver.h>
#endif
#ifdef OFFRAY_WITH_GSL
#include <gsl/gsl_multifit_nlinear.h>
#endif

namespace {

using Theta = Eigen::Matrix<double, 5, 1>;

constexpr double kTolerance = 1e-10;
constexpr int kMostIterations = 1000;

/// Value and Jacobian as a careful user writes them.
class Problem {
 public:
  explicit Problem(const bench::Input& input) : x_(input.N.array().log()), y_(input.D.array().log()), loss_(input.loss) {
    mean_x_ = x_.mean();
    mean_y_ = y_.mean();
    x_ -= mean_x_;
    y_ -= mean_y_;
    start_ = input.start.array().log();
    start_[1] -= input.start[3] * mean_x_;
    start_[2] -= input.start[4] * mean_y_;
  }

  Eigen::Index size() const { return loss_.size(); }
  const Theta& start() const { return start_; }

  Theta natural(Theta p) const {
    p[1] += std::exp(p[3]) * mean_x_;
    p[2] += std::exp(p[4]) * mean_y_;
    return p.array().exp();
  }

  /// \param r (n,), or null. \param J (n, 5) in the given storage order, or null.
  template <int Order>
  void evaluate(const Theta& p, double* r, double* J) const {
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, 5, Order>;
    const Theta t = p.array().exp();
    // The Jacobian is wanted where the residual has just been computed.
    if (p != last_) {
      last_ = p;
      f_ = t[1] * (-t[3] * x_).exp();
      g_ = t[2] * (-t[4] * y_).exp();
    }
    if (r != nullptr) Eigen::Map<Eigen::ArrayXd>(r, size()) = t[0] + f_ + g_ - loss_;
    if (J == nullptr) return;
    Eigen::Map<Matrix> out(J, size(), 5);
    out.col(0).setConstant(t[0]);
    out.col(1) = f_;
    out.col(2) = g_;
    out.col(3) = -t[3] * x_ * f_;
    out.col(4) = -t[4] * y_ * g_;
  }

 private:
  Eigen::ArrayXd x_, y_, loss_;
  double mean_x_, mean_y_;
  Theta start_;
  mutable Theta last_ = Theta::Constant(std::numeric_limits<double>::quiet_NaN());
  mutable Eigen::ArrayXd f_, g_;
};

struct Solution {
  Theta p;
  int evaluations;
};

/// Prints the results as they come, as the elements of one JSON list.
class Report {
 public:
  explicit Report(const Problem& problem) : problem_(problem) { std::cout << std::setprecision(17) << "["; }
  ~Report() { std::cout << "]\n"; }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  template <typename Solve>
  void add(const std::string& engine, Solve solve) {
    const Solution found = solve();
    const double ns = bench::median_ns([&] { bench::keep(solve()); });
    Eigen::VectorXd r(problem_.size());
    problem_.evaluate<Eigen::ColMajor>(found.p, r.data(), nullptr);
    const Theta theta = problem_.natural(found.p);
    std::cout << separator_ << "{\"engine\": \"" << engine << "\", \"microseconds\": " << ns / 1000
              << ", \"evaluations\": " << found.evaluations << ", \"objective\": " << r.squaredNorm() / 2 << ", \"theta\": ["
              << theta[0];
    for (int j = 1; j < 5; ++j) std::cout << ", " << theta[j];
    std::cout << "]}";
    separator_ = ",\n ";
  }

 private:
  const Problem& problem_;
  const char* separator_ = "";
};

#ifdef OFFRAY_WITH_TINY_SOLVER

struct TinyFunction {
  using Scalar = double;
  enum { NUM_RESIDUALS = Eigen::Dynamic, NUM_PARAMETERS = 5 };
  const Problem& problem;
  int NumResiduals() const { return static_cast<int>(problem.size()); }
  bool operator()(const double* p, double* r, double* J) const {
    problem.evaluate<Eigen::ColMajor>(Eigen::Map<const Theta>(p), r, J);
    return true;
  }
};

void tiny_solver(const Problem& problem, Report& report) {
  const TinyFunction function{problem};
  ceres::TinySolver<TinyFunction> solver;  // keeps its memory between fits
  solver.options.max_num_iterations = kMostIterations;
  solver.options.gradient_tolerance = kTolerance;
  solver.options.parameter_tolerance = kTolerance;
  const auto solve = [&] {
    Theta p = problem.start();
    const int iterations = solver.Solve(function, &p).iterations;
    return Solution{p, iterations + 1};
  };
  solve();
  // Documented as relative, but compared with the change itself.
  solver.options.function_tolerance = kTolerance * solver.summary.final_cost;
  report.add("Ceres TinySolver (C++)", solve);
}

#endif
#ifdef OFFRAY_WITH_GSL

const Problem& of(void* problem) { return *static_cast<const Problem*>(problem); }

Theta theta(const gsl_vector* p) {
  return Eigen::Map<const Theta, 0, Eigen::InnerStride<>>(p->data, 5,
                                                          Eigen::InnerStride<>(static_cast<Eigen::Index>(p->stride)));
}

int gsl_residual(const gsl_vector* p, void* problem, gsl_vector* r) {
  of(problem).evaluate<Eigen::RowMajor>(theta(p), r->data, nullptr);
  return GSL_SUCCESS;
}

int gsl_jacobian(const gsl_vector* p, void* problem, gsl_matrix* J) {
  of(problem).evaluate<Eigen::RowMajor>(theta(p), nullptr, J->data);
  return GSL_SUCCESS;
}

void gsl(const Problem& problem, Report& report) {
  const auto n = static_cast<std::size_t>(problem.size());
  gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
  parameters.solver = gsl_multifit_nlinear_solver_cholesky;  // its fastest
  gsl_multifit_nlinear_workspace* work = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &parameters, n, 5);
  gsl_multifit_nlinear_fdf function{};
  function.f = gsl_residual;
  function.df = gsl_jacobian;
  function.n = n;
  function.p = 5;
  function.params = const_cast<Problem*>(&problem);
  Theta start = problem.start();
  const gsl_vector_view view = gsl_vector_view_array(start.data(), 5);
  report.add("GSL multifit_nlinear (C++)", [&] {
    gsl_multifit_nlinear_init(&view.vector, &function, work);
    int info;
    gsl_multifit_nlinear_driver(kMostIterations, kTolerance, kTolerance, kTolerance, nullptr, nullptr, &info, work);
    return Solution{theta(gsl_multifit_nlinear_position(work)), static_cast<int>(function.nevalf)};
  });
  gsl_multifit_nlinear_free(work);
}

#endif

}  // namespace

int main(int argc, char** argv) {
  try {
    const Problem problem(bench::read_input(argc, argv));
    Report report(problem);
#ifdef OFFRAY_WITH_TINY_SOLVER
    tiny_solver(problem, report);
#endif
#ifdef OFFRAY_WITH_GSL
    gsl(problem, report);
#endif
  } catch (const std::runtime_error& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
  return 0;
}
