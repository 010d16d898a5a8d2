// The pass from tile programs to plans.
#ifndef MMC_TILE_TO_PLAN_PASSES
#define MMC_TILE_TO_PLAN_PASSES

include "mlir/Pass/PassBase.td"

def TileToPlan : Pass<"mmc-tile-to-plan", "::mlir::ModuleOp"> {
  let summary = "turns a program of tile launches into a plan: buffers with offsets, pools, shape classes";
  let description = [{
    Replaces the module's model.program by a plan.module. Launches get argument records, results get arena buffers
    placed by liveness, states get pools, @main is cut into the programs @body and @head where rows are selected for
    logits, and one entry point is laid out for each class of tokens and sequences (powers of two up to the limits).

    ```mlir
    %n = tile.launch @norm(%x, %g) tied [-1] : ...
    // becomes
    plan.launch @cpu::@norm [#plan.bind<buffer, @stream>, #plan.bind<weight, @gain>, #plan.bind<buffer, @n, written>]
        domain [#plan.extent<tokens>]
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"cpu\"", "cpu, cuda or cuda-emu">,
    Option<"dtype", "dtype", "std::string", "\"float32\"", "activation type: float32 or bfloat16">,
    Option<"maxModelLen", "max-model-len", "uint64_t", "32768", "longest sequence in tokens">,
    Option<"maxNumSeqs", "max-num-seqs", "uint32_t", "16", "sequences of one step">,
    Option<"maxNumBatchedTokens", "max-num-batched-tokens", "uint32_t", "4096", "tokens of one step">,
    Option<"recurrenceBlock", "recurrence-block", "uint32_t", "64", "tokens of one block of the linear recurrence">,
    Option<"pageTokens", "page-tokens", "uint32_t", "64", "positions of one page of the KV cache">
  ];
  let dependentDialects = ["::mmc::planir::PlanDialect"];
}

def BranchLaunches : Pass<"mmc-branch-launches", "::mlir::ModuleOp"> {
  let summary = "gives launches over sequences that prefill and over those that decode branches of their own";
  let description = [{
    Launches next to each other, each over one work list of prefill or of decode, get branches 1 and 2 by that where no
    two of different lists touch a byte that either writes: the same buffer or pool is touched by both kernels in rows
    or slots of their own records only, other buffers lie apart in every entry point.

    ```mlir
    plan.launch @cuda::@prefill [..., #plan.bind<work_list, @prefill>] domain [#plan.extent<work, @prefill>] branch 1
    plan.launch @cuda::@decode [..., #plan.bind<work_list, @decode>] domain [#plan.extent<work, @decode>] branch 2
    ```
  }];
}

#endif
