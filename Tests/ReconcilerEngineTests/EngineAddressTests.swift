import FoundationEssentials
import ReconcilerEngine
import ReconcilerTime
import Testing

@Suite("Engine addresses")
struct EngineAddressTests {
    @Test(
        "a usable address is understood",
        arguments: [
            ("unix:///var/run/docker.sock", EngineAddress.unix("/var/run/docker.sock"), true),
            ("tcp://10.0.0.1:2376", .tcp(host: "10.0.0.1", port: 2376), false),
            ("tcp://localhost", .tcp(host: "localhost", port: 2375), true),
            ("http://127.0.0.1:80/", .tcp(host: "127.0.0.1", port: 80), true),
            ("TCP://[::1]:99", .tcp(host: "::1", port: 99), true),
            ("tcp://[fe80::1]", .tcp(host: "fe80::1", port: 2375), false),
        ]
    )
    func usable(text: String, address: EngineAddress, isLocal: Bool) throws {
        #expect(try EngineAddress(text) == address)
        #expect(address.isLocal == isLocal)
        #expect(try EngineAddress(address.description) == address)
    }

    @Test(
        "an address that can't be used is an error that says why",
        arguments: [
            ("", "must begin"), ("/var/run/docker.sock", "must begin"), ("ssh://host", "ssh is not supported"),
            ("npipe:////./pipe/docker", "Windows"), ("https://host", "TLS"), ("ftp://host", "not a known scheme"),
            ("unix://docker.sock", "absolute"), ("unix:///" + String(repeating: "x", count: 120), "shorter"),
            ("tcp://", "host is missing"), ("tcp://host:0", "not a port"), ("tcp://host:99999", "not a port"),
            ("tcp://host:x", "not a port"), ("tcp://a:1:2", "brackets"), ("tcp://u@host", "only a host"),
            ("tcp://host/path", "only a host"), ("tcp://ho st", "only a host"), ("tcp://h\r\nX: y", "only a host"),
        ]
    )
    func unusable(text: String, reason: String) {
        let error = #expect(throws: EngineError.self) { _ = try EngineAddress(text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    /// Runs `body` with an empty home folder.
    func withHome(_ body: (String) throws -> Void) throws {
        let home = "/tmp/engtest-home-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        try FileManager.default.createDirectory(atPath: "\(home)/.docker", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        try body(home)
    }

    func write(_ text: String, _ path: String) throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    func context(_ name: String, _ host: String, home: String, id: String) throws {
        let text =
            #"{"Name":"\#(name)","Metadata":{},"Endpoints":{"docker":{"Host":"\#(host)","SkipTLSVerify":false}}}"#
        try write(text, "\(home)/.docker/contexts/meta/\(id)/meta.json")
    }

    @Test("the flag wins over DOCKER_HOST, that over DOCKER_CONTEXT, that over the configuration")
    func order() throws {
        try withHome { home in
            try context("one", "unix:///one.sock", home: home, id: "aa")
            try context("two", "tcp://two:2", home: home, id: "bb")
            try write("broken", "\(home)/.docker/contexts/meta/00/meta.json")
            try write(#"{"currentContext":"one"}"#, "\(home)/.docker/config.json")
            func resolve(_ flag: String?, _ environment: [String: String]) throws -> String {
                let found = try EngineAddress.resolve(flag: flag, environment: environment, home: home)
                return "\(found.address) by \(found.origin)"
            }
            let all = ["DOCKER_HOST": "unix:///env.sock", "DOCKER_CONTEXT": "two"]
            #expect(try resolve("unix:///flag.sock", all) == "unix:///flag.sock by --host")
            #expect(try resolve(nil, all) == "unix:///env.sock by DOCKER_HOST")
            #expect(try resolve(nil, ["DOCKER_CONTEXT": "two"]) == "tcp://two:2 by docker context 'two'")
            #expect(try resolve(nil, ["DOCKER_HOST": ""]) == "unix:///one.sock by docker context 'one'")
            let elsewhere = try resolve(nil, ["DOCKER_CONFIG": "\(home)/.docker", "DOCKER_CONTEXT": "one"])
            #expect(elsewhere == "unix:///one.sock by docker context 'one'")
        }
    }

    @Test("a context that is missing, broken, or asks for TLS or ssh is an error, not another engine")
    func badContexts() throws {
        try withHome { home in
            try context("ssh", "ssh://user@host", home: home, id: "aa")
            try context("tls", "tcp://host:2376", home: home, id: "bb")
            try context("empty", "", home: home, id: "cc")
            try write("x", "\(home)/.docker/contexts/tls/bb/docker/ca.pem")
            for name in ["ssh", "tls", "empty", "none"] {
                #expect(throws: EngineError.self, "\(name)") {
                    try EngineAddress.resolve(flag: nil, environment: ["DOCKER_CONTEXT": name], home: home)
                }
            }
            try write("{", "\(home)/.docker/config.json")
            #expect(throws: EngineError.self) {
                try EngineAddress.resolve(flag: nil, environment: [:], home: home)
            }
            let tls = ["DOCKER_HOST": "tcp://host:2376", "DOCKER_TLS_VERIFY": "1"]
            #expect(throws: EngineError.self) {
                try EngineAddress.resolve(flag: nil, environment: tls, home: home)
            }
        }
    }
}

@Suite("Times of the engine")
struct TimestampTextTests {
    @Test(
        "RFC 3339 is read to the nanosecond and written in UTC",
        arguments: [
            ("1970-01-01T00:00:00Z", Timestamp(seconds: 0), "1970-01-01T00:00:00Z"),
            ("2023-11-14T22:13:20.123456789Z", Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789), nil),
            (
                "2023-11-15T00:13:20.5+02:00", Timestamp(seconds: 1_700_000_000, nanoseconds: 500_000_000),
                "2023-11-14T22:13:20.500000000Z"
            ),
            ("2024-02-29T12:00:00-05:30", Timestamp(seconds: 1_709_227_800), "2024-02-29T17:30:00Z"),
            ("1969-12-31T23:59:59.000000001Z", Timestamp(seconds: -1, nanoseconds: 1), nil),
            ("0001-01-01T00:00:00Z", Timestamp(seconds: -62_135_596_800), nil),
        ] as [(String, Timestamp, String?)]
    )
    func reading(text: String, time: Timestamp, written: String?) {
        #expect(Timestamp(rfc3339: text) == time)
        #expect(time.description == written ?? text)
    }

    @Test(
        "an HTTP date is read",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Timestamp(rfc3339: "1994-11-06T08:49:37Z")),
            ("Sat, 28 Feb 2026 23:59:59 GMT", Timestamp(rfc3339: "2026-02-28T23:59:59Z")),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun Nov  6 08:49:37 1994", nil),
            ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sun, 06 Nox 1994 08:49:37 GMT", nil), ("", nil),
            ("Sun, 6 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:37.5+01:00 GMT", nil),
        ] as [(String, Timestamp?)]
    )
    func httpDate(_ text: String, _ time: Timestamp?) { #expect(Timestamp(httpDate: text) == time) }

    @Test(
        "what is not a time is none",
        arguments: ["", "now", "2023-11-14", "2023-13-01T00:00:00Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z"]
    )
    func notATime(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}
