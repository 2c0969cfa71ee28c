extension String {
    /// Without one newline at the end.
    var trimmingLastNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
