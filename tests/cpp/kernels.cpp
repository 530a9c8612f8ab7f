// SPDX-License-Identifier: Apache-2.0
// Every code path that this processor has, against long double.
#include "offray/detail/simd/kernels.hpp"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"

namespace {

using namespace offray;
using detail::kernels;
const auto& Exact = detail::kPortable<long double>;

#ifndef _WIN32
[[maybe_unused]] const int kChosen = setenv("OFFRAY_SIMD", "baseline", 1);  // before anything asks
#endif

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();

using Values = std::vector<double>;

std::vector<long double> widen(const Values& x) { return {x.begin(), x.end()}; }

/// In [low, high), the same on every machine.
Values random_values(std::size_t n, double low, double high, unsigned seed) {
  std::mt19937_64 bits(seed);
  Values x(n);
  for (double& v : x) v = low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
  return x;
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// Largest error in units of the last place of double, subnormal numbers included.
double worst_ulp(const Values& got, const std::vector<long double>& exact) {
  long double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const int exponent = exact[i] == 0 ? -1022 : std::max(std::ilogb(exact[i]), -1022);
    worst = std::max(worst, std::abs(static_cast<long double>(got[i]) - exact[i]) / std::ldexp(1.0L, exponent - 52));
  }
  return static_cast<double>(worst);
}

struct Sweep {
  Values x;
  std::vector<long double> exp, log;  // one of them
};

Sweep exp_sweep(double low, double high, unsigned seed) {
  Sweep s{random_values(400000, low, high, seed), {}, {}};
  for (const double x : s.x) s.exp.push_back(std::exp(static_cast<long double>(x)));
  return s;
}

/// Logarithms evenly spread.
Sweep log_sweep(double low, double high, unsigned seed) {
  Sweep s{random_values(400000, low, high, seed), {}, {}};
  for (double& x : s.x) {
    x = std::exp2(x);
    s.log.push_back(std::log(static_cast<long double>(x)));
  }
  return s;
}

void accuracy(const std::vector<Sweep>& sweeps) {
  double worst_exp = 0, worst_log = 0;
  for (const Sweep& s : sweeps) {
    Values out(s.x.size());
    const auto n = static_cast<Index>(out.size());
    if (s.log.empty()) {
      kernels<double>().exp(n, 1.0, s.x.data(), out.data());
      worst_exp = std::max(worst_exp, worst_ulp(out, s.exp));
    } else {
      kernels<double>().log(n, s.x.data(), out.data());
      worst_log = std::max(worst_log, worst_ulp(out, s.log));
    }
  }
  CHECK(worst_exp < 1.0);
  CHECK(worst_log < 1.0);
}

double exp1(double x) {
  kernels<double>().exp(1, 1.0, &x, &x);
  return x;
}

double log1(double x) {
  kernels<double>().log(1, &x, &x);
  return x;
}

void edges() {
  CHECK((exp1(0.0) == 1.0 && exp1(-0.0) == 1.0 && exp1(kTiny) == 1.0));
  CHECK((exp1(kInf) == kInf && exp1(-kInf) == 0.0 && std::isnan(exp1(kNaN))));
  CHECK((exp1(709.78) < kInf && exp1(709.79) == kInf && exp1(710.5) == kInf && exp1(1e300) == kInf));
  CHECK((exp1(-745.13) == kTiny && exp1(-745.14) == 0.0 && exp1(-750.0) == 0.0 && exp1(-1e300) == 0.0));
  CHECK(std::abs(exp1(-740.0) - std::exp(-740.0)) <= kTiny);
  CHECK((log1(1.0) == 0.0 && log1(0.0) == -kInf && log1(-0.0) == -kInf && log1(kInf) == kInf));
  CHECK((std::isnan(log1(-1.0)) && std::isnan(log1(-kInf)) && std::isnan(log1(-kTiny)) && std::isnan(log1(kNaN))));
  for (const double x : {kTiny, 3 * kTiny, 0x1.fp-1030, 0x1p-1022, 0x1.fffffffffffffp-1023, 0x1.fffffffffffffp1023})
    CHECK_CLOSE(log1(x), std::log(static_cast<long double>(x)), 2e-16);
}

/// Every length up to 40 at every offset from alignment: the same bits as one value at a time, nothing written elsewhere.
void tails() {
  const Values x = random_values(48, 0.1, 5.0, 1), factor = random_values(48, -2.0, 2.0, 2);
  for (std::size_t n = 0; n <= 40; ++n)
    for (std::size_t at = 0; at < 4; ++at) {
      const auto count = static_cast<Index>(n);
      Values e(48, 7.0), l(x), u(48, 7.0), xu(48, 7.0), bare(48, 7.0);
      kernels<double>().exp(count, -0.7, x.data() + at, e.data() + at);
      kernels<double>().log(count, l.data() + at, l.data() + at);  // in place
      kernels<double>().power(count, 0.7, x.data() + at, factor.data() + at, u.data() + at, xu.data() + at);
      kernels<double>().power(count, 0.7, x.data() + at, nullptr, bare.data() + at, nullptr);
      bool good = true;
      for (std::size_t i = 0; i < 48; ++i) {
        if (i < at || i >= at + n) {
          good = good && e[i] == 7.0 && l[i] == x[i] && u[i] == 7.0 && xu[i] == 7.0 && bare[i] == 7.0;
          continue;
        }
        good = good && same_bits(e[i], exp1(-0.7 * x[i])) && same_bits(l[i], log1(x[i])) && same_bits(bare[i], e[i]);
        good = good && same_bits(u[i], factor[i] * e[i]) && same_bits(xu[i], x[i] * u[i]);
      }
      CHECK(good);
    }
}

void dots() {
  for (Index n = 0; n <= 70; ++n) {
    const auto size = static_cast<std::size_t>(n) + 1;
    const Values a = random_values(size, 0.5, 1, 3), b = random_values(size, 0.5, 1, 4), c = random_values(size, 0.5, 1, 5);
    const auto A = widen(a), B = widen(b), C = widen(c);
    CHECK_CLOSE(kernels<double>().dot(n, a.data() + 1, b.data()), Exact.dot(n, A.data() + 1, B.data()), 1e-15);
    CHECK_CLOSE(kernels<double>().dot3(n, a.data() + 1, b.data(), c.data()), Exact.dot3(n, A.data() + 1, B.data(), C.data()),
                1e-15);
  }
}

void grams() {
  for (const Index n : {0, 1, 7, 8, 15, 240})
    for (const Index nu : {1, 2, 3, 4, 5, 6, 7, 16, 32})
      for (const Index nv : {1, 2, 3, 16, 31}) {
        const Index stride = n + 3;
        const Values U = random_values(static_cast<std::size_t>(stride * nu), 0.5, 1, 6);
        const Values V = random_values(static_cast<std::size_t>(stride * nv), 0.5, 1, 7);
        const auto size = static_cast<std::size_t>(nu * nv);
        Values G(size + 1, 7.0);
        std::vector<long double> exact(size);
        kernels<double>().gram(n, nu, U.data(), nv, V.data(), stride, G.data());
        Exact.gram(n, nu, widen(U).data(), nv, widen(V).data(), stride, exact.data());
        bool good = G.back() == 7.0;
        for (std::size_t i = 0; i < size; ++i) good = good && std::abs(G[i] - exact[i]) <= 1e-15L * exact[i];
        CHECK(good);
      }
}

/// M and R of tall_qr, with a longer stride than rows and a larger R than needed around them.
template <typename S>
struct Factored {
  Index n, m, stride, ldr;
  std::vector<S> M, R;

