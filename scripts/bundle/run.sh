#!/bin/sh
# Runs everything in this bundle on the machine's GPU and writes one JSON file. Needs an NVIDIA driver and what every Linux has; no toolkit, no
# compiler, no Python. Usage: ./run.sh [--emulated] [-o FOLDER]
#   --emulated   on the emulated device instead: small sizes, no figure of speed means anything
#   -o FOLDER    where results go (default results-DATE): results.json, the recorded vectors, logs.tar.gz
# Exit code 0 where everything ran and agreed, 1 where not, 3 where there is no driver or no GPU that the cubins are for. Takes at most 8 minutes.
set -u
here=$(cd "$(dirname "$0")" && pwd)
emulated=no
out=results-$(date -u +%Y%m%dT%H%M%SZ)
while [ $# -gt 0 ]; do
  case "$1" in
    --emulated) emulated=yes ;;
    -o) shift && out=${1:?run.sh: -o needs a folder} ;;
    *) echo "usage: run.sh [--emulated] [-o FOLDER]" >&2 && exit 2 ;;
  esac
  shift
done
mkdir -p "$out" || exit 1
began=$(date +%s)

"$here/bin/mmc-silicon" --list >/dev/null 2>&1 || export LD_LIBRARY_PATH="$here/lib/fallback${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if [ $emulated = yes ]; then
  driver=$here/lib/libmmc_cuda_emu.so kernels=$here/kernels/emulated target=cuda-emu small=--small record=emulated
else
  driver=libcuda.so.1 target=cuda small=
fi
facts=$("$here/bin/mmc-silicon" --device "$driver") || exit $?
architecture=${facts%% *}
echo "$facts"
[ $emulated = yes ] || record=$architecture
if [ $emulated = no ]; then
  case "$architecture" in
    sm_90) kernels=$here/kernels/sm_90a ;;
    sm_8?) kernels=$here/kernels/sm_80 ;;
    *) echo "run.sh: this GPU is $architecture; the bundle has cubins for sm_90a and sm_80" >&2 && exit 3 ;;
  esac
fi

# Text as the inside of a JSON string.
quoted() { tr -d '\000-\010\013-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/ /g' | awk '{if (NR > 1) printf "\\n"; printf "%s", $0}'; }

steps= good=true
# step NAME SECONDS RESULT COMMAND...: runs the command for at most so long. Its output goes to NAME.txt; RESULT, a JSON file that it writes (or -),
# into results.json.
step() {
  name=$1 limit=$2 result=$3
  shift 3
  left=$((480 - ($(date +%s) - began)))
  [ "$limit" -le "$left" ] || limit=$left
  start=$(date +%s)
  if [ "$limit" -gt 0 ]; then timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>&1; else echo "no time was left" >"$out/$name.txt" && false; fi
  code=$?
  [ $code -eq 0 ] || good=false
  echo "$name: exit $code, $(($(date +%s) - start)) s"
  [ $code -eq 0 ] || tail -n 5 "$out/$name.txt"
  steps="$steps${steps:+,}
 \"$name\": {\"exit\": $code, \"seconds\": $(($(date +%s) - start)), \"output\": \"$(tail -n 40 "$out/$name.txt" | quoted)\", \"result\": "
  if [ -s "$result" ]; then steps="$steps$(cat "$result")}" && rm -f "$result"; else steps="${steps}null}"; fi
}

