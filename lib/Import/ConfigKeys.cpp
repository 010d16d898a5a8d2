// Every key of a configuration is read, known to leave the answers alone, or refused: what comes with the next model of
// the family must not be passed over. The lists are of the released files, the native class, and what the library that
// writes these files adds to each.
#include "lib/Import/ConfigKeys.h"

using namespace mmc::import;

namespace {

/// A feature that the model here does not have, with the values that ask for nothing.
struct Restriction {
  const char *field;
  std::initializer_list<const char *> allowed; // as JsonValue::text prints them; null and absence are always allowed
};

const Restriction kRestrictions[] = {
    // Projections and embeddings.
    {"hidden_act", {"\"silu\"", "\"swish\""}},
    {"tie_word_embeddings", {"false"}},
    {"attention_bias", {"false"}},
    {"qkv_bias", {"false"}},
    {"use_bias", {"false"}},
    {"mlp_bias", {"false"}},
    {"lm_head_bias", {"false"}},
    {"quantization_config", {}},
    {"pruned_heads", {"{}"}},
    {"per_layer_config", {"{}"}},
    // Scales: 1 multiplies by nothing.
    {"logit_scale", {"1"}},
    {"logits_scaling", {"1"}},
    {"embedding_multiplier", {"1"}},
    {"residual_multiplier", {"1"}},
    {"scale_emb", {"1"}},
    {"attention_multiplier", {}},
    {"final_logit_softcapping", {}},
    {"attn_logit_softcapping", {}},
    // Attention.
    {"sliding_window", {}},
    {"use_sliding_window", {"false"}},
    {"attn_window_size", {}},
    {"clip_qkv", {}},
    {"use_qk_norm", {"false"}},
    {"qk_norm", {"false"}},
    {"use_attention_sinks", {"false"}},
    {"rope_interleaved", {"false"}},
    {"rope_interleave", {"false"}},
    // Mixture of experts: every layer has one, without groups, biases and factors.
    {"num_mtp_modules", {"0"}},
    {"num_nextn_predict_layers", {"0"}},
    {"n_shared_experts", {"0"}},
    {"num_shared_experts", {"0"}},
    {"norm_topk_prob", {"true"}},
    {"scoring_func", {"\"softmax\""}},
    {"use_routing_bias", {"false"}},
    {"routed_scaling_factor", {"1"}},
    {"moe_layer_freq", {"1"}},
    {"first_k_dense_replace", {"0"}},
    {"mlp_only_layers", {"[]"}},
    {"n_group", {"1"}},
    {"topk_group", {"1"}},
    {"topk_method", {"\"greedy\""}},
    // Another kind of model.
    {"is_encoder_decoder", {"false"}},
    {"add_cross_attention", {"false"}},
    {"cross_attention_hidden_size", {}},
    {"tie_encoder_decoder", {"false"}},
};

/// Keys whose value, whatever it is, changes no logit.
const char *const kHarmless[] = {
    // Names, versions and types of files; auto_map names code, which is never executed.
    "auto_map", "custom_pipelines", "transformers_version", "_name_or_path", "name_or_path", "_commit_hash",
    "tokenizer_class", "finetuning_task", "task_specific_params", "id2label", "label2id", "num_labels", "problem_type",
    // How the writing library runs the model: outputs that it returns beside the logits, choice of kernels, chunks.
    "use_cache", "is_decoder", "output_attentions", "output_hidden_states", "output_router_logits", "output_scores",
    "output_logits", "return_dict", "return_dict_in_generate", "torchscript", "use_bfloat16", "tf_legacy_loss",
    "chunk_size_feed_forward", "attn_implementation", "_attn_implementation", "_attn_implementation_autoset",
    "_experts_implementation", "pretraining_tp",
    // Training only.
    "initializer_range", "attention_dropout", "attn_dropout", "hidden_dropout", "residual_dropout", "resid_pdrop",
    "embd_pdrop", "attn_pdrop", "classifier_dropout", "dropout", "router_jitter_noise", "router_aux_loss_coef",
    "router_z_loss_coef", "aux_loss_alpha",
    // How the shared expert is mixed in, which shared_intermediate_size 0 says there is none of.
    "shared_moe_mode",
    // Ids that tokenizers and padded batches use. (Stop tokens are read.)
    "bos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id", "prefix",
    // Defaults of sampling that old files carry: who runs the model says how tokens are chosen.
    "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty",
    "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "remove_invalid_values",
    "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id",
    "forced_eos_token_id"};

} // namespace

void mmc::import::checkRestrictions(ConfigReader &reader) {
  for (const Restriction &restriction : kRestrictions) {
    const JsonValue *value = reader.find(restriction.field);
    if (!value) continue;
    bool allowed = false;
    std::string expected;
    for (const char *text : restriction.allowed) {
      allowed |= value->text() == text;
      expected += (expected.empty() ? "" : " or ") + std::string(text);
    }
    if (!allowed)
      reader.refuse(kConfigUnsupported, restriction.field,
                    "is " + value->text() + ", which is not supported" +
                        (expected.empty() ? "; expected it absent or null" : "; expected " + expected));
  }
  // The shared expert: an integer, or a list per layer or of one element.
  if (const JsonValue *shared = reader.find("shared_intermediate_size")) {
    bool zero = shared->kind == JsonValue::Kind::integer && shared->integer == 0;
    if (shared->kind == JsonValue::Kind::array) {
      zero = true;
      for (const JsonValue &item : shared->items) zero &= item.kind == JsonValue::Kind::integer && item.integer == 0;
    }
    if (!zero)
      reader.refuse(kConfigUnsupported, "shared_intermediate_size",
                    "is " + shared->text() + ": shared experts are not supported; expected 0");
  }
}

void mmc::import::refuseUnknownKeys(ConfigReader &reader) {
  for (const char *field : kHarmless) reader.allow(field);
  reader.refuseUnread();
}
