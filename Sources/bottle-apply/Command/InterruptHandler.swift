#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Ctrl-C ends the program at once: every step is safe to be killed in, and the next run goes on from there.
enum InterruptHandler {
    static func install() {
        // A handler may only call what is safe in one: write and _exit.
        _ = signal(SIGINT) { _ in
            let text: StaticString = "\ninterrupted: run the same command again to go on from here\n"
            _ = unsafe write(2, text.utf8Start, text.utf8CodeUnitCount)
            _exit(ExitStatus.interrupted)
        }
    }
}
