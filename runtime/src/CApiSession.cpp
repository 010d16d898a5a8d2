// The C ABI of sessions, sequences, steps and snapshots.
#include "runtime/src/CApi.h"
#include "runtime/src/Errors.h"
#include "runtime/src/FileIO.h"

using namespace mmc::runtime;

mmc_status *mmc_session_create(mmc_model *model, const mmc_session_options *options, mmc_session **session) {
  if (!model || !session) return nullArgument("model or session is null");
  return guarded([&]() -> Status {
    mmc_session_options given;
    if (!readOptions(options, given))
      return Status(kBadArgument, "struct_size of the options is too small", "set it to sizeof the struct");
    Expected<std::unique_ptr<Session>> made =
        Session::create(model->model, {given.threads, given.max_sequences, given.max_pages, given.parallel_for,
                                       given.parallel_user, given.cuda_sync != 0, given.no_cuda_graphs == 0});
    if (!made.ok()) return made.status();
    auto handle = std::make_unique<mmc_session>(mmc_session{std::move(*made), {}});
    handle->entries.reserve(handle->session->plan().maxNumSeqs);
    *session = handle.release();
    return {};
  });
}

void mmc_session_free(mmc_session *session) { delete session; }

static Status makeSequence(const std::shared_ptr<Session> &session, Expected<Sequence *> made,
                           mmc_sequence **sequence) {
  if (!made.ok()) return made.status();
  mmc_sequence *handle = new (std::nothrow) mmc_sequence{session, *made};
  if (!handle) {
    session->destroySequence(*made);
    throw std::bad_alloc();
  }
  *sequence = handle;
  return {};
}

mmc_status *mmc_sequence_create(mmc_session *session, mmc_sequence **sequence) {
  if (!session || !sequence) return nullArgument("session or sequence is null");
  return guarded([&] { return makeSequence(session->session, session->session->createSequence(), sequence); });
}

void mmc_sequence_free(mmc_sequence *sequence) {
  if (!sequence) return;
  sequence->session->destroySequence(sequence->sequence);
  delete sequence;
}

uint64_t mmc_sequence_get_position(const mmc_sequence *sequence) { return sequence ? sequence->sequence->position : 0; }

mmc_status *mmc_session_step(mmc_session *session, const mmc_step *step) {
  if (!session || !step) return nullArgument("session or step is null");
  return guarded([&]() -> Status {
    if (step->struct_size < sizeof(mmc_step) || step->entry_size < sizeof(mmc_step_entry) ||
        (!step->entries && step->entry_count))
      return Status(kBadArgument, "the step's struct_size, entry_size or entries is wrong",
                    "set both to sizeof the structs");
    const PlanTables &plan = session->session->plan();
    if (step->entry_count > plan.maxNumSeqs)
      return Status(kStepTooLarge, "the step has " + std::to_string(step->entry_count) +
                                       " entries, expected at most max_num_seqs = " + std::to_string(plan.maxNumSeqs));
    std::vector<StepEntry> &entries = session->entries;
    entries.clear();
    for (size_t i = 0; i < step->entry_count; ++i) {
      mmc_step_entry entry;
      std::memcpy(&entry, reinterpret_cast<const char *>(step->entries) + i * step->entry_size, sizeof entry);
      // NOTE: a caller may have stored any number in the enum; it is read as one, and the step refuses what it does not
      // know.
      std::underlying_type_t<mmc_logits> wanted;
      std::memcpy(&wanted, &entry.logits, sizeof wanted);
      entries.push_back(
          {entry.sequence ? entry.sequence->sequence : nullptr, entry.tokens, entry.token_count, Logits(wanted)});
    }
    return session->session->step(entries);
  });
}

mmc_status *mmc_session_get_logits(const mmc_session *session, size_t entry, const float **logits, size_t *rows) {
  if (!session || !logits || !rows) return nullArgument("session, logits or rows is null");
  return guarded([&]() -> Status {
    Expected<std::span<const float>> found = session->session->logits(entry);
    if (!found.ok()) return found.status();
    *logits = found->data();
    *rows = found->size() / session->session->plan().vocabulary;
    return {};
  });
}

void mmc_session_cancel(mmc_session *session) {
  if (session) session->session->cancel();
}

uint64_t mmc_sequence_get_snapshot_size(const mmc_sequence *sequence) {
  return sequence ? sequence->session->snapshotBytes(*sequence->sequence) : 0;
}

mmc_status *mmc_sequence_snapshot(const mmc_sequence *sequence, void *buffer, uint64_t size) {
  if (!sequence || !buffer) return nullArgument("sequence or buffer is null");
  return guarded([&]() -> Status {
    const uint64_t needed = sequence->session->snapshotBytes(*sequence->sequence);
    if (size < needed)
      return Status(kSnapshotBuffer,
                    "the buffer has " + std::to_string(size) + " bytes, expected at least " + std::to_string(needed));
    auto *to = static_cast<uint8_t *>(buffer);
    return sequence->session->snapshot(*sequence->sequence, [&](std::span<const uint8_t> bytes) {
      std::memcpy(to, bytes.data(), bytes.size());
      to += bytes.size();
      return Status();
    });
  });
}

mmc_status *mmc_sequence_snapshot_file(const mmc_sequence *sequence, const char *path) {
  if (!sequence || !path) return nullArgument("sequence or path is null");
  return guarded([&]() -> Status {
    Expected<OutputFile> file = OutputFile::create(path);
    if (!file.ok()) return file.status();
    MMC_RETURN_IF_ERROR(sequence->session->snapshot(
        *sequence->sequence, [&](std::span<const uint8_t> bytes) { return file->write(bytes); }));
    return file->commit();
  });
}

mmc_status *mmc_sequence_restore(mmc_session *session, const void *data, uint64_t size, mmc_sequence **sequence) {
  if (!session || (!data && size) || !sequence) return nullArgument("session, data or sequence is null");
  return guarded([&] {
    auto *from = static_cast<const uint8_t *>(data);
    return makeSequence(session->session,
                        session->session->restore(size,
                                                  [&](std::span<uint8_t> bytes) {
                                                    std::memcpy(bytes.data(), from, bytes.size());
                                                    from += bytes.size();
                                                    return Status();
                                                  }),
                        sequence);
  });
}

mmc_status *mmc_sequence_restore_file(mmc_session *session, const char *path, mmc_sequence **sequence) {
  if (!session || !path || !sequence) return nullArgument("session, path or sequence is null");
  return guarded([&]() -> Status {
    Expected<InputFile> file = InputFile::open(path);
    if (!file.ok()) return file.status();
    uint64_t position = 0;
    return makeSequence(session->session,
                        session->session->restore(file->size(),
                                                  [&](std::span<uint8_t> bytes) {
                                                    const uint64_t at = position;
                                                    position += bytes.size();
                                                    return file->readAt(at, bytes);
                                                  }),
                        sequence);
  });
}
