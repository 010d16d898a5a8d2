/* The whole C interface in one C11 program: load, weights, session, step, logits, snapshot, restore. The second
 * sequence continues from the first one's snapshot and must give the same bits. */
#include "mmc-c/Runtime.h"
#include "mmc-c/Status.h"
#include "mmc-c/Version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(mmc_status *status, int line) {
  if (!status) return;
  fprintf(stderr, "line %d: %s: %s (%s); hint: %s\n", line, mmc_status_get_identifier(status),
          mmc_status_get_message(status), mmc_status_get_cause(status), mmc_status_get_hint(status));
  exit((int)mmc_status_get_code(status));
}
#define CHECK(call) check(call, __LINE__)
#define EXPECT(condition)                                                                                              \
  if (!(condition)) {                                                                                                  \
    fprintf(stderr, "line %d: expected %s\n", __LINE__, #condition);                                                   \
    return 1;                                                                                                          \
  }

static int progressCalls = 0;
static int progress(void *user, uint64_t done, uint64_t total) {
  ++progressCalls;
  return user == &progressCalls && done <= total;
}

static const float *step(mmc_session *session, mmc_sequence *sequence, const int32_t *tokens, size_t count,
                         mmc_logits wanted, size_t *rows) {
  mmc_step_entry entry;
  mmc_step record;
  const float *logits = NULL;
  entry.sequence = sequence;
  entry.tokens = tokens;
  entry.token_count = count;
  entry.logits = wanted;
  record.struct_size = sizeof record;
  record.entry_size = sizeof entry;
  record.entries = &entry;
  record.entry_count = 1;
  CHECK(mmc_session_step(session, &record));
  CHECK(mmc_session_get_logits(session, 0, &logits, rows));
  return logits;
}

int main(int argc, char **argv) {
  const int32_t prompt[] = {5, 17, 3, 1}, next[] = {9};
  mmc_plan *plan = NULL;
  mmc_model *model = NULL;
  mmc_session *session = NULL;
  mmc_sequence *first = NULL, *second = NULL;
  mmc_plan_info info = {0};
  mmc_weights_options weights = {0};
  mmc_session_options options = {0};
  float expected[48];
  size_t rows = 0, suppressed = 9;
  const int32_t *ids = NULL;
  uint64_t size;
  void *snapshot;
  uint32_t major = 0, minor = 9;

  EXPECT(argc == 2);
  EXPECT(strcmp(mmc_version_string(), "0.1.0") == 0);
  mmc_plan_format_version(&major, &minor);
  EXPECT(major == 1);
  CHECK(mmc_plan_verify(argv[1]));
  CHECK(mmc_plan_load(argv[1], NULL, &plan));
  info.struct_size = sizeof info;
  CHECK(mmc_plan_get_info(plan, &info));
  EXPECT(info.vocabulary == 48 && strlen(info.digest) == 64 && info.stop_token_count == 1 && info.stop_tokens[0] == 2);

  weights.struct_size = sizeof weights;
  weights.threads = 2;
  weights.progress = progress;
  weights.progress_user = &progressCalls;
  CHECK(mmc_model_load_random(plan, 7, &weights, &model));
  EXPECT(progressCalls > 0);
  CHECK(mmc_model_get_suppressed_tokens(model, &ids, &suppressed));
  EXPECT(suppressed == 0);

  options.struct_size = sizeof options;
  options.threads = 2;
  CHECK(mmc_session_create(model, &options, &session));
  CHECK(mmc_sequence_create(session, &first));
  (void)step(session, first, prompt, 4, MMC_LOGITS_NONE, &rows);
  EXPECT(rows == 0 && mmc_sequence_get_position(first) == 4);

  size = mmc_sequence_get_snapshot_size(first);
  snapshot = malloc(size);
  EXPECT(snapshot != NULL);
  CHECK(mmc_sequence_snapshot(first, snapshot, size));
  memcpy(expected, step(session, first, next, 1, MMC_LOGITS_LAST, &rows), sizeof expected);
  EXPECT(rows == 1);
  CHECK(mmc_sequence_restore(session, snapshot, size, &second));
  EXPECT(mmc_sequence_get_position(second) == 4);
  EXPECT(memcmp(expected, step(session, second, next, 1, MMC_LOGITS_LAST, &rows), sizeof expected) == 0);

  /* In the order that keeps each alive through the others only. */
  mmc_plan_free(plan);
  mmc_model_free(model);
  mmc_session_free(session);
  mmc_sequence_free(first);
  mmc_sequence_free(second);
  free(snapshot);
  puts("ok");
  return 0;
}
