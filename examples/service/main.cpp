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
#include <charconv>
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

/// Ids separated by commas or white space; throws with what is wrong. The runtime checks their range.
std::vector<int32_t> parseIds(std::string line) {
  std::replace(line.begin(), line.end(), ',', ' ');
  std::istringstream in(line);
  std::vector<int32_t> ids;
  for (std::string word; in >> word;) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), ids.emplace_back());
    if (error != std::errc() || end != word.data() + word.size())
      throw std::runtime_error("'" + word + "' is no token id");
  }
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
      while (running.size() < info.max_num_seqs && std::getline(in, line)) accept(line);
      if (running.empty()) return;
      std::vector<std::list<Request>::iterator> all;
      for (auto request = running.begin(); request != running.end(); ++request) all.push_back(request);
      step(all);
    }
  }

private:
  void accept(const std::string &line) {
    const size_t number = accepted++;
    try {
      std::vector<int32_t> ids = parseIds(line);
      if (ids.empty() || ids.size() + maxTokens > info.max_model_len)
        throw std::runtime_error(std::to_string(ids.size()) + " tokens");
      const size_t prompt = ids.size();
      running.push_back({number, std::move(ids), prompt, 0, mmc::Sequence(session)});
    } catch (const std::runtime_error &error) {
      std::cout << number << ": refused, " << error.what() << std::endl;
    }
  }

  /// Takes these requests a step on. A failed step changes nothing: each is then tried alone, and who fails is dropped.
  void step(const std::vector<std::list<Request>::iterator> &requests) {
    // Each request gets a fair share of the step; an answer needs one token, a prompt takes what it can.
    const size_t share = std::max<size_t>(1, info.max_num_batched_tokens / requests.size());
    std::vector<mmc::Entry> entries;
    for (auto request : requests) {
      const std::span<const int32_t> rest = std::span(request->tokens).subspan(request->fed);
      const bool whole = rest.size() <= share;
      entries.push_back(
          {request->sequence, rest.first(whole ? rest.size() : share), whole ? MMC_LOGITS_LAST : MMC_LOGITS_NONE});
    }
    try {
      session.step(entries);
    } catch (const mmc::Error &error) {
      if (requests.size() == 1) {
        std::cout << requests[0]->number << ": refused, " << error.what() << std::endl;
        running.erase(requests[0]);
      } else {
        for (auto request : requests) step({request});
      }
      return;
    }
    for (size_t entry = 0; entry < requests.size(); ++entry) {
      requests[entry]->fed += entries[entry].tokens.size();
      const std::span<const float> logits = session.logits(entry, info.vocabulary);
      if (!logits.empty() && choose(*requests[entry], logits)) running.erase(requests[entry]);
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
    std::cout << std::endl;
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
  uint32_t maxTokens = 0; // 32 bits: a prompt's length is added to it
  const std::string count = argc == 4 ? argv[3] : "";
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), maxTokens);
  if (error != std::errc() || end != count.data() + count.size() || maxTokens == 0) {
    std::cerr << "usage: mmc_service MODEL.plan CHECKPOINT_FOLDER|random MAX_TOKENS < requests\n";
    return MMC_STATUS_USAGE;
  }
  try {
    Service(argv[1], argv[2], maxTokens).run(std::cin);
    return 0;
  } catch (const mmc::Error &error) {
    std::cerr << "mmc_service: error: " << error.identifier() << ": " << error.what() << "\nhint: " << error.hint()
              << "\n";
    return error.code();
  }
}
