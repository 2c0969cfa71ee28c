# shellcheck shell=bash disable=SC2154
# The desired state by itself: a commit of one remediation, and what a thousand bottles with ten each come to.
measure_desired() {
    local program
    program=$(loop_program)
    note 'the desired state'
    "$program" desired 1000 >>"$folder/facts-desired"
}
