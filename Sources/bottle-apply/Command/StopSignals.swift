import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How many stop signals came.
///
/// Global: a signal's handler can capture nothing.
private let received = Atomic<Int>(0)

/// SIGTERM and SIGINT ask for a graceful end; a second one ends the program at once.
enum StopSignals {
    /// Takes the place of what these signals do otherwise.
    static func install() {
        for number in [SIGTERM, SIGINT] {
            // A handler may only do what is safe in one: a lock-free counter and _exit.
            _ = signal(number) { _ in
                if received.add(1, ordering: .relaxed).oldValue > 0 { _exit(ExitStatus.interrupted) }
            }
        }
    }

    /// Returns within a quarter of a second after one of them came.
    ///
    /// - Throws: `CancellationError`.
    static func wait() async throws {
        while received.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(250)) }
    }
}
