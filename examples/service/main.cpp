// A service in a hundred lines: requests come in on stdin, one line of token ids each, and are answered together. Every
// step takes one token of each running answer and a chunk of each new prompt, so that a long prompt does not keep the
// others waiting.
//
//   mmc_service MODEL.plan CHECKPOINT_FOLDER|random MAX_TOKENS < requests
//
// A real service would put its network layer where stdin is read, and a tokenizer and a sampler where ids are read and
// the best is taken.
#include <mmc/mmc.hpp>

#include <algorithm>
#include <iostream>
#include <list>
#include <sstream>

namespace {

struct Request {
  size_t number;
  std::vector<int32_t> tokens; // prompt, then answer
  size_t prompt, fed = 0;
  mmc::Sequence sequence;
};

std::vector<int32_t> parseIds(std::string line) {
  std::replace(line.begin(), line.end(), ',', ' ');
  std::istringstream in(line);
  std::vector<int32_t> ids;
  for (int32_t id; in >> id;) ids.push_back(id);
  return ids;
}

class Service {
public:
  Service(const std::string &planPath, const std::string &weights, size_t maxTokens)
      : plan(planPath), model(weights == "random" ? mmc::Model(plan, 0) : mmc::Model(plan, weights)), session(model),
        info(plan.info()), maxTokens(maxTokens) {
    for (int32_t id : model.suppressedTokens()) suppressed.push_back(id);
  }

  void run(std::istream &in) {
    for (;;) {
      std::string line;
      while (running.size() < info.max_num_seqs && std::getline(in, line)) accept(parseIds(line));
      if (running.empty()) return;
      step();
    }
  }

private:
  void accept(std::vector<int32_t> ids) {
    const size_t number = accepted++;
    if (ids.empty() || ids.size() + maxTokens > info.max_model_len) {
      std::cout << number << ": refused, " << ids.size() << " tokens\n";
      return;
    }
    const size_t prompt = ids.size();
    running.push_back({number, std::move(ids), prompt, 0, mmc::Sequence(session)});
  }

  void step() {
    // Each request gets a fair share of the step; an answer needs one token, a prompt takes what it can.
    const size_t share = std::max<size_t>(1, info.max_num_batched_tokens / running.size());
    std::vector<mmc::Entry> entries;
    for (Request &request : running) {
      const size_t count = std::min(share, request.tokens.size() - request.fed);
      const bool whole = request.fed + count == request.tokens.size();
      entries.push_back(
          {request.sequence, {request.tokens.data() + request.fed, count}, whole ? MMC_LOGITS_LAST : MMC_LOGITS_NONE});
      request.fed += count;
    }
    session.step(entries);
    size_t entry = 0;
    for (auto request = running.begin(); request != running.end();) {
      const std::span<const float> logits = session.logits(entry++, info.vocabulary);
      request = !logits.empty() && choose(*request, logits) ? running.erase(request) : std::next(request);
    }
  }

  /// Appends the likeliest id; prints the answer and returns true when it is complete.
  bool choose(Request &request, std::span<const float> logits) {
    int32_t best = -1;
    for (int32_t id = 0; id < int32_t(info.vocabulary); ++id)
      if (!std::binary_search(suppressed.begin(), suppressed.end(), id) &&
          (best < 0 || logits[size_t(id)] > logits[size_t(best)]))
        best = id;
    const bool stop = std::find(info.stop_tokens, info.stop_tokens + info.stop_token_count, best) !=
                      info.stop_tokens + info.stop_token_count;
    if (!stop) request.tokens.push_back(best);
    if (!stop && request.tokens.size() < request.prompt + maxTokens) return false;
    std::cout << request.number << ":";
    for (size_t i = request.prompt; i < request.tokens.size(); ++i) std::cout << " " << request.tokens[i];
    std::cout << "\n";
    return true;
  }

  mmc::Plan plan;
  mmc::Model model;
  mmc::Session session;
  mmc_plan_info info;
  size_t maxTokens, accepted = 0;
  std::vector<int32_t> suppressed;
  std::list<Request> running;
};

} // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    std::cerr << "usage: mmc_service MODEL.plan CHECKPOINT_FOLDER|random MAX_TOKENS < requests\n";
    return MMC_STATUS_USAGE;
  }
  try {
    Service(argv[1], argv[2], std::stoul(argv[3])).run(std::cin);
    return 0;
  } catch (const mmc::Error &error) {
    std::cerr << "mmc_service: error: " << error.identifier() << ": " << error.what() << "\nhint: " << error.hint()
              << "\n";
    return error.code();
  }
}
