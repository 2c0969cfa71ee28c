/// Variables of the agent's environment that are the tool's own, so that no manifest may set them.
package enum OwnedVariables {
    /// Those of every bottle: the agent's home and prompt, the way to its proxy, and the certificates it trusts.
    package static let always: Set<String> = [
        "HOME", "BOTTLE_PROMPT_FILE",
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy",
        "FTP_PROXY", "ftp_proxy", "NODE_USE_ENV_PROXY", "GLOBAL_AGENT_HTTP_PROXY", "GLOBAL_AGENT_HTTPS_PROXY",
        "NPM_CONFIG_PROXY", "npm_config_proxy", "NPM_CONFIG_HTTPS_PROXY", "npm_config_https_proxy", "PIP_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY", "PIP_CERT", "AWS_CA_BUNDLE", "CARGO_HTTP_CAINFO",
        "NPM_CONFIG_CAFILE", "npm_config_cafile", "DENO_CERT", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "HEX_CACERTS_PATH",
        "NIX_SSL_CERT_FILE", "PERL_LWP_SSL_CA_FILE",
    ]

    /// Those that name settings of one program, and that the tool sets only where a manifest doesn't.
    package static let yielding: Set<String> = ["APT_CONFIG", "SYSTEM_WGETRC"]

    /// Those that a route's role sets beside them.
    package static func of(_ role: Route.Role) -> Set<String> {
        switch role {
        case .claudeCodeOAuth:
            [
                "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER",
                "DISABLE_ERROR_REPORTING", "DISABLE_TELEMETRY",
            ]
        }
    }
}
