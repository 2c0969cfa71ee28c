import ReconcilerModel
import Testing

/// What is the same Dockerfile as the one in force.
@Suite("The Dockerfile in force")
struct PresentDockerfileTests {
    private static let id = "sha256:" + String(repeating: "a", count: 64)
    private static let other = "sha256:" + String(repeating: "b", count: 64)
    private static let proposed = """
        # tools
        FROM own/tools AS Tools
        RUN make \\
            # inside
            all

        FROM bottle/agent
        COPY --from=tools /x /x

        """
    private static let built = """
        # tools
        FROM \(other) AS tools
        RUN make \\
            all

        FROM \(id)
        COPY --from=tools /x /x

        """

    @Test("is what was asked for, what is built, and every spelling of them")
    func same() throws {
        let bases = ["bottle/agent": try ImageID(Self.id), "own/tools": try ImageID(Self.other)]
        #expect(try RestrictedDockerfile(Self.proposed, bases: bases).text == Self.built)
        let present = PresentDockerfile(built: Self.built, proposed: Self.proposed)
        #expect(present.text == Self.proposed && present.built == Self.built)
        for text in [
            Self.proposed, Self.built, Self.proposed.replacing("bottle/agent", with: "bottle/agent:latest"),
            Self.proposed.replacing("FROM own/tools AS Tools", with: "from \(Self.other) as tools"),
        ] {
            #expect(present.isBuilt(from: text), "\(text)")
        }
    }

    @Test("is not one with other steps, other images, the same ones in each other's place, or one that can't be built")
    func others() {
        let present = PresentDockerfile(built: Self.built, proposed: Self.proposed)
        for text in [
            Self.proposed + "RUN more\n", Self.proposed.replacing("bottle/agent", with: "bottle/other"),
            Self.proposed.replacing("bottle/agent", with: "own/tools"),
            Self.proposed.replacing("bottle/agent", with: Self.other), Self.proposed.replacing("all", with: "some"),
            Self.proposed + "ADD http://h/x /x\n", "",
        ] {
            #expect(!present.isBuilt(from: text), "\(text)")
        }
        // The same to Unicode, other files to a builder.
        let accent = PresentDockerfile(built: "FROM \(Self.id)\nRUN caf\u{e9}\n")
        #expect(accent.isBuilt(from: "FROM \(Self.id)\nRUN caf\u{e9}\n"))
        #expect(!accent.isBuilt(from: "FROM \(Self.id)\nRUN cafe\u{301}\n"))
    }

    @Test(
        "is shown as it is built where another text lies beside it",
        arguments: [
            "FROM bottle/agent\nRUN harmless\n", "FROM bottle/agent\nFROM bottle/agent\nRUN make\n", "nonsense", "",
        ]
    )
    func unlike(proposed: String) {
        let built = "FROM \(Self.id)\nRUN make\n"
        let present = PresentDockerfile(built: built, proposed: proposed)
        #expect(present.text == built)
        #expect(!present.isBuilt(from: proposed))
    }

    @Test("is the operator's own text where it has no ids")
    func own() {
        let present = PresentDockerfile(built: "FROM debian\nRUN make\n")
        #expect(present.text == present.built && present.isBuilt(from: present.built))
        #expect(!present.isBuilt(from: "FROM debian\n"))
    }
}
