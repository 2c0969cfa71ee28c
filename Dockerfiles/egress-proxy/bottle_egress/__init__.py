"""The egress-proxy of a bottle: a policy (pure) and mitmproxy, patched so that nothing passes without it."""
