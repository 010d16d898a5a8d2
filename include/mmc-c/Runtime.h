/* Runs plans: load a plan, bind weights, make a session, step sequences through it. C11.
 *
 *   mmc_plan      a verified plan file with its kernels mapped; immutable
 *   mmc_model     a plan with weights in the layout that its kernels read; immutable, shared by any number of sessions
 *   mmc_session   memory for sequences (recurrent state, KV pages), for one step's temporaries and logits, and threads
 *   mmc_sequence  one conversation: its state and its position in a session
 *
 * Ownership: every object that a call returns is freed with its mmc_..._free, in any order: a model keeps its plan
 * alive, a session its model, a sequence its session. Freeing NULL is allowed. Pointers that are passed in are read
 * during the call only, unless said otherwise.
 *
 * Threads: plans and models may be used from any number of threads at once. A session and its sequences may be used
 * from any thread, but from one at a time; mmc_session_cancel alone may be called at any time. Two sessions are
 * independent, also of one model.
 *
 * Failure: see Status.h. When a call fails, its output arguments and the objects that it was given are as they were
 * before, with one exception: a step that was cancelled (mmc_session_cancel) or failed on a device. No call writes to
 * stdout or stderr, changes signal handlers or the locale. */
#ifndef MMC_C_RUNTIME_H
#define MMC_C_RUNTIME_H

#include "mmc-c/Status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mmc_plan mmc_plan;
typedef struct mmc_model mmc_model;
typedef struct mmc_session mmc_session;
typedef struct mmc_sequence mmc_sequence;

/* -------------------------------------------------------------------------------------------------------------------------
 * plans */

typedef struct mmc_plan_options {
  size_t struct_size;      /* sizeof(mmc_plan_options) */
  const char *cpu_variant; /* "x86-64-v3", "avx512" or "avx512-bf16"; NULL: the widest that the plan has and this
                              machine executes */
  int no_host_code; /* not 0: refuse a plan whose kernels are host code, instead of mapping them into the process; those
                       of target cuda-emu are */
  const char *cuda_variant; /* of a plan for cuda or cuda-emu: "sm_90a", "sm_80", ..., for cuda-emu also "portable";
                               NULL: the best that the plan has and the device runs */
} mmc_plan_options;

/* Reads and verifies a plan (format, digests, every table), then maps its kernels, or for cuda and cuda-emu opens the
 * driver and loads them on its first device. `options` may be NULL.
 * Errors: FAILED (cannot read, a call of the CUDA driver), INCOMPATIBLE (format version, required feature, variant,
 * no_host_code, no CUDA driver or device), INTEGRITY (anything corrupt), CAPACITY (memory of the device). */
MMC_API mmc_status *mmc_plan_load(const char *path, const mmc_plan_options *options, mmc_plan **plan);

/* The same from memory; the bytes are copied. */
MMC_API mmc_status *mmc_plan_load_memory(const void *data, size_t size, const mmc_plan_options *options,
                                         mmc_plan **plan);

/* Verifies a plan file as mmc_plan_load does, and the form of its host object or device images, but maps and loads no
 * code and keeps nothing. */
MMC_API mmc_status *mmc_plan_verify(const char *path);

MMC_API void mmc_plan_free(mmc_plan *plan);

/* What a plan says. Strings and arrays are owned by the plan and live as long as it, or as any model, session or
 * sequence made from it. */
typedef struct mmc_plan_info {
  size_t struct_size;      /* sizeof(mmc_plan_info) */
  const char *digest;      /* 64 hexadecimal digits: the identity of the plan file */
  const char *producer;    /* the compiler's name and version */
  const char *model;       /* name of the model family */
  const char *target;      /* "cpu", "cuda", "cuda-emu" */
  const char *dtype;       /* activation type: "float32", "bfloat16" */
  const char *cpu_variant; /* the variant in use, of whatever target */
  uint32_t vocabulary;     /* token ids are 0 .. vocabulary - 1; a row of logits has this many floats */
  uint32_t layers;
  uint64_t max_model_len;          /* longest sequence, prompt and generated tokens together */
  uint32_t max_num_seqs;           /* entries of one step */
  uint32_t max_num_batched_tokens; /* tokens of one step, over all entries */
  uint32_t recurrence_block;       /* prompts cut at multiples of this give bitwise the same answers */
  uint32_t page_tokens;            /* positions per KV page; 0: no KV cache */
  uint64_t parameters_total;
  uint64_t parameters_active;
  uint64_t weights_bytes; /* memory of a model */
  uint64_t state_bytes_per_sequence;
  uint64_t kv_bytes_per_token;
  uint64_t arena_bytes; /* temporaries of the largest step */
  const int32_t *stop_tokens;
  size_t stop_token_count;
} mmc_plan_info;

