import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A file that this program needs to run in a container: its executable, or a shared library that no base image has.
struct ProgramFile: Sendable, Hashable {
    /// Its name beside the others.
    var name: String
    /// Where it is read.
    var path: String
    /// Identifies its content without reading all of it: the linker's own digest and the size.
    var mark: ContentDigest

    /// Other names that programs load it by: `libyaml-0.so.2` for `libyaml-0.so.2.0.9`.
    var otherNames: [String] {
        var names: [String] = []
        var rest = name[...]
        while let dot = rest.lastIndex(of: "."), rest[rest.index(after: dot)...].allSatisfy(\.isNumber) {
            rest = rest[..<dot]
            names.append(String(rest))
        }
        return names
    }

    /// The files of the running program; nil if a container could not run it.
    static func ofThisProcess() throws -> [ProgramFile]? {
        // This path works even if the file was replaced since the start.
        let executable = "/proc/self/exe"
        guard try POSIX.status(executable, followLinks: true) != nil, let own = try read("bottle", executable) else {
            return nil
        }
        let maps = try DurableFile.read("/proc/self/maps", limit: 16 << 20) ?? []
        let paths = libraries(inMaps: String(decoding: maps, as: UTF8.self))
        return try [own] + paths.compactMap { try read(POSIX.name(of: $0), $0) }
    }

    /// The shared libraries that a memory map names, without those of the C library: they belong to a system's own.
    static func libraries(inMaps maps: String) -> [String] {
        let own = ["ld-", "libc", "libm", "libmvec", "libdl", "libpthread", "librt", "libresolv", "libutil", "libanl"]
        var found: Set<String> = []
        for line in maps.split(separator: "\n") {
            guard let slash = line.firstIndex(of: "/") else { continue }
            let path = String(line[slash...])
            let name = POSIX.name(of: path)
            guard let end = name.firstRange(of: ".so")?.lowerBound, !path.hasSuffix(" (deleted)") else { continue }
            let stem = name[..<end]
            if stem.hasPrefix("ld-") || stem.hasPrefix("libnss_") || own.contains(String(stem)) { continue }
            found.insert(path)
        }
        return found.sorted()
    }

    private static func read(_ name: String, _ path: String) throws -> ProgramFile? {
        let file = try POSIX.open(path, O_RDONLY)
        let size = Int(try file.status(path).st_size)
        let start = try file.readStart(path, count: 1 << 16)
        guard start.starts(with: [0x7F] + "ELF".utf8) else { return nil }
        if let id = BuildID.find(in: start) {
            return ProgramFile(name: name, path: path, mark: mark(id, size))
        }
        return try content(path).map { ProgramFile(name: name, path: path, mark: ContentDigest(of: $0)) }
    }

    private static func mark(_ id: [UInt8], _ size: Int) -> ContentDigest {
        ContentDigest(of: "build-id \(ContentDigest.hexadecimal(id)) \(size)\n")
    }

    private static func content(_ path: String) throws -> [UInt8]? { try DurableFile.read(path, limit: 1 << 30) }

    /// The whole content.
    ///
    /// - Throws: `BottleError` if the file was changed since the start.
    func content() throws -> [UInt8] {
        guard let bytes = try Self.content(path),
            mark == BuildID.find(in: Array(bytes.prefix(1 << 16))).map({ Self.mark($0, bytes.count) })
                ?? ContentDigest(of: bytes)
        else {
            throw BottleError(
                .contextUnreadable,
                "a file of this program is another than when it was started",
                at: path,
                remedy: "start bottle anew"
            )
        }
        return bytes
    }
}
