#!/bin/sh
# Cargo's RUSTC_WORKSPACE_WRAPPER for fuzzing: gives our own crates libFuzzer's instrumentation and leaves the 300 crates
# we build on as they are, so that they are not built a second time. Scripts of builds are no target: they have no libFuzzer.
# Optimised, rustc would leave the checks of arithmetic out: they are asked for, and an overflow is a crash.
for argument in "$@"; do
    case $argument in build_script_*) exec "$@" ;; esac
done
exec "$@" --cfg fuzzing -C opt-level=1 -C debug-assertions=on -C overflow-checks=on -C codegen-units=16 -C passes=sancov-module \
    -C llvm-args=-sanitizer-coverage-level=4 -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
    -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares
