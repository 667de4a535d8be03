#!/bin/sh
# Cargo calls this instead of rustc for the crates of the workspace (RUSTC_WORKSPACE_WRAPPER). What they read others' input
# with counts its branches; the fuzzer itself, programs and macros don't. Everything here is in the stable compiler.
rustc="$1"
shift
case " $* " in
*" --crate-name fatura_fuzz "*) ;;
*" --crate-type lib "*)
  set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  ;;
esac
exec "$rustc" "$@"
