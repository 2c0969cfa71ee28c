#!/bin/sh
# In the agent: asks for a page until it comes, and tells when that was, in nanoseconds.
# usage: until.sh URL
until [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$1")" = 200 ]; do :; done
date +%s%N
