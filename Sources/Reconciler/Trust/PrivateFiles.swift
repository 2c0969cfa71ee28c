/// Small durable files below the state folder's `trust/`, readable only by their owner.
///
/// Trust decides what must be kept; the owner of the state folder makes the files durable.
package protocol PrivateFiles: Sendable {
    /// The content of the file at `path` (relative, `/` between components); nil if it doesn't exist.
    ///
    /// Refuses symbolic links and everything else that is not a regular file.
    func read(_ path: String) throws -> [UInt8]?

    /// Creates the file and its folder, unless it exists. Of several concurrent callers exactly one gets true.
    ///
    /// Postcondition: the complete content is durable under that name with mode 0600, even if another caller created
    /// it.
    func create(_ bytes: [UInt8], at path: String) throws -> Bool

    /// The location of `path`, for messages.
    func location(of path: String) -> String
}
