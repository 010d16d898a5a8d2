// Implements measurements. Ids are of no meaning: any of the vocabulary do.
#include "tools/mmc-plan-check/PlanCheck.h"

#include <algorithm>
#include <chrono>
#include <functional>

namespace mmc::plancheck {

namespace {

double secondsOf(const std::function<void()> &work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<int32_t> idsOf(size_t count, uint32_t vocabulary) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = int32_t((i * 7919 + 13) % vocabulary);
  return ids;
}

void feed(Session &session, Sequence &sequence, std::span<const int32_t> ids, const mmc_plan_info &info) {
  for (size_t at = 0; at < ids.size(); at += info.max_num_batched_tokens) {
    const size_t count = std::min<size_t>(info.max_num_batched_tokens, ids.size() - at);
    session.step({{sequence, ids.subspan(at, count), at + count == ids.size() ? MMC_LOGITS_LAST : MMC_LOGITS_NONE}});
  }
}

mmc_session_options optionsOf(const Request &request) {
  mmc_session_options options{};
  options.no_cuda_graphs = request.eager;
  return options;
}

json measurePrompt(const Model &model, const mmc_plan_info &info, size_t length, const Request &request) {
  const std::vector<int32_t> ids = idsOf(length, info.vocabulary);
  Session session(model, optionsOf(request));
  std::vector<double> seconds;
  for (size_t i = 0; i <= request.repeats; ++i) {
    Sequence sequence(session);
    const double one = secondsOf([&] { feed(session, sequence, ids, info); });
    if (i) seconds.push_back(one); // the first run warms up
  }
  const double middle = median(seconds);
  return {{"prompt", length}, {"seconds", middle}, {"tokens_per_second", double(length) / middle}};
}

json measureDecode(const Model &model, const mmc_plan_info &info, size_t count, const Request &request) {
  const std::vector<int32_t> prompt = idsOf(request.depth, info.vocabulary);
  Session session(model, optionsOf(request));
  std::vector<Sequence> sequences;
  for (size_t i = 0; i < count; ++i) {
    sequences.emplace_back(session);
    feed(session, sequences.back(), prompt, info);
  }
  std::vector<Entry> entries;
  const int32_t id = 17 % int32_t(info.vocabulary);
  for (Sequence &sequence : sequences) entries.push_back({sequence, std::span(&id, 1), MMC_LOGITS_LAST});
  std::vector<double> seconds;
  for (size_t i = 0; i < request.steps + 2; ++i) {
    const double one = secondsOf([&] { session.step(entries); });
    if (i >= 2) seconds.push_back(one); // capture and the first replay are not of interest
  }
  const double middle = median(seconds);
  json result = {{"sequences", count}, {"seconds", middle}, {"tokens_per_second", double(count) / middle}};
  if (count == 1 && request.bandwidth > 0) {
    // A step reads every active weight once; weights take the plan's bytes per parameter on the average.
    const double bytes = double(info.weights_bytes) * double(info.parameters_active) /
                         double(std::max<uint64_t>(1, info.parameters_total));
    result["part_of_bandwidth"] = bytes / middle / request.bandwidth;
  }
  return result;
}

} // namespace

json measure(const Model &model, const mmc_plan_info &info, const Request &request) {
  json prompts = json::array(), decoding = json::array();
  for (size_t length : request.prompts) prompts.push_back(measurePrompt(model, info, length, request));
  for (size_t count : request.sequences) decoding.push_back(measureDecode(model, info, count, request));
  return {{"prompts", prompts}, {"decode", decoding}, {"depth", request.depth}, {"bandwidth", request.bandwidth}};
}

} // namespace mmc::plancheck
