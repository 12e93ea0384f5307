#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer, ASan and UBSan and runs each for a while over its kept corpus.
#
#   native/fuzz/run.sh SECONDS [TARGET]
#
# SECONDS for each target; 0 only replays the corpus. TARGET: one of `targets` below; all of them without it.
# Exit code: 0 no finding or no libFuzzer here, 1 a finding, 2 wrong usage or a build error. What is found, and what the
# fuzzer learned, goes to a directory under $TMPDIR that is named at the end; add to the corpus by hand, with a unit test.
set -euo pipefail

fuzz_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
native_dir=$(dirname -- "$fuzz_dir")
targets=(response chunked request_head client_request proxy_header client_hello
  http2_session http2_endpoint tls_channel tls_certificate)

usage() {
  echo "usage: native/fuzz/run.sh SECONDS [$(IFS='|' && echo "${targets[*]}")]" >&2
  exit 2
}

[[ $# -ge 1 && $# -le 2 && $1 =~ ^[0-9]{1,6}$ ]] || usage
seconds=$1
if [[ $# -eq 2 ]]; then
  [[ " ${targets[*]} " == *" $2 "* ]] || usage
  targets=("$2")
fi

work_dir=$(mktemp -d "${TMPDIR:-/tmp}/sluice-fuzz.XXXXXX")
mkdir "$work_dir/objects"
clang=${CLANGXX:-clang++}
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)
flags=(-std=c++20 -fno-exceptions -fno-rtti -O1 -g -Wall -Wextra -Wshadow -Wconversion -Werror
  "${sanitizers[@]}" -fsanitize=fuzzer-no-link -fno-omit-frame-pointer
  -I "$native_dir/src" -I "$native_dir/test" -I "$fuzz_dir")

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
    tls_*) echo "$native_dir"/src/{tls,base}/*.cc ;;
    http2_*) echo "$native_dir"/src/{http2,http1,base}/*.cc "$native_dir"/src/upstream/response_reader.cc ;;
    *) echo "$native_dir"/src/http1/*.cc ;;
  esac
}

# The libraries that they call, which the node binary brings along for the addon.
libraries_of() {
  case $1 in
    tls_* | http2_*) echo -Wl,--no-as-needed -lssl -lcrypto -lnghttp2 ;;
  esac
}

# The object of a source: each is compiled once, however many targets it is in.
object_of() {
  local name=${1#"$native_dir"/}
  echo "$work_dir/objects/${name//\//_}.o"
}

# compile SOURCE…: what has no object yet, as many at a time as there are processors.
compile() {
  local source object
  for source in "$@"; do
    object=$(object_of "$source")
    [[ -e $object ]] || printf '%s\0' -c "$source" -o "$object"
  done | xargs -0 -r -n 4 -P "$(nproc)" "$clang" "${flags[@]}"
}

# Those that call OpenSSL or nghttp2 need their headers, which tests without Node do not have from it.
can_build() {
  case $1 in
    tls_* | http2_*) "$clang" -E -include openssl/ssl.h -include nghttp2/nghttp2.h -x c++ /dev/null -o /dev/null 2>/dev/null ;;
  esac
}

has_finding=0
for target in "${targets[@]}"; do
  if ! can_build "$target"; then
    echo "fuzz $target: left out, no headers of OpenSSL or nghttp2 here (Debian: libssl-dev, libnghttp2-dev)"
    continue
  fi
  echo "fuzz $target: building"
  read -ra sources <<<"$fuzz_dir/${target}_fuzz.cc $(sources_of "$target")"
  read -ra libraries <<<"$(libraries_of "$target")"
  compile "${sources[@]}" || exit 2
  objects=()
  for source in "${sources[@]}"; do objects+=("$(object_of "$source")"); done
  "$clang" "${sanitizers[@]}" -fsanitize=fuzzer "${objects[@]}" "${libraries[@]}" -o "$work_dir/$target" || exit 2
  mkdir -p "$work_dir/$target.learned" "$work_dir/$target.findings"
  limit=(-max_total_time="$seconds")
  [[ $seconds -eq 0 ]] && limit=(-runs=0)
  # Long enough to pass the bounds of extensions and trailers; heads have narrow limits by a flag of their own.
  max_len=2048
  [[ $target == chunked ]] && max_len=12288
  [[ $target == client_hello || $target == tls_* ]] && max_len=4096
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
