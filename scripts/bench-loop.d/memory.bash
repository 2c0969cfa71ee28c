# shellcheck shell=bash disable=SC2154
# Many bottles on an engine in memory: the loop's own part, without the time of a real engine. The one in memory walks
# through all it holds at each call, so that making a thousand (BENCH_BOTTLES=1000) takes five minutes by itself.

measure_memory() {
    local program count
    program=$(loop_program)
    for count in 50 "${BENCH_BOTTLES:-200}"; do
        note "$count bottles in memory"
        "$program" "$count" >>"$folder/facts-memory"
    done
}
