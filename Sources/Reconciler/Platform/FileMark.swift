package import ReconcilerTime

/// Identifies a file's version without reading its content.
package struct FileMark: Sendable, Hashable {
    package var number: UInt64
    package var size: Int64
    package var changed: Timestamp
}
