/// Small durable files below the state folder's `trust/`, readable only by their owner.
///
/// Trust says what must be kept; how a file becomes durable is the business of whoever owns the state folder.
package protocol PrivateFiles: Sendable {
    /// The content of the file at `path` (relative, `/` between components); nil when there is none.
    ///
    /// Refuses what is no regular file, and symbolic links.
    func read(_ path: String) throws -> [UInt8]?

    /// Makes the file, with its folder, unless it exists. Of several callers at once exactly one gets true.
    ///
    /// Postcondition: the whole content is durable under that name, with mode 0600, whoever made it.
    func create(_ bytes: [UInt8], at path: String) throws -> Bool

    /// Where `path` is, for messages.
    func location(of path: String) -> String
}
