// Every kind of failure of the runtime: number, class and fallback hint. Numbers are stable: they are searched for and
// never reused.
//
//   E01xx files and the plan container   E02xx plan metadata   E03xx host object, device images   E04xx weights
//   E05xx sessions and steps   E06xx snapshots   E07xx CUDA driver   E00xx everything else
#pragma once

#include "runtime/src/Status.h"

namespace mmc::runtime {

inline constexpr ErrorKind kMemoryExhausted{
    1, StatusCode::capacity, "free memory, or lower --max-num-seqs, --max-model-len or the number of pages"};
inline constexpr ErrorKind kBadArgument{2, StatusCode::usage, "see the function's comment in mmc-c/Runtime.h"};
inline constexpr ErrorKind kThreadFailed{3, StatusCode::failed, "ask for fewer threads"};
inline constexpr ErrorKind kInternal{4, StatusCode::failed, "report this with the plan's digest"};

inline constexpr ErrorKind kCannotOpen{100, StatusCode::failed, "check the path and its permissions"};
inline constexpr ErrorKind kCannotRead{101, StatusCode::failed, "check the disk"};
inline constexpr ErrorKind kCannotWrite{102, StatusCode::failed, "check free space and permissions of the folder"};
inline constexpr ErrorKind kNotAPlan{110, StatusCode::integrity, "give a file that `mmc compile` wrote"};
inline constexpr ErrorKind kPlanTruncated{111, StatusCode::integrity, "copy the file again, or compile it again"};
inline constexpr ErrorKind kPlanVersion{112, StatusCode::incompatible,
                                        "compile the model again with the mmc version that runs it"};
inline constexpr ErrorKind kSegmentTable{113, StatusCode::integrity, "copy the file again, or compile it again"};
inline constexpr ErrorKind kPlanDigest{114, StatusCode::integrity, "copy the file again, or compile it again"};
inline constexpr ErrorKind kPlanPadding{115, StatusCode::integrity, "copy the file again, or compile it again"};

inline constexpr ErrorKind kMetadataForm{200, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kMetadataValue{201, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kRequiredFeature{202, StatusCode::incompatible, "use a newer runtime"};
inline constexpr ErrorKind kUnsupportedTarget{203, StatusCode::incompatible,
                                              "compile the model for a target of this runtime"};

inline constexpr ErrorKind kHostObjectForm{300, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kHostObjectSymbol{301, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kHostCodeRefused{302, StatusCode::incompatible,
                                            "load without --no-host-code if you trust where the plan comes from"};
inline constexpr ErrorKind kVariantMissing{303, StatusCode::incompatible,
                                           "choose a variant that the plan has and this machine executes"};
inline constexpr ErrorKind kCannotMapCode{304, StatusCode::failed,
                                          "the process must be allowed to map code from memory (memfd, /proc)"};
inline constexpr ErrorKind kHostObjectRecord{305, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kDeviceImageForm{310, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kDeviceImageSymbol{311, StatusCode::integrity, "compile the model again"};
inline constexpr ErrorKind kDeviceImageLaunch{312, StatusCode::integrity, "compile the model again"};

inline constexpr ErrorKind kNoCheckpoint{400, StatusCode::failed,
                                         "give a folder with model.safetensors or model.safetensors.index.json"};
inline constexpr ErrorKind kSafetensorsHeader{401, StatusCode::integrity, "download the file again"};
inline constexpr ErrorKind kSafetensorsTensor{402, StatusCode::integrity,
                                              "download the file again, or export it again"};
inline constexpr ErrorKind kSafetensorsTruncated{403, StatusCode::integrity, "download the file again"};
inline constexpr ErrorKind kNotSafetensors{404, StatusCode::integrity,
                                           "download the file itself: `git lfs pull`, or the hub's resolve URL"};
inline constexpr ErrorKind kSafetensorsIndex{405, StatusCode::integrity, "download the whole checkpoint again"};
inline constexpr ErrorKind kWeightMissing{410, StatusCode::incompatible,
                                          "give the checkpoint that the plan was compiled for"};
inline constexpr ErrorKind kWeightShape{411, StatusCode::incompatible,
                                        "give the checkpoint that the plan was compiled for"};
inline constexpr ErrorKind kWeightDType{412, StatusCode::incompatible,
                                        "convert the tensor to float32, bfloat16 or float16"};
inline constexpr ErrorKind kWeightExtra{413, StatusCode::incompatible,
                                        "give the checkpoint that the plan was compiled for"};
inline constexpr ErrorKind kLoadCancelled{420, StatusCode::cancelled, "load again"};

inline constexpr ErrorKind kStepArgument{500, StatusCode::usage, "see mmc_session_step in mmc-c/Runtime.h"};
inline constexpr ErrorKind kTokenId{501, StatusCode::usage, "give ids of this model's tokenizer"};
inline constexpr ErrorKind kContextFull{502, StatusCode::capacity,
                                        "shorten the prompt, or compile with a larger --max-model-len"};
inline constexpr ErrorKind kStepTooLarge{
    503, StatusCode::capacity, "split the step, or compile with larger --max-num-batched-tokens and --max-num-seqs"};
inline constexpr ErrorKind kPagesExhausted{504, StatusCode::capacity,
                                           "free sequences, or create the session with more pages"};
inline constexpr ErrorKind kSequencesExhausted{505, StatusCode::capacity,
                                               "free sequences, or create the session with a larger max_sequences"};
inline constexpr ErrorKind kSequenceBroken{506, StatusCode::usage,
                                           "free the sequence and restore a snapshot or start again"};
inline constexpr ErrorKind kStepCancelled{507, StatusCode::cancelled, "free the step's sequences"};

inline constexpr ErrorKind kNotASnapshot{600, StatusCode::integrity, "give a file that a snapshot call wrote"};
inline constexpr ErrorKind kSnapshotCorrupt{601, StatusCode::integrity, "use another copy of the snapshot"};
inline constexpr ErrorKind kSnapshotMismatch{602, StatusCode::incompatible,
                                             "restore with the plan and the weights that it was taken with"};
inline constexpr ErrorKind kSnapshotBuffer{603, StatusCode::capacity,
                                           "give a buffer of mmc_sequence_get_snapshot_size bytes"};

inline constexpr ErrorKind kNoCudaDriver{
    700, StatusCode::incompatible, "run on a machine with an NVIDIA driver, or compile for cpu or cuda-emu instead"};
inline constexpr ErrorKind kCudaDriverTooOld{701, StatusCode::incompatible, "install a newer NVIDIA driver"};
inline constexpr ErrorKind kNoCudaDevice{702, StatusCode::incompatible,
                                         "check nvidia-smi and CUDA_VISIBLE_DEVICES, or compile for cpu or cuda-emu"};
inline constexpr ErrorKind kDeviceMemoryExhausted{
    703, StatusCode::capacity, "free device memory, or lower --max-num-seqs, --max-model-len or the number of pages"};
inline constexpr ErrorKind kCudaCall{
    704, StatusCode::failed, "look up the error in the CUDA driver's documentation; --cuda-sync names the launch"};
inline constexpr ErrorKind kCudaContextLost{705, StatusCode::failed,
                                            "start a new process; snapshots that were taken before continue there"};

} // namespace mmc::runtime
