import ReconcilerModel

/// Text from elsewhere, made harmless for a terminal.
typealias Escaped = VisibleText
