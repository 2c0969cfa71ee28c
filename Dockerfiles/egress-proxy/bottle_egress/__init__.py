"""The egress-proxy of a bottle: a policy (pure) and mitmproxy wired so that nothing passes without it."""
