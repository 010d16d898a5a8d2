// C++20 over the C interface of the runtime: objects that free themselves, spans, and failures as exceptions.
// Header-only; all of it compiles into the caller, so nothing but the C ABI crosses the library's border. Ownership and
// thread rules are those of mmc-c/Runtime.h.
//
//   mmc::Plan plan("model.plan");
//   mmc::Model model(plan, "checkpoint/");
//   mmc::Session session(model);
//   mmc::Sequence sequence(session);
//   session.step({{sequence, prompt, MMC_LOGITS_LAST}});
//   std::span<const float> row = session.logits(0, plan.info().vocabulary);
#pragma once

#include "mmc-c/Runtime.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace mmc {

/// A failed call. what() is the message; the class is the exit code of the tools.
class Error : public std::runtime_error {
public:
  explicit Error(const mmc_status *status)
      : std::runtime_error(mmc_status_get_message(status)), status(mmc_status_get_code(status)),
        identifierText(mmc_status_get_identifier(status)), hintText(mmc_status_get_hint(status)),
        causeText(mmc_status_get_cause(status)) {}
  mmc_status_code code() const { return status; }
  const std::string &identifier() const { return identifierText; }
  const std::string &hint() const { return hintText; }
  const std::string &cause() const { return causeText; }

private:
  mmc_status_code status;
  std::string identifierText, hintText, causeText;
};

/// Throws and frees what a call returned, unless it is null.
inline void check(mmc_status *status) {
  if (!status) return;
  const std::unique_ptr<mmc_status, void (*)(mmc_status *)> owner(status, mmc_status_free);
  throw Error(status);
}

/// Called with bytes of weights laid out and in total; false stops the load, which then throws with
/// MMC_STATUS_CANCELLED.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

class Plan {
public:
  explicit Plan(const std::string &path, const std::string &cpuVariant = {}, bool noHostCode = false,
                const std::string &cudaVariant = {}) {
    const mmc_plan_options options{sizeof options, cpuVariant.empty() ? nullptr : cpuVariant.c_str(), noHostCode,
                                   cudaVariant.empty() ? nullptr : cudaVariant.c_str()};
    mmc_plan *plan = nullptr;
    check(mmc_plan_load(path.c_str(), &options, &plan));
    handle.reset(plan);
  }
  /// Strings and arrays in it live as long as the plan or anything made from it.
  mmc_plan_info info() const {
    mmc_plan_info info{};
    info.struct_size = sizeof info;
    check(mmc_plan_get_info(handle.get(), &info));
    return info;
  }
  mmc_plan *get() const { return handle.get(); }

private:
  struct Free {
    void operator()(mmc_plan *plan) const { mmc_plan_free(plan); }
  };
  std::unique_ptr<mmc_plan, Free> handle;
};

class Model {
public:
  /// Reads a checkpoint folder. `threads` 0: all cores.
  Model(const Plan &plan, const std::string &directory, uint32_t threads = 0, Progress progress = {}) {
    load(threads, progress, [&](const mmc_weights_options *options, mmc_model **model) {
      return mmc_model_load(plan.get(), directory.c_str(), options, model);
    });
  }
  /// Draws weights from a seed.
  Model(const Plan &plan, uint64_t seed, uint32_t threads = 0, Progress progress = {}) {
    load(threads, progress, [&](const mmc_weights_options *options, mmc_model **model) {
      return mmc_model_load_random(plan.get(), seed, options, model);
    });
  }
  /// Ids that a sampler must never choose; owned by the model.
  std::span<const int32_t> suppressedTokens() const {
    const int32_t *ids = nullptr;
    size_t count = 0;
    check(mmc_model_get_suppressed_tokens(handle.get(), &ids, &count));
    return {ids, count};
  }
  mmc_model *get() const { return handle.get(); }

private:
  template <typename Load> void load(uint32_t threads, Progress &progress, Load function) {
    const mmc_progress forward = [](void *user, uint64_t done, uint64_t total) -> int {
      return (*static_cast<Progress *>(user))(done, total);
    };
    const mmc_weights_options options{sizeof options, threads, progress ? forward : nullptr, &progress};
    mmc_model *model = nullptr;
    check(function(&options, &model));
    handle.reset(model);
  }
  struct Free {
    void operator()(mmc_model *model) const { mmc_model_free(model); }
  };
  std::unique_ptr<mmc_model, Free> handle;
};

class Session;

/// One conversation of a session.
class Sequence {
public:
  explicit Sequence(Session &session);
  /// From a snapshot file.
  Sequence(Session &session, const std::string &snapshotPath);
  uint64_t position() const { return mmc_sequence_get_position(handle.get()); }
  void snapshot(const std::string &path) const { check(mmc_sequence_snapshot_file(handle.get(), path.c_str())); }
  std::vector<uint8_t> snapshot() const {
    std::vector<uint8_t> bytes(mmc_sequence_get_snapshot_size(handle.get()));
    check(mmc_sequence_snapshot(handle.get(), bytes.data(), bytes.size()));
    return bytes;
  }
  mmc_sequence *get() const { return handle.get(); }

private:
  struct Free {
    void operator()(mmc_sequence *sequence) const { mmc_sequence_free(sequence); }
  };
  std::unique_ptr<mmc_sequence, Free> handle;
};

/// The new tokens of one sequence in a step.
struct Entry {
  Sequence &sequence;
  std::span<const int32_t> tokens;
  mmc_logits logits = MMC_LOGITS_LAST;
};

class Session {
public:
  /// Fields other than struct_size may be set; see mmc_session_options.
  explicit Session(const Model &model, mmc_session_options options = {}) {
    options.struct_size = sizeof options;
    mmc_session *session = nullptr;
    check(mmc_session_create(model.get(), &options, &session));
    handle.reset(session);
  }
  void step(std::span<const Entry> entries) {
    buffer.clear();
    for (const Entry &entry : entries)
      buffer.push_back({entry.sequence.get(), entry.tokens.data(), entry.tokens.size(), entry.logits});
    const mmc_step step{sizeof step, sizeof(mmc_step_entry), buffer.data(), buffer.size()};
    check(mmc_session_step(handle.get(), &step));
  }
  void step(std::initializer_list<Entry> entries) { step(std::span(entries.begin(), entries.size())); }
  /// Rows of an entry of the last step, one after the other; valid until the next step.
  std::span<const float> logits(size_t entry, uint32_t vocabulary) const {
    const float *values = nullptr;
    size_t rows = 0;
    check(mmc_session_get_logits(handle.get(), entry, &values, &rows));
    return {values, rows * vocabulary};
  }
  /// Any thread.
  void cancel() { mmc_session_cancel(handle.get()); }
  mmc_session *get() const { return handle.get(); }

private:
  struct Free {
    void operator()(mmc_session *session) const { mmc_session_free(session); }
  };
  std::unique_ptr<mmc_session, Free> handle;
  std::vector<mmc_step_entry> buffer;
};

inline Sequence::Sequence(Session &session) {
  mmc_sequence *sequence = nullptr;
  check(mmc_sequence_create(session.get(), &sequence));
  handle.reset(sequence);
}

inline Sequence::Sequence(Session &session, const std::string &snapshotPath) {
  mmc_sequence *sequence = nullptr;
  check(mmc_sequence_restore_file(session.get(), snapshotPath.c_str(), &sequence));
  handle.reset(sequence);
}

} // namespace mmc
