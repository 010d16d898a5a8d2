// Conversion of dispatches to tile kernels and launches, one pass per kind of dispatch, and the check at the end.
#ifndef MMC_MODEL_TO_TILE_PASSES
#define MMC_MODEL_TO_TILE_PASSES

include "mlir/Pass/PassBase.td"

defvar TileProgramDialects = ["::mmc::model::ModelDialect", "::mmc::tile::TileDialect", "::mlir::arith::ArithDialect",
                              "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"];

def SplitLightningAttention : Pass<"mmc-split-lightning-attention", "::mmc::model::ProgramOp"> {
  let summary = "linear attention to a prefill kernel with the block loop and a decode kernel";
  let description = [{
    The prefill kernel walks a sequence in blocks: the intra-block left product under the decay mask, the inter-block
    right product with the carried state, the state update. The decode kernel is the same for one row. Both launches
    follow each other, each over its own work list, on one output tensor and one state. With prefill-points a long
    prompt is shared out in segments: a kernel before the prefill kernel leaves what each adds to the state.
    update = additive with decay = none or head; the other members of the family are refused by name.

    ```mlir
    // before
    %y, %s1 = model.dispatch -> ... { model.linear_attention additive, head %q, %k, %v, %batch rate %g state %s0 }

    // after
    %o, %s = tile.launch @lightning_prefill_c64_4x32x32_f32(%u, %g, %s0) tied [-1, 2]
    %y, %s1 = tile.launch @lightning_decode_4x32x32_f32(%u, %g, %o, %s) tied [2, 3]
    ```
  }];
  let dependentDialects = TileProgramDialects;
  let options = [
    Option<"block", "block", "int64_t", "64", "rows of a block of the recurrence: 32, 64, 128 or 256">,
    Option<"prefillPoints", "prefill-points", "int64_t", "0",
           "work points wanted where one prompt runs alone: its rows are shared out in segments; 0: no segments">,
    Option<"segmentTokens", "segment-tokens", "int64_t", "1024", "the fewest tokens for which a segment is worth it">,
    Option<"maxStepTokens", "max-step-tokens", "int64_t", "16384", "tokens of the largest step">
  ];
}

def SplitAttention : Pass<"mmc-split-attention", "::mmc::model::ProgramOp"> {
  let summary = "softmax attention to an append kernel and two kernels over a paged cache";
  let description = [{
    The append kernel writes the step's keys and values to their pages, rotating them where the dispatch has their rope;
    angles are a table of the step's, which a launch in front makes, or formed where they are needed (append-by=heads);
    the attention kernels walk the cached positions in blocks with an online softmax, for tiles of prefilled rows and
    for single rows. With decode-points the positions of a single row are shared out among work points, at most as many
    as make so many points of one sequence, and one more kernel combines the parts; not under a window.

    ```mlir
    %y, %k1, %v1 = model.dispatch -> ... { model.attention %q, %k, %v, %batch cache(%k0, %v0) scale 0.125 }   // before

    %ka, %va = tile.launch @append_2x32_f32(%k, %v, %k0, %v0) tied [2, 3]                                     // after
    %o, %kb, %vb = tile.launch @attention_prefill_q16_4x2x32_f32(%q, %ka, %va) tied [-1, 1, 2]
    %y, %k1, %v1 = tile.launch @attention_decode_4x2x32_f32(%q, %o, %kb, %vb) tied [1, 2, 3]
    ```
  }];
  let dependentDialects = TileProgramDialects;
  let options = [
    Option<"queryTile", "query-tile", "int64_t", "16", "query rows of a prefill tile">,
    Option<"pageTokens", "page-tokens", "int64_t", "64", "positions of a cache page">,
    Option<"maxModelLen", "max-model-len", "int64_t", "32768",
           "longest sequence in tokens, which sizes the page table">,
    Option<"keyLayout", "key-layout", "std::string", "\"channels\"",
           "order of keys in a page: channels (channel-major, for the CPU) or positions (for CUDA)">,
    Option<"appendBy", "append-by", "std::string", "\"rows\"",
           "work points of the append kernel: rows (for the CPU), or heads (for CUDA), which form their own angles">,
    Option<"decodePoints", "decode-points", "int64_t", "0",
           "work points wanted where one sequence decodes alone: its positions are shared out in parts; 0: no parts">,
    Option<"decodePart", "decode-part", "int64_t", "512", "the fewest positions for which a part is worth it">
  ];
}