/* Fills the fields that fit into info->struct_size bytes. */
MMC_API mmc_status *mmc_plan_get_info(const mmc_plan *plan, mmc_plan_info *info);

/* -----------------------------------------------------------------------------------------------------------------------
 * weights */

/* Called now and then from the thread that called the loading function, with bytes of weights laid out so far, and all
 * of them. Returns 0 to stop: the load then fails with CANCELLED. */
typedef int (*mmc_progress)(void *user, uint64_t done, uint64_t total);

typedef struct mmc_weights_options {
  size_t struct_size;    /* sizeof(mmc_weights_options) */
  uint32_t threads;      /* 0: one per core that this process may use */
  mmc_progress progress; /* may be NULL */
  void *progress_user;
} mmc_weights_options;

/* Reads the checkpoint in `directory` (model.safetensors, or model.safetensors.index.json and its shards), checks
 * names, shapes and dtypes against the plan and lays every tensor out as the kernels read it. `options` may be NULL.
 * Errors: FAILED (cannot read), INCOMPATIBLE (a tensor missing or of another shape or dtype), INTEGRITY (a corrupt
 * file), CAPACITY (memory), CANCELLED. */
MMC_API mmc_status *mmc_model_load(mmc_plan *plan, const char *directory, const mmc_weights_options *options,
                                   mmc_model **model);

/* Draws reproducible weights of a sensible scale from `seed`, tensor names and indices, for models without a
 * checkpoint. */
MMC_API mmc_status *mmc_model_load_random(mmc_plan *plan, uint64_t seed, const mmc_weights_options *options,
                                          mmc_model **model);

MMC_API void mmc_model_free(mmc_model *model);

/* Ids whose embedding row is all zero, ascending: padding of the vocabulary that a sampler must never choose. Owned by
 * the model. */
MMC_API mmc_status *mmc_model_get_suppressed_tokens(const mmc_model *model, const int32_t **ids, size_t *count);

/* ----------------------------------------------------------------------------------------------------------------------
 * sessions */

/* One share of a parallel region: work(context, worker). */
typedef void (*mmc_parallel_work)(void *context, uint32_t worker);

/* A service's own threads: must call work(context, i) exactly once for every i in [0, workers), each possibly on
 * another thread and concurrently, and return when all have returned. Calls need not really overlap. */
typedef void (*mmc_parallel_for)(void *user, uint32_t workers, mmc_parallel_work work, void *context);

typedef struct mmc_session_options {
  size_t struct_size; /* sizeof(mmc_session_options) */
  uint32_t threads; /* 0: one per core that this process may use; with parallel_for: the `workers` it is called with */
  uint32_t max_sequences;        /* sequences that may exist at once; 0: the plan's max_num_seqs */
  uint64_t max_pages; /* KV pages of all sequences together; 0: enough for every sequence at full length, but on a device
                         no more than nine tenths of its free memory hold */
  mmc_parallel_for parallel_for; /* NULL: the session keeps threads of its own */
  void *parallel_user;           /* must outlive the session */
  int cuda_sync;                 /* not 0: on a device, wait after each launch, so that an error names its launch */
  int no_cuda_graphs;            /* not 0: on a device, launch the kernels of every step one by one; otherwise those of steps
                                    up to 256 tokens are captured per shape class and replayed, with the same bits */
} mmc_session_options;

/* Address space for state, pages, temporaries and logits is reserved here; memory is taken when it is first written. On
 * a device all of it is allocated here, but for the logits of a step, which are kept on the host.
 * Errors: USAGE, CAPACITY (address space, threads, memory of the device), FAILED (the device). `options` may be NULL.
 */
