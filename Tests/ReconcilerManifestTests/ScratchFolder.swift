#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A new folder that goes when the test ends.
final class ScratchFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/bottle-manifest-XXXXXX".utf8CString)
        guard
            let made = unsafe template.withUnsafeMutableBufferPointer({ buffer in
                unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
            })
        else { throw ScratchProblem() }
        path = made
    }

    deinit { _ = run("/bin/rm", ["-rf", path]).status }

    /// Writes `text` to `name`, with the folders above it.
    func write(_ text: String, to name: String, mode: mode_t = 0o644) throws {
        let target = path + "/" + name
        let folder = String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)])
        try makeFolder(folder)
        guard let file = unsafe fopen(target, "w") else { throw ScratchProblem() }
        let bytes = Array(text.utf8)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        unsafe fclose(file)
        guard count == bytes.count, unsafe chmod(target, mode) == 0 else { throw ScratchProblem() }
    }

    func makeFolder(_ path: String) throws {
        guard run("/bin/mkdir", ["-p", path]).status == 0 else { throw ScratchProblem() }
    }

    func link(_ name: String, to target: String) throws {
        guard unsafe symlink(target, path + "/" + name) == 0 else { throw ScratchProblem() }
    }

    /// The names below `name`, as `find` prints them, sorted.
    func files(in name: String) -> [String] {
        let output = run("/usr/bin/find", [path + "/" + name, "-mindepth", "1", "-printf", "%P %y %m\\n"]).output
        return output.split(separator: "\n").map(String.init).sorted()
    }
}

struct ScratchProblem: Error {}

/// Runs a program to its end; its standard input is `input`.
func run(_ program: String, _ arguments: [String], input: String = "") -> (status: Int32, output: String) {
    var from: [Int32] = [0, 0]
    var to: [Int32] = [0, 0]
    guard unsafe pipe(&from) == 0, unsafe pipe(&to) == 0 else { return (-1, "") }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, to[0], 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, from[1], 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, from[1], 2)
    for descriptor in from + to { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let result = unsafe posix_spawnp(&process, program, &actions, nil, &words, environ)
    close(to[0])
    close(from[1])
    defer { close(from[0]) }
    guard result == 0 else {
        close(to[1])
        return (-1, "")
    }
    var rest = Array(input.utf8)[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(to[1], $0.baseAddress, $0.count) }
        if count <= 0 { break }
        rest = rest.dropFirst(count)
    }
    close(to[1])
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe read(from[0], &buffer, buffer.count)
        if count <= 0 { break }
        output += buffer[..<count]
    }
    var status: Int32 = 0
    unsafe waitpid(process, &status, 0)
    return ((status >> 8) & 0xFF, String(decoding: output, as: UTF8.self))
}
