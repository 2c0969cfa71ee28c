/// What makes the programs in an agent accept the CA of its egress-proxy: files, and the variables that name them.
///
/// Which program takes which is in docs/trust.md, and tried with the programs themselves in BottleTests.
enum AgentTrust {
    private static let certificate = "\(Agent.folder)/ca.pem"
    private static let bundle = "\(Agent.folder)/ca-bundle.pem"
    private static let javaStore = "\(Agent.folder)/ca-bundle.jks"
    private static let wgetSettings = "\(Agent.folder)/wgetrc"
    private static let aptSettings = "\(Agent.folder)/apt.conf"

    /// Variables of every agent behind an egress-proxy; no manifest may set them.
    static var variables: [String: String] {
        var variables: [String: String] = [:]
        for name in bundleVariables { variables[name] = bundle }
        variables["NODE_EXTRA_CA_CERTS"] = certificate
        return variables
    }

    /// Variables that name settings of one program, unless the manifest sets them: `OwnedVariables.yielding`.
    static let defaults = [
        // GnuTLS reads no variable. In place of the image's wgetrc, not of the user's, as WGETRC would be.
        "SYSTEM_WGETRC": wgetSettings,
        // Before apt 3, GnuTLS again. Read beside the image's settings, not in place of them.
        "APT_CONFIG": aptSettings,
    ]

    /// Variables by which programs find the certificates they trust.
    private static let bundleVariables = [
        "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "CARGO_HTTP_CAINFO",
        "AWS_CA_BUNDLE", "DENO_CERT", "HEX_CACERTS_PATH", "NIX_SSL_CERT_FILE", "PERL_LWP_SSL_CA_FILE",
    ]

    /// The files for a CA, given the roots that the agent's image trusts.
    ///
    /// - Parameter facts: nil while they are unknown: then the files that contain them are unknown too, and a living
    ///   agent keeps its own.
    static func files(authority: String, facts: ImageFacts?) -> [DesiredFile] {
        var files = [
            DesiredFile(path: certificate, content: Array(authority.utf8)),
            DesiredFile(path: wgetSettings, content: Array("ca_certificate = \(bundle)\n".utf8)),
            DesiredFile(path: aptSettings, content: Array("Acquire::https::CAInfo \"\(bundle)\";\n".utf8)),
        ]
        if let facts {
            let roots = facts.roots.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" } ?? ""
            let all = roots + authority
            files.append(DesiredFile(path: bundle, content: Array(all.utf8)))
            files.append(DesiredFile(path: javaStore, content: JavaTrustStore.bytes(pem: all)))
        }
        return files
    }
}
