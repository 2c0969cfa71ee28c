/// Who is named by a commit.
package struct Author: Sendable, Hashable {
    package let name: String
    package let email: String

    /// Takes out what git does not allow in either; an empty name or address becomes `unknown`.
    package init(name: String, email: String) {
        func clean(_ text: String) -> String {
            let kept = text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 && $0 != "<" && $0 != ">" }
            let text = String(String.UnicodeScalarView(kept))
            // git drops these at the ends; what is left of them alone would be an empty name.
            let crud: Set<Character> = [" ", ".", ",", ":", ";", "\"", "\\", "'"]
            return text.allSatisfy(crud.contains) ? "unknown" : text
        }
        self.name = clean(name)
        self.email = clean(email)
    }

    package var variables: [String: String] {
        [
            "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email,
        ]
    }
}
