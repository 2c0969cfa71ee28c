import ReconcilerPlatform
import Testing

@Suite("Paths")
struct PathsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let why: String
        let variables: [String: String]
        let state: String?
        let settings: String?
        var testDescription: String { why }
    }

    static let rows = [
        Row(
            why: "home alone",
            variables: ["HOME": "/home/a"],
            state: "/home/a/.local/state/bottle",
            settings: "/home/a/.config/bottle/config.yaml"
        ),
        Row(
            why: "XDG folders",
            variables: ["HOME": "/home/a", "XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "/c"],
            state: "/s/bottle",
            settings: "/c/bottle/config.yaml"
        ),
        Row(
            why: "BOTTLE_STATE_DIR wins",
            variables: ["HOME": "/home/a", "XDG_STATE_HOME": "/s", "BOTTLE_STATE_DIR": "/mine"],
            state: "/mine",
            settings: "/home/a/.config/bottle/config.yaml"
        ),
        Row(
            why: "relative XDG folders are ignored, empty variables unset",
            variables: ["HOME": "/home/a", "XDG_STATE_HOME": "s", "XDG_CONFIG_HOME": "", "BOTTLE_STATE_DIR": ""],
            state: "/home/a/.local/state/bottle",
            settings: "/home/a/.config/bottle/config.yaml"
        ),
        Row(
            why: "a relative BOTTLE_STATE_DIR is taken from the working folder",
            variables: ["HOME": "/home/a", "BOTTLE_STATE_DIR": "state"],
            state: "/work/state",
            settings: "/home/a/.config/bottle/config.yaml"
        ),
        Row(why: "without a home there is no place", variables: [:], state: nil, settings: nil),
        Row(
            why: "without a home a named state folder is enough",
            variables: ["BOTTLE_STATE_DIR": "/mine"],
            state: "/mine",
            settings: "/mine/bottle/config.yaml"
        ),
    ]

    @Test("come from the environment", arguments: rows)
    func fromEnvironment(_ row: Row) {
        let paths = Paths(environment: row.variables, workingFolder: "/work", userHome: nil)
        #expect(paths?.state == row.state)
        #expect(paths?.settings == row.settings)
    }

    @Test("fall back to the user database when HOME is missing")
    func userDatabase() {
        let paths = Paths(environment: [:], workingFolder: "/", userHome: "/home/db")
        #expect(paths?.home == "/home/db")
        #expect(UserEntry.current != nil)
    }
}
