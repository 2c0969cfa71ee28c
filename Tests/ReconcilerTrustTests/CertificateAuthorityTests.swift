import FoundationEssentials
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTrust
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("A certificate authority")
struct CertificateAuthorityTests {
    static let now = Date()
    static let rsa = Result { try CertificateAuthority.mint(for: try Identity("dev"), now: now) }
    static let p256 = Result { try CertificateAuthority.mint(for: try Identity("dev"), holder: .firewall, now: now) }

    private func authority(_ holder: CertificateAuthority.Holder) throws -> CertificateAuthority {
        try (holder == .egressProxy ? Self.rsa : Self.p256).get()
    }

    /// Runs openssl in a folder that holds `ca.pem` and `key.pem`.
    private func openssl(_ lines: String, with authority: CertificateAuthority) async throws -> String {
        let folder = "/tmp/bottle-trust-test.\(POSIX.randomHexadecimal())"
        try POSIX.makeFolder(folder)
        try DurableFile.write(Array(authority.certificate.utf8), to: "\(folder)/ca.pem")
        try DurableFile.write(Array(authority.privateKey.exposed.utf8), to: "\(folder)/key.pem")
        let outcome = try await Program(
            "/bin/sh",
            ["-ec", "trap 'rm -rf \(folder)' EXIT; exec 2>&1; \(lines)"],
            environment: ["PATH": "/usr/bin:/bin"],
            workingFolder: folder
        ).run()
        return String(decoding: outcome.output, as: UTF8.self)
    }

    @Test("signs a leaf that openssl accepts, strictly", arguments: CertificateAuthority.Holder.allCases)
    func chain(_ holder: CertificateAuthority.Holder) async throws {
        let output = try await openssl(
            """
            openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=api.example.com -out leaf.csr 2>/dev/null
            printf 'subjectAltName=DNS:api.example.com\\nauthorityKeyIdentifier=keyid:always\\nsubjectKeyIdentifier=hash\\n\
            basicConstraints=CA:FALSE\\nkeyUsage=digitalSignature\\nextendedKeyUsage=serverAuth' > ext
            openssl x509 -req -in leaf.csr -CA ca.pem -CAkey key.pem -CAcreateserial -days 1 -sha256 -extfile ext \
                -out leaf.pem 2>/dev/null
            openssl verify -x509_strict -check_ss_sig -purpose sslserver -verify_hostname api.example.com \
                -CAfile ca.pem leaf.pem
            """,
            with: try authority(holder)
        )
        #expect(output == "leaf.pem: OK\n")
    }

    @Test("does not let its leaf sign further authorities")
    func pathLength() async throws {
        let output = try await openssl(
            """
            openssl req -new -newkey rsa:2048 -nodes -keyout sub.key -subj /CN=sub -out sub.csr 2>/dev/null
            printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign\\nsubjectKeyIdentifier=hash' > ext
            openssl x509 -req -in sub.csr -CA ca.pem -CAkey key.pem -CAcreateserial -extfile ext -out sub.pem 2>/dev/null
            openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf -out leaf.csr 2>/dev/null
            openssl x509 -req -in leaf.csr -CA sub.pem -CAkey sub.key -CAcreateserial -out leaf.pem 2>/dev/null
            openssl verify -CAfile ca.pem -untrusted sub.pem leaf.pem || true
            """,
            with: try authority(.egressProxy)
        )
        #expect(output.contains("path length constraint exceeded"))
    }