MMC_API mmc_status *mmc_session_create(mmc_model *model, const mmc_session_options *options, mmc_session **session);
MMC_API void mmc_session_free(mmc_session *session);

/* A new, empty sequence: position 0, state zero. Errors: CAPACITY (max_sequences). */
MMC_API mmc_status *mmc_sequence_create(mmc_session *session, mmc_sequence **sequence);
MMC_API void mmc_sequence_free(mmc_sequence *sequence);

/* Tokens that the sequence has seen. */
MMC_API uint64_t mmc_sequence_get_position(const mmc_sequence *sequence);

/* --------------------------------------------------------------------------------------------------------------------------
 * steps */

typedef enum mmc_logits {
  MMC_LOGITS_NONE = 0,
  MMC_LOGITS_LAST = 1, /* one row: after the entry's last token */
  MMC_LOGITS_ALL = 2   /* a row per token of the entry */
} mmc_logits;

/* The new tokens of one sequence: one when decoding, a chunk of the prompt when prefilling. */
typedef struct mmc_step_entry {
  mmc_sequence *sequence;
  const int32_t *tokens;
  size_t token_count; /* at least 1 */
  mmc_logits logits;
} mmc_step_entry;

typedef struct mmc_step {
  size_t struct_size; /* sizeof(mmc_step) */
  size_t entry_size;  /* sizeof(mmc_step_entry) */
  const mmc_step_entry *entries;
  size_t entry_count; /* at least 1 */
} mmc_step;

/* Runs the entries' tokens through the model and advances their sequences. Entries may mix chunks and single tokens in
 * any order; an answer does not depend on which others are in the step. Arguments are checked before anything changes.
 * Errors: USAGE (no entry, no token, a sequence twice or of another session, an id outside the vocabulary, a broken
 * sequence), CAPACITY (max_num_seqs, max_num_batched_tokens, max_model_len, pages), CANCELLED, FAILED (the device).
 * After CANCELLED or FAILED the step's sequences are broken and can only be freed, unless the message says that the
 * step had not begun: then nothing has changed. An error that ends the device's context ends its sessions and models:
 * every later call fails at once with the same status, and a new process goes on from snapshots. */
MMC_API mmc_status *mmc_session_step(mmc_session *session, const mmc_step *step);

/* The logits of entry `entry` of the last successful step: `rows` rows of `vocabulary` floats, one after the other (0
 * rows for MMC_LOGITS_NONE). Owned by the session, valid until its next step. */
MMC_API mmc_status *mmc_session_get_logits(const mmc_session *session, size_t entry, const float **logits,
                                           size_t *rows);

/* Makes the step that is running in another thread return CANCELLED soon; if none is running, the next one. Any thread,
 * any time. */
MMC_API void mmc_session_cancel(mmc_session *session);

/* ----------------------------------------------------------------------------------------------------------------------
 * snapshots */

/* A snapshot is a sequence's position, state and KV pages, bound to the plan and the weights by digest. Restored in
 * this or another process, the sequence continues bitwise as if it had not stopped. */

/* Bytes of a snapshot of the sequence as it is now. */
MMC_API uint64_t mmc_sequence_get_snapshot_size(const mmc_sequence *sequence);

/* Writes it into `buffer` of `size` bytes (at least the above; CAPACITY otherwise). Errors: USAGE (a broken sequence).
 */
MMC_API mmc_status *mmc_sequence_snapshot(const mmc_sequence *sequence, void *buffer, uint64_t size);

/* Writes it to a file, atomically: a temporary file in the same folder, synchronised, then renamed. */
MMC_API mmc_status *mmc_sequence_snapshot_file(const mmc_sequence *sequence, const char *path);

/* A new sequence from a snapshot. Errors: INTEGRITY (truncated, altered), INCOMPATIBLE (another plan, other weights),
 * CAPACITY. */
MMC_API mmc_status *mmc_sequence_restore(mmc_session *session, const void *data, uint64_t size,
                                         mmc_sequence **sequence);
MMC_API mmc_status *mmc_sequence_restore_file(mmc_session *session, const char *path, mmc_sequence **sequence);

#ifdef __cplusplus
}
#endif

#endif /* MMC_C_RUNTIME_H */
