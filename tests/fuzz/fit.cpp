// SPDX-License-Identifier: Apache-2.0
// Any bytes as a law, runs, options and constraints: a fit never crashes, never hangs, and what it calls converged is finite
// and no worse than what it started from. The same bytes go through an OnlineFit, and through its text.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <offray/offray.hpp>
#include <string>

namespace {

using namespace offray;

constexpr Index kMost = 24;  // runs: enough for every branch, few enough for the sanitizers

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// Bytes as numbers; zeros once they are used up.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  std::uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  Index below(Index n) { return byte() % n; }

  /// Mostly of the size of parameter and token counts, losses or exponents; now and then the bits as they are.
  double number(double low, double high) {
    const std::uint8_t kind = byte();
    if (kind < 240) return low * std::pow(high / low, (kind + byte() / 256.) / 240);
    if (kind < 248) return low;  // equal ones
    std::uint64_t bits = 0;
    for (int k = 0; k < 8; ++k) bits = bits << 8 | byte();
    double out;
    std::memcpy(&out, &bits, sizeof out);
    return out;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

/// L = E + A N^-alpha for N + 1e6: a law without a power-sum form.
struct Shifted {
  static constexpr std::string_view name = "shifted";
  static constexpr std::array parameters{offray::floor("E"), coefficient("A", Axis::none), exponent("alpha", Axis::none)};
  template <typename S>
  void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) const {
    for (Index i = 0; i < at.size(); ++i) {
      const S log_size = std::log((std::exp(at.log_N[i]) + S(1e6)) / S(1e8)), u = std::exp(-theta[2] * log_size);
      value[i] = theta[0] + theta[1] * u;
      if (J.cols() != 0) J.row(i) << S(1), u, -theta[1] * u * log_size;
    }
  }
};

const AnyLaw<double>& law_of(Index which) {
  const auto laws = Laws::all<double>();
  if (which < static_cast<Index>(laws.size())) return *laws[static_cast<std::size_t>(which)];
  return any_law<double, Shifted>();
}

void check(const FitResult<double>& result, const char* where) {
  if (!result) {
    if (result.message().empty()) fail("an error without a message");
    return;
  }
  if (!result.theta.allFinite()) fail(where);
  if (result.converged() && !std::isfinite(result.objective)) fail(where);
  if (is_settled(result.status) && !(result.objective >= 0)) fail(where);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes in(data, size);
  const AnyLaw<double>& law = law_of(in.below(static_cast<Index>(Laws::size) + 1));
  FitOptions<double> options;
  options.space = static_cast<Space>(in.below(2));
  options.solver.objective.kind = static_cast<ObjectiveKind>(in.below(kObjectiveKinds));
  options.solver.objective.delta = in.number(1e-6, 10);
  options.solver.objective.quantile = in.number(.01, .99);
  options.solver.max_evaluations = 100;  // a search takes a second under the sanitizers as it is
  options.robust_scale = in.below(8) == 0;
  Constraints<double> constraints(law);
  for (Index k = in.below(4); k > 0; --k) {
    const auto name = [&] { return law.parameter(in.below(law.size())).name; };
    const Index kind = in.below(3);
    if (kind == 0) (void)constraints.try_fix(name(), in.number(.01, 1e4));
    if (kind == 1) (void)constraints.try_tie(name(), name());
    if (kind == 2) {
      const double low = in.number(1e-3, 1e3);
      (void)constraints.try_bound(name(), low, in.number(1e-3, 1e6));
    }
  }
  if (in.below(4) == 0) {
    options.start.resize(law.size());
    for (Index j = 0; j < law.size(); ++j) options.start[j] = in.number(1e-3, 1e6);
  }
  const bool weighted = in.below(4) == 0;
  OnlineFit<double> online(kept(law), options, constraints);
  Vector<double> N(kMost), D(kMost), loss(kMost), weight(kMost), U(kMost);
  Index n = 0;
  while (!in.empty() && n < kMost) {
    N[n] = in.number(1e5, 1e12);
    D[n] = in.number(1e6, 1e14);
    loss[n] = in.number(1, 10);
    U[n] = D[n] / static_cast<double>(1 + in.below(4));
    weight[n] = weighted ? in.number(.1, 10) : 1;
    const auto id = online.add({N[n], D[n], loss[n], weight[n], U[n]});
    if (id && in.below(4) == 0) online.remove(*id - in.below(3));
    if (in.below(8) == 0) check(online.refit(), "a refit");
    ++n;
  }
  const auto part = [n](const Vector<double>& x) { return Span<double>(x.data(), n); };
  Fitter<double> fitter(kept(law), options, constraints);
  check(fitter.fit(part(N), part(D), part(loss), weighted ? part(weight) : Span<double>(), part(U)), "a fit");
  check(online.refit(), "the last refit");
  const std::string text = online.serialise();
  const auto again = OnlineFit<double>::deserialise(text, kept(law));
  if (!again || again->serialise() != text) fail("text that does not come back");
  if (online.result()) {
    const auto forecast = online.forecast(1e9, 1e10);
    if (!forecast || std::isnan(forecast->value) || std::isnan(forecast->se)) fail("a forecast");
    (void)online.determined();
  }
  return 0;
}
