#!/bin/sh
# In the agent: asks with a tool and waits for the answer.
# usage: ask.sh TOOL ARGUMENTS
url=http://supervise:9100/mcp
post() { curl -s --noproxy '*' -X POST $url -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' "$@"; }
hello='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}'
session=$(post -D - -o /dev/null -d "$hello" | tr -d '\r' | awk -F': ' 'tolower($1) == "mcp-session-id" { print $2 }')
post -H "Mcp-Session-Id: $session" -d '{"jsonrpc":"2.0","method":"notifications/initialized"}'
post -H "Mcp-Session-Id: $session" -d "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"$1\",\"arguments\":$2}}"
