/// A position in a text as libyaml counts it: line and column from 1, columns in Unicode scalars.
package struct YAMLMark: Sendable, Hashable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