against=
for file in "$here"/vectors/*.vectors; do [ ! -f "$file" ] || against="$against --against $file"; done
# shellcheck disable=SC2086
step silicon 120 "$out/silicon.json" "$here/bin/mmc-silicon" --driver "$driver" --kernels "$kernels" --record "$out/$record.vectors" \
  --json "$out/silicon.json" $against
# shellcheck disable=SC2086
step device-kernels 90 "$out/device.json" "$here/bin/device-kernels" --driver "$driver" --kernels "$kernels" $small --json "$out/device.json"
bandwidth=$(printf '%s' "$steps" | sed -n 's/^ *"bandwidth": \([0-9.e+]*\),*$/\1/p' | tail -n 1)
check=$here/bin/mmc-plan-check
# answers NAME PLAN MODEL FLAGS...: a plan against what its model must answer.
answers() {
  name=$1 plan=$2 model=$3
  shift 3
  step "$name" 60 "$out/plan.json" "$check" "$here/plans/$plan.$target.plan" --weights "$here/models/$model" --expect "$here/expect/$model" \
    --json "$out/plan.json" "$@"
}
# speed NAME PLAN: with random weights.
speed() {
  step "$1" 90 "$out/plan.json" "$check" "$here/plans/$2.cuda.plan" --weights random --prompts 512,4096 --sequences 1,8,32 --bandwidth "${bandwidth:-0}" \
    --json "$out/plan.json"
}
# profile NAME PLAN WEIGHTS FLAGS...: the time of every kernel, launch by launch, by a driver with a clock in front of the real one.
profile() {
  name=$1 plan=$2 weights=$3
  shift 3
  step "$name" 60 "$out/profile.json" env MMC_CUDA_DRIVER="$here/lib/libmmc_cuda_profile.so" MMC_CUDA_EMU_DRIVER="$here/lib/libmmc_cuda_profile.so" \
    MMC_PROFILED_DRIVER="$driver" MMC_PROFILE="$out/profile.json" "$check" "$here/plans/$plan.$target.plan" --weights "$weights" --eager "$@"
}
if [ $emulated = yes ]; then
  answers text01-tiny-sm_90a text01-tiny text01-tiny --variant sm_90a --sequences 1 --steps 1
  export MMC_EMU_CHECKS=off
  answers text01-tiny-portable text01-tiny text01-tiny --variant portable
  answers demo-sm_90a demo demo --variant sm_90a --most-cases 1
  profile profile-tiny text01-tiny random --sequences 1 --steps 1
else
  for model in text01-tiny demo; do answers $model $model $model --prompts 64 --sequences 1,16; done
  # Kernels at the widths of the released model: a long prompt, 32 sequences, one at 128 Ki tokens.
  if [ "$architecture" = sm_90 ]; then
    speed bench-250m bench-250m
    profile profile-prompt bench-layers random --prompts 8192 --repeats 2
    profile profile-decode bench-layers random --sequences 32 --depth 1024 --steps 4
    profile profile-long bench-layers random --sequences 1 --depth 131072 --steps 4
  fi
  # The same with mma.sync alone: tells a kernel's fault from the rest, and what wgmma gains.
  if [ "$architecture" = sm_90 ]; then
    for model in text01-tiny demo; do answers $model-portable $model-portable $model; done
    speed bench-250m-portable bench-250m-portable
  fi
  sanitizer=$(PATH=$PATH:/usr/local/cuda/bin command -v compute-sanitizer || true)
  if [ -n "$sanitizer" ]; then
    before=$good
    step sanitizer 120 - "$sanitizer" --tool memcheck --error-exitcode 9 "$here/bin/mmc-silicon" --kernels "$kernels" --in-process
    if grep -qi 'device not supported' "$out/sanitizer.txt"; then
      echo "skipped: compute-sanitizer does not support this machine's device"
      good=$before
    fi
  fi
fi

[ -n "$steps" ] || good=false
cat >"$out/results.json" <<END
{"bundle": $(cat "$here/manifest.json"),
 "device": "$(printf '%s' "$facts" | quoted)", "emulated": $([ $emulated = yes ] && echo true || echo false), "good": $good,
 "date": "$(date -u +%Y-%m-%dT%H:%M:%SZ)", "seconds": $(($(date +%s) - began)),
 "driver": "$( (nvidia-smi 2>/dev/null || true) | sed -n 3p | quoted)",
 "steps": {$steps
}}
END
(cd "$out" && tar -czf logs.tar.gz ./*.txt && rm -f ./*.txt)
echo "$out/results.json: good $good, $(($(date +%s) - began)) s"
[ $good = true ]