def TileLinear : Pass<"mmc-tile-linear", "::mmc::model::ProgramOp"> {
  let summary = "dense and grouped products, with their epilogues, to panel kernels";
  let description = [{
    A work point is a panel of 64 output columns, of one expert where the product is grouped; it walks the rows in
    blocks.

    ```mlir
    %s = model.dispatch -> ... { model.linear %x, %w; model.silu }    // before

    %s = tile.launch @linear_silu_384x64_f32(%x, %w) tied [-1]        // after
    ```
  }];
  let dependentDialects = TileProgramDialects;
  let options = [
    Option<"rowBlock", "row-block", "int64_t", "48", "rows of a block">,
    Option<"weightLayout", "weight-layout", "std::string", "\"panels\"",
           "how weights lie in memory: panels (for the CPU) or rows (for CUDA)">
  ];
}

def TileRoute : Pass<"mmc-tile-route", "::mmc::model::ProgramOp"> {
  let summary = "routers to kernels: softmax over the experts, top k, renormalised";
  let description = [{
    A work point is a token. With the norm of its rows in the dispatch (mmc-fuse-router) the kernel is
    @rms_norm_route_..., and the normalised rows are its first result.

    ```mlir
    %w, %e = model.dispatch -> ... { model.route %x, %gate top 2 }          // before

    %w, %e = tile.launch @route_4x64_top2_f32(%x, %gate) tied [-1, -1]      // after
    ```
  }];
  let dependentDialects = TileProgramDialects;
  let options = [Option<"weightLayout", "weight-layout", "std::string", "\"panels\"",
                        "how the gate lies in memory: panels (for the CPU) or rows (for CUDA)">];
}

def TilePermute : Pass<"mmc-tile-permute", "::mmc::model::ProgramOp"> {
  let summary = "the sorting of routes by expert to a kernel of scalar loops, or of a work point per expert";
  let description = [{
    The program gets the attribute routes_per_token, which bounds the row space routes. Both kernels write the same.

    ```mlir
    %offsets, %source, %position = model.dispatch -> ... { model.permute %experts }              // before

    %offsets, %source, %position = tile.launch @permute_4_top2(%experts) tied [-1, -1, -1]       // after
    ```
  }];
  let dependentDialects = TileProgramDialects;
  let options = [Option<"points", "points", "std::string", "\"all\"",
                        "work points: all (one, with scalar loops, for the CPU) or experts (one each, for CUDA)">];
}

def TileRows : Pass<"mmc-tile-rows", "::mmc::model::ProgramOp"> {
  let summary = "norms, residuals, embedding, combine, gather, select, rope and elementwise ops to row kernels";
  let description = [{
    A work point is one row. A rope's kernel reads the table of cosines and sines that one launch per function makes
    from the positions.

    ```mlir
    %n = model.dispatch -> ... { model.rms_norm %x, %g eps 1.0e-5 }    // before

    %n = tile.launch @rms_norm_64_f32(%x, %g) tied [-1]                // after
    ```
  }];
  let dependentDialects = TileProgramDialects;
}

def VerifyTileLevel : Pass<"mmc-verify-tile-level", "::mmc::model::ProgramOp"> {
  let summary = "asserts that functions contain launches and names of data only";
  let description = [{
    Reshapes and constants that nothing uses any more go first. What then is neither tile.launch nor model.weight,
    model.concat, model.row, model.stack or model.return is an error: no op of the model level may be left.

    ```mlir
    model.func @main(%ids, %batch) {          // passes
      %w = model.weight "lm_head.weight" : tensor<320x64xf32>
      %y = tile.launch @linear_320x64_f32(%x, %w) tied [-1] : ...
      model.return %y
    }
    ```
  }];
  let dependentDialects = TileProgramDialects;
}

#endif