    @Test("has the SHA-1 of its key as subject key identifier", arguments: CertificateAuthority.Holder.allCases)
    func keyIdentifier(_ holder: CertificateAuthority.Holder) async throws {
        let output = try await openssl(
            """
            openssl x509 -in ca.pem -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :\\n' | tr A-F a-f; echo
            openssl x509 -in ca.pem -noout -pubkey | openssl pkey -pubin -outform DER > spki
            offset=$(openssl asn1parse -inform DER -in spki | grep 'BIT STRING' | cut -d: -f1)
            openssl asn1parse -inform DER -in spki -strparse "$offset" -noout -out bits 2>/dev/null || true
            sha1sum bits | cut -d' ' -f1
            """,
            with: try authority(holder)
        )
        let lines = output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == lines.last)
        #expect(lines.first?.utf8.count == 40)
    }

    @Test(
        "has the algorithm, the constraints and the key form that its sidecar reads",
        arguments: [
            (CertificateAuthority.Holder.egressProxy, "sha256WithRSAEncryption", "2048 bit", "BEGIN RSA PRIVATE KEY"),
            (.firewall, "ecdsa-with-SHA256", "prime256v1", "BEGIN EC PRIVATE KEY"),
        ]
    )
    func form(_ row: (CertificateAuthority.Holder, String, String, String)) async throws {
        let authority = try authority(row.0)
        let output = try await openssl(
            "openssl x509 -in ca.pem -noout -text; openssl pkey -in key.pem -check -noout",
            with: authority
        )
        for part in [
            row.1, row.2, "CN = bottle dev CA", "CA:TRUE, pathlen:0", "Basic Constraints: critical",
            "Key Usage: critical", "Certificate Sign, CRL Sign", "Key is valid",
        ] { #expect(output.contains(part), Comment(rawValue: part)) }
        #expect(authority.privateKey.exposed.contains(row.3))
    }

    @Test("prints the fingerprint that openssl prints")
    func fingerprint() async throws {
        let authority = try authority(.egressProxy)
        let output = try await openssl("openssl x509 -in ca.pem -noout -fingerprint -sha256", with: authority)
        #expect(output.lowercased() == "sha256 fingerprint=\(authority.fingerprint)\n".lowercased())
        #expect(authority.fingerprint.utf8.count == 95)
    }

    @Test("is its bottle's own: key, serial number and fingerprint differ each time")
    func isOwn() throws {
        let identity = try Identity("dev")
        let one = try CertificateAuthority.mint(for: identity, holder: .firewall, now: Self.now)
        let two = try CertificateAuthority.mint(for: identity, holder: .firewall, now: Self.now)
        #expect(one.privateKey != two.privateKey)
        #expect(one.fingerprint != two.fingerprint)
    }

    @Test("is valid from a day ago for ten years, and says when that ends soon")
    func validity() throws {
        let authority = try authority(.egressProxy)
        #expect(abs(authority.notBefore.timeIntervalSince(Self.now) + 86_400) < 2)
        #expect(abs(authority.notAfter.timeIntervalSince(Self.now) - 3650 * 86_400) < 2)
        #expect(!authority.isExpiring(at: Self.now))
        #expect(!authority.isExpiring(at: authority.notAfter.addingTimeInterval(-31 * 86_400)))
        #expect(authority.isExpiring(at: authority.notAfter.addingTimeInterval(-29 * 86_400)))
        #expect(authority.isExpiring(at: authority.notAfter.addingTimeInterval(1)))
    }

    @Test("never shows its key")
    func hidesKey() throws {
        let authority = try authority(.egressProxy)
        let body = try #require(authority.privateKey.exposed.split(separator: "\n").dropFirst().first)
        var dumped = ""
        dump(authority, to: &dumped)
        for text in ["\(authority)", String(reflecting: authority), dumped, "\(authority.privateKey)"] {
            #expect(!text.contains(body))
        }
        #expect(dumped.contains(authority.fingerprint))
    }
}

@Suite("The trust store")
struct TrustStoreTests {
    let files = MemoryFiles()
    let dev = Result { try Identity("dev") }
    let now = Date()

    @Test("mints once, and returns the same authority from then on")
    func mintsOnce() throws {
        let store = TrustStore(files: files)
        let dev = try dev.get()
        #expect(try store.authority(for: dev, holder: .firewall) == nil)
        #expect(files.paths == [])
        let first = try store.ensureAuthority(for: dev, holder: .firewall, now: now)
        #expect(files.paths == ["dev/firewall-ca-key.pem", "dev/firewall-ca.pem"])
        let second = try store.ensureAuthority(for: dev, holder: .firewall, now: now.addingTimeInterval(9e6))
        let read = try #require(try store.authority(for: dev, holder: .firewall))
        for other in [second, read] {
            #expect(other.fingerprint == first.fingerprint)
            #expect(other.certificate == first.certificate)
            #expect(other.privateKey == first.privateKey)
        }
        #expect(try store.authority(for: dev, holder: .egressProxy) == nil)
    }

