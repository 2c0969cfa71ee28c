package import ReconcilerModel

/// The manifest that `bottle init` writes.
package enum ManifestStarter {
    /// A commented manifest for a bottle called `name`; it reads without errors and warnings.
    package static func text(name: Identity) -> String {
        """
        # A bottle: one agent in a container that reaches what this file names, and nothing else.
        # Check it with `bottle validate -f FILE`, see what would be done with `bottle diff -f FILE`,
        # and make it so with `bottle apply -f FILE`. `bottle schema` describes every key.
        apiVersion: bottle/v1
        kind: Bottle
        metadata:
          name: \(YAMLText.scalar(name.name))
        spec:
          agent:
            image: bottle/agent
            command: [sleep, infinity]
            # prompt: {file: prompts/agent.md}    # the agent's first instructions
            env: {TZ: UTC}                        # never credentials: those belong to routes
            resources: {cpus: 2, memory: 4GiB, pids: 512}
          egress:
            firewall: squid
            # Hosts the agent may reach with any method and path.
            allowlist: []                         # for instance [pypi.org, "*.example.org"]
          egress_proxy:
            # Hosts with limits, and with credentials that the agent never sees.
            routes:
              - host: example.com
                methods: [GET, HEAD]
              # - host: api.github.com
              #   methods: [GET, HEAD]
              #   path_allowlist: [/repos/OWNER/]
              #   auth: {scheme: Bearer, token_ref: GITHUB_TOKEN}   # your environment variable or a secret

        """
    }
}
