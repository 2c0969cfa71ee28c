import ReconcilerPlatform

#if canImport(Darwin)
    package import Darwin
#else
    package import Glibc
#endif

/// A folder of one test, removed with it.
package final class Scratch: Sendable {
    package let path: String

    package init() throws {
        path = "/tmp/bottle-state-test.\(POSIX.randomHexadecimal())"
        try POSIX.makeFolder(path)
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        guard let status = try? POSIX.status(path, followLinks: false), status.st_mode & S_IFMT == S_IFDIR else {
            _ = try? POSIX.unlink(path)
            return
        }
        for name in (try? POSIX.names(in: path)) ?? [] { remove("\(path)/\(name)") }
        _ = unsafe rmdir(path)
    }
}

package func mode(of path: String) throws -> mode_t? {
    try POSIX.status(path, followLinks: false).map { $0.st_mode & 0o7777 }
}

/// The text of a file; nil when there is none.
package func text(_ path: String) throws -> String? {
    try DurableFile.read(path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
}

/// Runs a command line for a test and returns its standard output.
@discardableResult
package func shell(_ line: String, in folder: String, environment: [String: String] = [:]) async throws -> String {
    let outcome = try await Program(
        "/bin/sh",
        ["-ec", line],
        environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder].merging(environment) { $1 },
        workingFolder: folder
    ).run()
    guard outcome.succeeded else {
        throw CommandFailed(line: line, errors: String(decoding: outcome.errors, as: UTF8.self))
    }
    return String(decoding: outcome.output, as: UTF8.self)
}

package struct CommandFailed: Error {
    package let line: String
    package let errors: String
}

/// Ends this process the way the kernel would.
package func dieNow() {
    kill(getpid(), SIGKILL)
    pause()
}