    @Test("gives all of many minters the same authority")
    func mintsTogether() async throws {
        let store = TrustStore(files: files)
        let dev = try dev.get()
        let fingerprints = try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { try store.ensureAuthority(for: dev, holder: .firewall, now: now).fingerprint }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(fingerprints.count == 1)
    }

    @Test("completes what a killed minter left")
    func completes() throws {
        let store = TrustStore(files: files)
        let dev = try dev.get()
        let first = try store.ensureAuthority(for: dev, holder: .firewall, now: now)
        files.set("dev/firewall-ca.pem", nil)
        #expect(try store.ensureAuthority(for: dev, holder: .firewall, now: now).fingerprint == first.fingerprint)
        #expect(try files.read("dev/firewall-ca.pem") == Array(first.certificate.utf8))
    }

    enum Damage: CaseIterable { case otherCertificate, keyGone, keyTruncated, keyOfAnother, garbage, empty }

    @Test("says what to do about damage, and never mints over it", arguments: Damage.allCases)
    func damage(_ damage: Damage) throws {
        let store = TrustStore(files: files)
        let dev = try dev.get()
        let own = try store.ensureAuthority(for: dev, holder: .firewall, now: now)
        let other = try CertificateAuthority.mint(for: dev, holder: .firewall, now: now)
        let key = "dev/firewall-ca-key.pem"
        switch damage {
        case .otherCertificate: files.set("dev/firewall-ca.pem", Array(other.certificate.utf8))
        case .keyGone: files.set(key, nil)
        case .keyTruncated: files.set(key, Array(try #require(try files.read(key)).prefix(100)))
        case .keyOfAnother: files.set(key, Array((other.privateKey.exposed + own.certificate).utf8))
        case .garbage: files.set(key, [0xFF, 0x00, 0x41])
        case .empty: files.set(key, [])
        }
        let before = try files.read(key)
        for attempt in [
            { try store.authority(for: dev, holder: .firewall) },
            { try store.ensureAuthority(for: dev, holder: .firewall, now: now) },
        ] {
            let error = #expect(throws: BottleError.self) { _ = try attempt() }
            #expect(error?.code == .caUnreadable)
            #expect(error?.location?.hasPrefix("/trust/dev/firewall-ca") == true)
            #expect(error?.remedy?.contains("/trust/dev") == true)
            #expect(error.map { "\($0)".contains("PRIVATE") } == false)
        }
        #expect(try files.read(key) == before)
    }

    @Test("keeps keys private on the disk")
    func modes() throws {
        let folder = "/tmp/bottle-trust-test.\(POSIX.randomHexadecimal())"
        let state = try StateFolder.create(folder)
        defer { try? removeTree(folder) }
        let store = TrustStore(files: StateFiles(folder: state.trust))
        _ = try store.ensureAuthority(for: try dev.get(), holder: .firewall, now: now)
        _ = try KeyedFingerprint.load(from: StateFiles(folder: state.trust))
        for path in ["dev/firewall-ca-key.pem", "dev/firewall-ca.pem", "fingerprint.key"] {
            #expect(try POSIX.status("\(state.trust)/\(path)", followLinks: false)?.st_mode == 0o100600)
        }
        #expect(try POSIX.status("\(state.trust)/dev", followLinks: false)?.st_mode == 0o040700)
    }
}

private func removeTree(_ path: String) throws {
    if let names = try? POSIX.names(in: path) {
        for name in names { try removeTree("\(path)/\(name)") }
        _ = unsafe rmdir(path)
    } else {
        try POSIX.unlink(path)
    }
}
