#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer, ASan and UBSan and runs each for a while over its kept corpus.
#
#   native/fuzz/run.sh SECONDS [TARGET]
#
# SECONDS for each target; 0 only replays the corpus. TARGET: response, chunked, request_head, client_request, proxy_header or
# client_hello; all of them without it.
# Exit code: 0 no finding or no libFuzzer here, 1 a finding, 2 wrong usage or a build error. What is found, and what the
# fuzzer learned, goes to a directory under $TMPDIR that is named at the end; add to the corpus by hand, with a unit test.
set -euo pipefail

fuzz_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
native_dir=$(dirname -- "$fuzz_dir")
targets=(response chunked request_head client_request proxy_header client_hello)

usage() {
  echo "usage: native/fuzz/run.sh SECONDS [response|chunked|request_head|client_request|proxy_header|client_hello]" >&2
  exit 2
}

[[ $# -ge 1 && $# -le 2 && $1 =~ ^[0-9]{1,6}$ ]] || usage
seconds=$1
if [[ $# -eq 2 ]]; then
  [[ " ${targets[*]} " == *" $2 "* ]] || usage
  targets=("$2")
fi

work_dir=$(mktemp -d "${TMPDIR:-/tmp}/sluice-fuzz.XXXXXX")
clang=${CLANGXX:-clang++}
flags=(-std=c++20 -fno-exceptions -fno-rtti -O1 -g -Wall -Wextra -Wshadow -Wconversion -Werror
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  -I "$native_dir/src" -I "$fuzz_dir")

echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$work_dir/probe.cc"
if ! "$clang" -fsanitize=fuzzer "$work_dir/probe.cc" -o "$work_dir/probe" >/dev/null 2>&1; then
  rm -rf "$work_dir"
  echo "skipped: clang with libFuzzer is not installed"
  exit 0
fi

# The tested sources of a target.
sources_of() {
  case $1 in
    proxy_header | client_hello) echo "$native_dir"/src/l4/{proxy_header,proxy_line,client_hello}.cc ;;
    *) echo "$native_dir"/src/http1/*.cc ;;
  esac
}

has_finding=0
for target in "${targets[@]}"; do
  echo "fuzz $target: building"
  read -ra sources <<<"$(sources_of "$target")"
  "$clang" "${flags[@]}" "$fuzz_dir/${target}_fuzz.cc" "${sources[@]}" -o "$work_dir/$target" || exit 2
  mkdir -p "$work_dir/$target.learned" "$work_dir/$target.findings"
  limit=(-max_total_time="$seconds")
  [[ $seconds -eq 0 ]] && limit=(-runs=0)
  # Long enough to pass the bounds of extensions and trailers; heads have narrow limits by a flag of their own.
  max_len=2048
  [[ $target == chunked ]] && max_len=12288
  [[ $target == client_hello ]] && max_len=4096
  # Learned inputs go to the first directory; the kept corpus is only read.
  if "$work_dir/$target" "${limit[@]}" -max_len="$max_len" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
    -dict="$fuzz_dir/$target.dict" -artifact_prefix="$work_dir/$target.findings/" \
    "$work_dir/$target.learned" "$fuzz_dir/corpus/$target" >"$work_dir/$target.log" 2>&1; then
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work_dir/$target.log")
    echo "fuzz $target: no finding in ${executed:-the kept} inputs"
  else
    has_finding=1
    echo "fuzz $target: FOUND SOMETHING"
    tail -n 40 "$work_dir/$target.log"
  fi
done

if [[ $has_finding -eq 1 ]]; then
  echo "inputs and logs: $work_dir"
  exit 1
fi
if [[ $seconds -eq 0 ]]; then rm -rf "$work_dir"; else echo "learned inputs: $work_dir"; fi
