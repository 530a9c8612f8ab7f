// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <optional>

#include "columns.hpp"
#include "law_handle.hpp"
#include "offray/offray.hpp"
#include "signals.hpp"

namespace {

using namespace offray;

/// Lets Python in between chunks: Ctrl-C, and the callback if there is one. Either may raise; the work then stops, and
/// rethrow() raises what was raised once the threads have ended.
class Watcher {
 public:
  explicit Watcher(py::object callback) : callback_(std::move(callback)) {}

  /// To be called without the GIL.
  bool operator()(Index done, Index total) {
    if (!interval_.over() && done < total) return true;
    const py::gil_scoped_acquire acquire;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (!callback_.is_none()) callback_(done, total);
    } catch (py::error_already_set& error) {
      raised_ = std::move(error);
      return false;
    }
    return true;
  }

  /// Raises what was raised, except for KeyboardInterrupt. \return whether that was it.
  bool interrupted() {
    if (!raised_) return false;
    if (!raised_->matches(PyExc_KeyboardInterrupt)) throw py::error_already_set(std::move(*raised_));
    return true;
  }

 private:
  py::object callback_;
  Interval interval_;
  std::optional<py::error_already_set> raised_;
};

/// The first columns of a matrix as the rows of an array that owns them.
template <typename S>
py::array_t<S> rows_of(Jacobian<S> matrix, Index count) {
  auto owned = std::make_unique<Jacobian<S>>(std::move(matrix));
  S* data = owned->data();
  const Index width = owned->rows();
  const py::capsule owner(owned.release(), [](void* p) { delete static_cast<Jacobian<S>*>(p); });
  return py::array_t<S>(std::vector<Index>{count, width}, data, owner);
}

/// Enumerators as indices into their names.
template <typename Enum>
py::array_t<std::uint8_t> codes(const std::vector<Enum>& values, Index count) {
  py::array_t<std::uint8_t> out(count);
  for (Index i = 0; i < count; ++i) out.mutable_at(i) = static_cast<std::uint8_t>(values[static_cast<std::size_t>(i)]);
  return out;
}

/// (theta, objective, status, interrupted) of the replicates that were done.
template <typename S>
py::tuple run_bootstrap(const Fit<S>& fit, Index replicates, const std::string& kind, std::uint64_t seed, int threads,
                        std::vector<Index> group, py::object progress) {
  Watcher watcher(std::move(progress));
  Bootstrap<S> out;
  {
    const py::gil_scoped_release release;
    out = bootstrap(fit, {replicates, enumerator<Resampling>(kResamplings, kind, "kind"), seed, threads, std::move(group)},
                    std::ref(watcher));
  }
  const bool interrupted = watcher.interrupted();
  return py::make_tuple(rows_of<S>(std::move(out.theta), out.finished), Vector<S>(out.objective.head(out.finished)),
                        codes(out.status, out.finished), interrupted);
}

/// A column of all data sets, one after the other, or one that they share.
template <typename S>
Vector<S> part(Array<S> all, Index rows, Index begin, Index n) {
  return all.size() == rows ? all.segment(begin, n) : all;
}

/// (theta, objective, status, limit, interrupted) of the data sets that were done. Set k holds the losses from offsets[k] to
/// offsets[k + 1]; of the columns and weight, those as long as all losses together are cut in the same way.
template <typename S>
py::tuple run_fit_many(const LawHandle& handle, const py::dict& columns, Array<S> loss, Array<S> weight,
                       const std::vector<Index>& offsets, const FitOptions<S>& options, const Constraints<S>* constraints,
                       int threads, py::object progress) {
  Watcher watcher(std::move(progress));
  const AnyLaw<S>& law = handle.as<S>();
  const auto N = column<S>(columns, "params"), D = column<S>(columns, "tokens"), U = column<S>(columns, "unique_tokens");
  const auto further = further_columns<S>(columns);
  const auto runs_of = [&](Index set) {
    const Index begin = offsets[static_cast<std::size_t>(set)], n = offsets[static_cast<std::size_t>(set) + 1] - begin;
    const auto cut = [&](Array<S> all) { return part<S>(all, loss.size(), begin, n); };
    const auto counts = [&](Array<S> all) { return all.size() == 0 ? Vector<S>(Vector<S>::Ones(n)) : cut(all); };
    Inputs<S> at(counts(N), counts(D), cut(U));
    for (const auto& column : further) {
      at.columns.push_back(cut(column));
      if (at.columns.back().size() != n) throw InvalidInput("every column needs one value per run");
    }
    return Runs<S>(std::move(at), loss.segment(begin, n), cut(weight));
  };
  FitMany<S> out;
  {
    const py::gil_scoped_release release;  // every argument is a C++ value or a view of an array that the caller holds
    out = fit_many<S>(law, static_cast<Index>(offsets.size()) - 1, runs_of, options,
                      constraints == nullptr ? Constraints<S>(law) : *constraints, threads, std::ref(watcher));
  }
  const bool interrupted = watcher.interrupted();
  return py::make_tuple(rows_of<S>(std::move(out.theta), out.finished), Vector<S>(out.objective.head(out.finished)),
                        codes(out.status, out.finished), codes(out.location, out.finished), interrupted);
}

template <typename S>
void bind_batch_of(py::module_& m) {
  m.def("bootstrap", &run_bootstrap<S>, py::arg("fit"), py::arg("replicates"), py::arg("kind"), py::arg("seed"),
        py::arg("threads"), py::arg("group"), py::arg("progress"));
  m.def("fit_many", &run_fit_many<S>, py::arg("law"), py::arg("columns"), py::arg("loss").noconvert(),
        py::arg("weight").noconvert(), py::arg("offsets"), py::arg("options"), py::arg("constraints"), py::arg("threads"),
        py::arg("progress"));
}

}  // namespace

void bind_batch(py::module_& m) {
  m.attr("STATUSES") = names(kStatuses);
  m.attr("LIMITS") = names(kLocations);
  m.attr("RESAMPLINGS") = names(kResamplings);
  bind_batch_of<double>(m);
  bind_batch_of<long double>(m);
}