  Factored(Index rows, Index columns, const Values& from)
      : n(rows), m(columns), stride(rows + 1), ldr(columns + 2), M(from.begin(), from.end()) {
    R.assign(static_cast<std::size_t>(ldr * (m + 1)), S(7));
  }
  Factored& run() {
    kernels<S>().tall_qr(n, m, nullptr, M.data(), stride, R.data(), ldr);
    return *this;
  }
  /// The same from columns elsewhere; the first one stays as it is.
  Factored& run_from(const std::vector<S>& from) {
    const S* columns[9];
    for (Index j = 0; j <= m; ++j) columns[j] = from.data() + j * stride;
    kernels<S>().tall_qr(n, m, columns, M.data(), stride, R.data(), ldr);
    return *this;
  }
  S q(Index i, Index j) const { return M[static_cast<std::size_t>(i + j * stride)]; }
  S r(Index i, Index j) const { return R[static_cast<std::size_t>(i + j * ldr)]; }
};

Values design(Index n, Index m, unsigned seed) {
  return random_values(static_cast<std::size_t>((n + 1) * (m + 1)), -1.0, 1.0, seed);
}

void factorisations() {
  for (const Index n : {9, 10, 12, 13, 16, 23, 240})
    for (Index m = 0; m <= 8; ++m) {
      const Values from = design(n, m, static_cast<unsigned>(n));
      const auto got = Factored<double>(n, m, from).run();
      const auto exact = Factored<long double>(n, m, from).run();
      const Values& M = from;
      long double factor = 0, direction = 0, product = 0;
      bool around = true;
      for (Index j = 0; j <= m; ++j) {
        for (Index i = 0; i < m; ++i) factor = std::max(factor, std::abs(got.r(i, j) - exact.r(i, j)));
        for (Index i = 0; i < n; ++i) direction = std::max(direction, std::abs(got.q(i, j) - exact.q(i, j)));
        around = around && got.r(m, j) == 7.0 && got.q(n, j) == M[static_cast<std::size_t>(n + j * (n + 1))];
        for (Index i = 0; i < n; ++i) {  // M = Q R, the residual included
          long double entry = j == m ? got.q(i, m) : 0.0;
          for (Index k = 0; k < std::min(j + 1, m); ++k)
            entry += static_cast<long double>(got.q(i, k)) / got.r(k, k) * got.r(k, j);
          product = std::max(product, std::abs(entry - M[static_cast<std::size_t>(i + j * (n + 1))]));
        }
      }
      auto apart = Factored<double>(n, m, Values(from.size(), 3.0)).run_from(from);
      bool same = true;
      for (Index j = 0; j <= m; ++j) {
        for (Index i = 0; i < m; ++i) same = same && same_bits(apart.r(i, j), got.r(i, j));
        for (Index i = 0; i < n && m > 0 && j > 0; ++i) same = same && same_bits(apart.q(i, j), got.q(i, j));
      }
      CHECK(same);
      CHECK(around);
      CHECK(factor < 1e-13L);
      CHECK(direction < 1e-13L);
      CHECK(product < 1e-14L);
    }
}

/// Column 1 is zero, column 3 is column 0 doubled, both to be dropped; and with fewer rows than columns some must be.
template <typename S>
void deficient() {
  const Index n = 30, m = 5;
  Values from = design(n, m, 8);
  for (Index i = 0; i < n; ++i) {
    from[static_cast<std::size_t>(i + n + 1)] = 0.0;
    from[static_cast<std::size_t>(i + 3 * (n + 1))] = 2 * from[static_cast<std::size_t>(i)];
  }
  const auto got = Factored<S>(n, m, from).run();
  for (Index k = 0; k < m; ++k) {
    const bool dropped = k == 1 || k == 3;
    CHECK((got.r(k, k) == S(0)) == dropped);
    for (Index j = 0; j <= m; ++j) CHECK((got.r(k, j) == S(0) || (!dropped && j >= k)));
    for (Index i = 0; i < n; ++i) CHECK((!dropped || got.q(i, k) == S(0)));
  }
  S across = S(0);  // the residual is orthogonal to every direction
  for (Index k = 0; k < m; ++k) {
    S product = S(0);
    for (Index i = 0; i < n; ++i) product += got.q(i, k) * got.q(i, m);
    across = std::max(across, std::abs(product));
  }
  CHECK(across < S(1e-13));
  const auto wide = Factored<S>(3, 5, design(3, 5, 9)).run();
  CHECK((wide.r(2, 2) > S(0) && wide.r(3, 3) == S(0) && wide.r(4, 4) == S(0)));
}

template <typename S>
void not_finite() {
  const Index n = 21, m = 4;
  for (const double bad : {kNaN, kInf, -kInf})
    for (Index column = 0; column <= m; ++column) {
      Values from = design(n, m, 10);
      from[static_cast<std::size_t>(5 + column * (n + 1))] = bad;
      const auto got = Factored<S>(n, m, from).run();
      for (Index k = 0; k < column; ++k) CHECK(got.r(k, k) > S(0));
      if (column < m) CHECK((got.r(column, column) == S(0) || !std::isfinite(got.r(column, column))));
      for (Index i = 0; i < m && column == m; ++i) CHECK(!std::isfinite(got.r(i, m)));
    }
}

/// A column whose square is no normal number is dropped rather than normalised with the few digits left; a larger one is not.
void underflow() {
  const Index n = 20, m = 2;
  for (const double scale : {1e-170, 1e-156, 1e-150}) {
    Values from = design(n, m, 19);
    for (Index i = 0; i < n; ++i) from[static_cast<std::size_t>(i)] *= scale;
    const auto got = Factored<double>(n, m, from).run();
    CHECK((got.r(0, 0) > 0.0) == (scale == 1e-150));
    CHECK((got.r(1, 1) > 0.0 && std::isfinite(got.r(0, 2)) && std::isfinite(got.q(0, 2))));
  }
}

TEST_CASE("the variable of the environment chooses") { CHECK(simd() == simd_available().front()); }

TEST_CASE("every path") {
  const std::vector<Sweep> sweeps{exp_sweep(-745.5, 709.78, 13),  exp_sweep(-2, 2, 14),     exp_sweep(-1e-3, 1e-3, 15),
                                  log_sweep(-1073.9, 1023.9, 16), log_sweep(-1.5, 1.5, 17), log_sweep(-1e-4, 1e-4, 18)};
  for (const auto path : simd_available()) {
    CAPTURE(path);
    force_simd(path);
    accuracy(sweeps);
    edges();
    tails();
    dots();
    grams();
    factorisations();
    deficient<double>();
    not_finite<double>();
    underflow();
  }
  deficient<long double>();
  not_finite<long double>();
}

/// All that the kernels give for one input, to compare paths.
Values everything() {
  const Index n = 37;
  const Values x = random_values(37, 0.1, 8.0, 11);
  Values out(3 * 37);
  kernels<double>().exp(n, -1.3, x.data(), out.data());
  kernels<double>().log(n, x.data(), out.data() + n);
  kernels<double>().power(n, 0.4, x.data(), nullptr, out.data() + 2 * n, nullptr);
  out.push_back(kernels<double>().dot(n, x.data(), out.data()));
  out.push_back(kernels<double>().dot3(n, x.data(), out.data(), out.data() + 2 * n));
  Values G(9);
  kernels<double>().gram(n, 3, out.data(), 3, out.data(), n, G.data());
  out.insert(out.end(), G.begin(), G.end());
  const auto factored = Factored<double>(n, 6, design(n, 6, 12)).run();
  out.insert(out.end(), factored.R.begin(), factored.R.end());
  return out;
}

TEST_CASE("same everywhere") {
  force_simd(simd_available().front());
  const Values first = everything();
  for (const auto path : simd_available()) {
    force_simd(path);
    const Values other = everything(), again = everything();
    for (std::size_t i = 0; i < first.size(); ++i) {
      CHECK(std::abs(other[i] - first[i]) <= 1e-13 * std::abs(first[i]));
      CHECK(same_bits(other[i], again[i]));
    }
  }
}

/// The templates, for both scalars: the kernels of a build without compiled ones.
TEST_CASE_TEMPLATE("portable", S, double, long double) {
  const auto& K = detail::kPortable<S>;
  const S tolerance = 8 * std::numeric_limits<S>::epsilon();
  const S x[5] = {S(0.25), S(1), S(2.5), S(4), S(5)}, f[5] = {S(2), S(-1), S(3), S(0.5), S(1)};
  S e[5], l[5], u[5], xu[5], G[4];
  K.exp(5, S(-0.5), x, e);
  K.log(5, e, l);
  K.power(5, S(0.5), x, f, u, xu);
  for (int i = 0; i < 5; ++i) {
    CHECK_CLOSE(l[i], S(-0.5) * x[i], tolerance);
    CHECK_CLOSE(u[i], f[i] * e[i], tolerance);
    CHECK_CLOSE(xu[i], x[i] * u[i], tolerance);
  }
  K.power(5, S(0.5), x, nullptr, u, nullptr);
  for (int i = 0; i < 5; ++i) CHECK_CLOSE(u[i], e[i], tolerance);
  CHECK_CLOSE(K.dot(5, x, f), S(14), tolerance);
  CHECK_CLOSE(K.dot3(5, x, f, x), S(50.875), tolerance);
  K.gram(2, 2, x, 2, f, 2, G);
  CHECK_CLOSE(G[0], S(-0.5), tolerance);
  CHECK_CLOSE(G[1], S(1), tolerance);
  CHECK_CLOSE(G[2], S(1.25), tolerance);
  CHECK_CLOSE(G[3], S(9.5), tolerance);
}

TEST_CASE("selection") {
  const auto paths = simd_available();
  CHECK(!paths.empty());
  for (const auto path : paths) {
    force_simd(path);
    CHECK(simd() == path);
  }
  CHECK_MESSAGE_HAS(force_simd("sse9"), "simd path must be 'best'");
  CHECK_MESSAGE_HAS(force_simd("sse9"), "got 'sse9'");
  CHECK_MESSAGE_HAS(force_simd(""), paths.back().data());
  CHECK(simd() == paths.back());
  force_simd(paths.front());
  force_simd("best");
  CHECK(simd() == paths.back());
}

}  // namespace
