#if canImport(Darwin)
    package import Darwin
#elseif canImport(Musl)
    package import Musl
#else
    package import Glibc
#endif

// Named differently so that the methods below can use the plain names.
private func systemWrite(_ number: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(number, start, count)
}

private func systemRead(_ number: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(number, start, count)
}

/// An open file descriptor that is closed with its last reference.
package final class Descriptor: Sendable {
    package let number: Int32

    package init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// Metadata of the open file.
    package func status(_ path: String) throws -> stat {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw SystemError("look at", path, errno) }
        return status
    }

    /// Writes all of `bytes`.
    package func write(_ bytes: [UInt8], to path: String) throws {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe systemWrite(number, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if count < 0, errno != EINTR { throw SystemError("write", path, errno) }
            offset += max(count, 0)
        }
    }

    /// Reads to the end; nil if there are more than `limit` bytes.
    package func read(_ path: String, limit: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe systemRead(number, buffer.baseAddress, buffer.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path, errno)
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { return nil }
            bytes += chunk[..<count]
        }
    }

    /// Reads the beginning: at most `count` bytes.
    package func readStart(_ path: String, count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: count)
        while bytes.count < count {
            let got = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe systemRead(number, buffer.baseAddress, count - bytes.count)
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path, errno)
            }
            if got == 0 { break }
            bytes += chunk[..<got]
        }
        return bytes
    }

    /// Waits until the content is on disk.
    package func synchronize(_ path: String) throws {
        while fsync(number) != 0 {
            if errno != EINTR { throw SystemError("synchronize", path, errno) }
        }
    }
}
