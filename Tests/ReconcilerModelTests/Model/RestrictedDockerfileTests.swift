import ReconcilerModel
import Testing

/// What of a proposed Dockerfile may be built, and what becomes of it.
@Suite("A proposed Dockerfile")
struct RestrictedDockerfileTests {
    private static let id = "sha256:" + String(repeating: "a", count: 64)
    private static let other = "sha256:" + String(repeating: "b", count: 64)

    private func judged(_ text: String) throws -> RestrictedDockerfile {
        let bases = [
            "bottle/agent": try ImageID(Self.id), "debian:trixie-slim": try ImageID(Self.other),
        ]
        return try RestrictedDockerfile(text, bases: bases)
    }

    /// Everything after `FROM bottle/agent` on the first line, and what of it is refused.
    @Test(
        "that could reach, mount or pass off something is refused, whatever the spelling",
        arguments: [
            ("RUN --mount=type=secret,id=x cat /run/secrets/x", "RUN takes no --mount"),
            ("run --mount=type=bind,from=debian true", "RUN takes no --mount"),
            ("RUN \t --mount=type=cache,target=/x true", "RUN takes no --mount"),
            ("RU\\\nN --mount=type=cache,target=/x true", "RUN takes no --mount"),
            ("RUN \\\n--mount=type=cache,target=/x true", "RUN takes no --mount"),
            ("RUN \\\n\n# aside\n  --mo\\\nunt=type=cache,target=/x true", "RUN takes no --mount"),
            ("RUN --security=insecure true", "RUN takes no --security"),
            ("RUN --network=host true", "RUN takes no --network"),
            ("RUN --device=x true", "RUN takes no --device"),
            ("RUN <<EOF\necho x\nEOF", "'<<' in RUN"),
            ("RUN cat <<-'EOF' >/x\nEOF", "'<<' in RUN"),
            ("RUN cat <\\\n<EOF", "'<<' in RUN"),
            ("RUN cat <<\u{301}EOF", "'<<' in RUN"),
            ("COPY <<EOF /x\nEOF", "'<<' in COPY"),
            ("ADD http://h/x /x", "plain paths"),
            ("add HTTPS://h/x /x", "plain paths"),
            ("aDd\thttp://h/x\t/x", "plain paths"),
            ("ADD \\\n  http://h/x /x", "plain paths"),
            ("AD\\\nD ht\\\ntp://h/x /x", "plain paths"),
            ("ADD a http://h/x /x", "plain paths"),
            ("ADD [\"http://h/x\", \"/x\"]", "plain paths"),
            ("ADD [\"h\\u0074tp:\\/\\/h/x\", \"/x\"]", "plain paths"),
            ("ARG p=http\nADD ${p}://h/x /x", "plain paths"),
            ("ADD $u /x", "plain paths"),
            ("ADD \"http\"://h/x /x", "plain paths"),
            ("ADD h\\ttp://h/x /x", "plain paths"),
            ("ADD git@github.com:a/b /x", "plain paths"),
            ("ADD github.com/a/b /x", "plain paths"),
            ("ADD GitHub.com/a/b /x", "plain paths"),
            ("ADD ftp://h/x /x", "plain paths"),
            ("ADD --keep-git-dir=true a /x", "ADD takes no --keep-git-dir"),
            ("ADD --checksum=sha256:aa a /x", "ADD takes no --checksum"),
            ("ADD --chown=1:1 https://h/x /x", "plain paths"),
            ("ADD --link a /x", "ADD takes no --link"),
            ("COPY --from=debian /etc/passwd /x", "only from an earlier stage"),
            ("COPY --from=bottle/agent /etc/passwd /x", "only from an earlier stage"),
            ("COPY --FROM=debian /etc/passwd /x", "only from an earlier stage"),
            ("COPY --chown=1 --from=debian /etc/passwd /x", "only from an earlier stage"),
            ("COPY --fr\\\nom=debian /etc/passwd /x", "only from an earlier stage"),
            ("COPY --from=0 /a /b", "only from an earlier stage"),
            ("COPY --from=+0 /a /b", "only from an earlier stage"),
            ("COPY --from=$x /a /b", "a flag with quotes"),
            ("COPY --from=\"debian\" /a /b", "a flag with quotes"),
            ("COPY --chown=1\u{a0}--from=debian /a /b", "U+A0"),
            ("RUN a\u{37e} b", "U+37E"), ("RUN \u{1fef}a\u{1fef}", "U+1FEF"), ("RUN \u{212a}", "U+212A"),
            ("COPY --chown=1 \u{301}--from=debian /a /b", "a flag with quotes"),
            ("COPY --link a /b", "COPY takes no --link"),
            ("COPY --parents a /b", "COPY takes no --parents"),
            ("ONBUILD ADD http://h/x /x", "ONBUILD"),
            ("oNbUiLd run true", "ONBUILD"),
            ("FROM debian", "it may begin with"),
            ("FROM debian:bookworm", "it may begin with"),
            ("fRoM scratch", "it may begin with"),
            ("FROM\tdebian", "it may begin with"),
            ("FR\\\nOM de\\\nbian", "it may begin with"),
            ("ARG b=debian\nFROM $b", "it may begin with"),
            ("FROM ${b:-debian}", "it may begin with"),
            ("FROM sha256:" + String(repeating: "c", count: 64), "it may begin with"),
            ("FROM bottle/agent@sha256:" + String(repeating: "a", count: 64), "it may begin with"),
            ("FROM --platform=linux/arm64 bottle/agent", "FROM takes no --platform"),
            ("FROM bottle/agent AS scratch", "no name for a stage"),
            ("FROM bottle/agent AS debian:trixie-slim", "no name for a stage"),
            ("FROM bottle/agent AS ../x", "no name for a stage"),
            ("FROM bottle/agent AS x\nFROM bottle/agent AS X", "two stages"),
            ("FROM bottle/agent x", "FROM takes an image"),
            ("FROM \"bottle/agent\"", "it may begin with"),
            ("LABEL dev.bottle.installation=x", "bottle's own"),
            ("label a=b DEV.bottle.role=agent", "bottle's own"),
            ("LABEL \"dev\".bottle.role=agent", "bottle's own"),
            ("LABEL de\\\nv.bottle.role=agent", "bottle's own"),
            ("LABEL io.bottle.context=x", "bottle's own"),
            ("LABEL ${p}.bottle.role=agent", "LABEL with a variable"),
            ("ARG http_proxy", "ARG http_proxy"),
            ("ARG a=1 HTTPS_PROXY=http://h", "ARG https_proxy"),
            ("ARG no_\\\nproxy=*", "ARG no_proxy"),
            ("INCLUDE x", "INCLUDE is no instruction"),
            ("\u{a0}ADD x /x", "U+A0"),
            ("RUN true \\\\\nADD http://h/x /x", "two backslashes"),
            ("RUN true \\", "ends with a backslash"),
            ("RUN true \\\n\n# the end", "ends with a backslash"),
            ("RUN echo \u{202e}evil", "U+202E"),
            ("RUN echo \u{1b}[2J", "U+1B"),
            ("RUN true\rADD http://h/x /x", "U+D"),
            ("RUN true\u{2028}ADD http://h/x /x", "U+2028"),
            ("RUN true\u{85}ADD http://h/x /x", "U+85"),
            ("RUN \(String(repeating: "x", count: 40 << 10))", "more than 32 KiB"),
        ]
    )
    func refused(rest: String, reason: String) {
        #expect {
            try judged("FROM bottle/agent\n" + rest)
        } throws: { error in
            "\(error)".contains(reason)
        }
    }

    @Test(
        "that gives the builder orders, or begins with something else, is refused",
        arguments: [
            ("# syntax=docker/dockerfile:1\nFROM bottle/agent\n", "# syntax="),
            ("#syntax = x\nFROM bottle/agent\n", "# syntax="),
            ("  #\tSyNtAx\t=x\nFROM bottle/agent\n", "# syntax="),
            ("# note\n\n# syntax=x\nFROM bottle/agent\n", "# syntax="),
            ("# check=skip=all\nFROM bottle/agent\n", "# check="),
            ("# escape=`\nFROM bottle/agent\nADD htt`\np://h /x\n", "# escape="),
            ("\u{feff}# syntax=x\nFROM bottle/agent\n", "U+FEFF"),
            ("", "no FROM"),
            ("# nothing\n", "no FROM"),
            ("ARG a=1\n", "no FROM"),
            ("RUN true\nFROM bottle/agent\n", "RUN before FROM"),
            ("FROM debian\n", "it may begin with"),
            ("FROM debian AS bottle\nFROM bottle/agent\n", "it may begin with"),
            ("FROM\n", "FROM takes an image"),
        ]
    )
    func refusedWhole(text: String, reason: String) {
        #expect {
            try judged(text)
        } throws: { error in
            "\(error)".contains(reason)
        }
    }

    @Test(
        "that is only itself is built with each base by its id, and the same again",
        arguments: [
            ("FROM bottle/agent\n", "FROM ID\n"),
            ("from bottle/agent", "FROM ID\n"),
            ("FROM bottle/agent:latest\n", "FROM ID\n"),
            ("FROM ID\n", "FROM ID\n"),
            ("FRO\\\nM bottle\\\n/agent\n", "FROM ID\n"),
            ("ARG V=1\nFROM bottle/agent\nARG V\nRUN echo $V\n", "ARG V=1\nFROM ID\nARG V\nRUN echo $V\n"),
            ("FROM bottle/agent\r\nRUN true\r\n", "FROM ID\nRUN true\n"),
            (
                "# why\nFROM bottle/agent AS Build\nFROM build\nCOPY --from=Build --chown=1:1 /a /b\nCOPY --from=0 /a /c\n",
                "# why\nFROM ID AS build\nFROM build\nCOPY --from=Build --chown=1:1 /a /b\nCOPY --from=0 /a /c\n"
            ),
            ("FROM debian:trixie-slim AS x\nFROM bottle/agent\n", "FROM OTHER AS x\nFROM ID\n"),
            (
                "FROM bottle/agent\nRUN a && \\  \n    # why\n\n    b --mount \\\n    c\n# end\n",
                "FROM ID\nRUN a && \\\n    b --mount \\\n    c\n# end\n"
            ),
            ("FROM bottle/agent\nRUN [\"a\", \"--mount\"]\n", "FROM ID\nRUN [\"a\", \"--mount\"]\n"),
            ("FROM bottle/agent\nADD --chown=1:1 a/*.tar b? /x/\n", "FROM ID\nADD --chown=1:1 a/*.tar b? /x/\n"),
            ("FROM bottle/agent\nADD [\"a\", \"/x\"]\n", "FROM ID\nADD [\"a\", \"/x\"]\n"),
            ("FROM bottle/agent\nRUN cat <<< x; echo $((1 << 2))\n", "FROM ID\nRUN cat <<< x; echo $((1 << 2))\n"),
            ("FROM bottle/agent\nLABEL a=b\n", "FROM ID\nLABEL a=b\n"),
            ("FROM bottle/agent\nRUN curl http://h/x # syntax=y\n", "FROM ID\nRUN curl http://h/x # syntax=y\n"),
            ("FROM bottle/agent\nRUN echo grün 日本 \\\\ x\n", "FROM ID\nRUN echo grün 日本 \\\\ x\n"),
            (
                "FROM bottle/agent\nHEALTHCHECK --interval=5s CMD true\nSHELL [\"/bin/bash\", \"-c\"]\nUSER 1\n",
                "FROM ID\nHEALTHCHECK --interval=5s CMD true\nSHELL [\"/bin/bash\", \"-c\"]\nUSER 1\n"
            ),
        ]
    )
    func accepted(text: String, built: String) throws {
        func named(_ text: String) -> String {
            text.replacing("OTHER", with: Self.other).replacing("ID", with: Self.id)
        }
        let dockerfile = try judged(named(text))
        #expect(dockerfile.text == named(built))
        #expect(dockerfile.bases.first != nil)
        #expect(try judged(dockerfile.text) == dockerfile)
        #expect(try RestrictedDockerfile(sealed: dockerfile.text) == dockerfile)
    }

    @Test("that was judged and changed after is refused", arguments: ["FROM bottle/agent\n", "FROM ID \n", "FROM ID"])
    func sealed(text: String) {
        #expect(throws: DockerfileRefusal.self) {
            try RestrictedDockerfile(sealed: text.replacing("ID", with: Self.id))
        }
    }

    @Test("with several faults is refused with each of them, by line")
    func every() throws {
        let refusal = #expect(throws: DockerfileRefusal.self) {
            try judged("FROM debian\nRUN --mount=x true\nADD http://h /x\n")
        }
        #expect(refusal?.reasons.map(\.line) == [1, 2, 3])
    }

    @Test(
        "An image's id is sha256 and 64 digits",
        arguments: ["", "sha256:", "sha256:" + String(repeating: "A", count: 64)]
    )
    func identifiers(text: String) { #expect(throws: InvalidValue.self) { try ImageID(text) } }
}
