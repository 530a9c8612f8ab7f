// SPDX-License-Identifier: Apache-2.0
/// \file
/// Many independent pieces of work on threads, with a way to watch and to stop.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "offray/errors.hpp"
#include "offray/progress.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The number of threads that is meant by `asked`: 0 stands for one per processor.
/// \throws InvalidInput for a negative number.
inline int thread_count(int asked) {
  if (asked < 0) reject("threads must be positive, or 0 for one per processor; got " + std::to_string(asked));
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Calls f, whatever it throws.
template <typename F>
void attempt(const F& f) {
#if OFFRAY_EXCEPTIONS
  try {
    f();
  } catch (const std::exception&) {
    return;
  }
#else
  f();
#endif
}

/// The exception of the first piece that failed, carried from one thread to another. Without exceptions there is none.
class Failure {
 public:
  /// Calls f; `begin` says afterwards which piece it was at. \return whether it threw nothing.
  template <typename F>
  bool watch(const F& f, const Index& begin) {
#if OFFRAY_EXCEPTIONS
    try {
      f();
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failing_);
      if (begin < at_) {
        at_ = begin;
        exception_ = std::current_exception();
      }
      return false;
    }
#else
    static_cast<void>(begin);
    f();
#endif
    return true;
  }

  void rethrow() const {
#if OFFRAY_EXCEPTIONS
    if (exception_) std::rethrow_exception(exception_);
#endif
  }

 private:
#if OFFRAY_EXCEPTIONS
  std::mutex failing_;
  std::exception_ptr exception_;
  Index at_ = std::numeric_limits<Index>::max();
#endif
};

/// Calls work(i) for i in [0, total), `chunk` of them in one go, on the calling thread and up to threads - 1 others.
///
/// Every thread makes its own `work` by make_work() and keeps it: the place for buffers. Where results go by i and work(i)
/// depends on i alone, they are the same for any number of threads. A chunk that was begun is finished, so the pieces done are
/// always the first ones, also after a stop.
/// \param threads as thread_count() returns it. Where the system has fewer to give, those do the work.
/// \param progress called between chunks; the last call, unless stopped before, says that all is done.
/// \return how many pieces are done: `total` unless `progress` stopped it.
/// \throws what `work` threw on the first piece that failed, or what `progress` threw, once all threads have ended.
template <typename MakeWork>
Index in_chunks(Index total, Index chunk, int threads, const MakeWork& make_work, const Progress& progress) {
  std::atomic<Index> next{0}, done{0};
  std::atomic<bool> stop{false};
  Failure failure;

  const auto run = [&](const auto& after_chunk) {
    Index begin = -1;  // before the first chunk: what fails then fails for all
    const auto chunks = [&] {
      auto work = make_work();
      while (!stop) {
        begin = next.fetch_add(chunk);
        if (begin >= total) return;
        const Index end = std::min(begin + chunk, total);
        for (Index i = begin; i < end; ++i) work(i);
        done += end - begin;
        after_chunk();
      }
    };
    if (!failure.watch(chunks, begin)) stop = true;
  };

  std::vector<std::thread> others;
  const Index useful = std::min(static_cast<Index>(threads), (total + chunk - 1) / chunk);
  others.reserve(static_cast<std::size_t>(std::max(useful, Index(1)) - 1));
  attempt([&] {  // the system may have no more threads to give
    while (static_cast<Index>(others.size()) + 1 < useful) others.emplace_back([&run] { run([] {}); });
  });
  Index told = -1;
  const auto tell = [&] {
    if (!progress) return;
    told = done;
    if (!progress(told, total)) stop = true;
  };
  run(tell);
  for (std::thread& thread : others) thread.join();
  failure.rethrow();
  if (done == total && told < total) tell();
  return done;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
