import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import Testing

/// `bottle run` while what it rests on is out of order: it does no harm, says so, and goes on afterwards.
@Suite("A controller in trouble", .serialized, .needsEngine)
struct RunTroubleTests {
    private static func sample(_ fixture: BottleFixture) -> SampleBottle {
        SampleBottle(name: fixture.name(), allowlist: ["files.bt.test"])
    }

    /// Why a bottle is not ready, once it is not; from its status itself, which needs no desired state to be read.
    private func reason(_ sample: SampleBottle, _ fixture: BottleFixture) throws -> String {
        let file = try DurableFile.read("\(fixture.state)/status/\(sample.name).json", limit: 1 << 20) ?? []
        let status = try JSONDecoder().decode(JSON.self, from: Data(file))["value"]
        guard status.condition("Ready") == "False" else { return "" }
        let last = status["passes"].list.last?["outcome"].text ?? ""
        let reason = status["conditions"].list.first { $0["type"].text == "Ready" }?["reason"].text ?? ""
        return "\(reason) \(last)"
    }

    /// What makes the desired state of no use, and of use again.
    struct Loss: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let lose: String
        let find: String
        let reason: String

        static let all = [
            Loss(
                testDescription: "unreadable",
                lose: "mv desired/.git/objects objects.away",
                find: "mv objects.away desired/.git/objects",
                reason: "DesiredUnreadable stalled"
            ),
            Loss(
                testDescription: "gone",
                lose: "mv desired desired.away",
                find: "rm -rf desired; mv desired.away desired",
                reason: "DesiredUnreadable stalled"
            ),
            Loss(
                testDescription: "another history, in which the bottle never was",
                lose: """
                    git -C desired rev-parse HEAD >head.away
                    new=$(git -C desired -c user.name=o -c user.email=o@bt.test commit-tree -m new \\
                        $(git -C desired mktree </dev/null))
                    git -C desired reset -q --hard $new
                    """,
                find: "git -C desired reset -q --hard $(cat head.away)",
                reason: "NotDeleted stalled"
            ),
        ]
    }

    @Test(
        "removes nothing when the desired state is lost without a commit that deletes, and says so",
        arguments: Loss.all
    )
    func lost(_ loss: Loss) async throws {
        try await BottleFixture.run { fixture in
            let sample = Self.sample(fixture)
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            try await fixture.underController { _ in
                let lost = try await fixture.run(["sh", "-ec", loss.lose], in: fixture.state)
                try #require(lost.status == 0, "\(lost)")
                // Something asks for a pass.
                try await fixture.docker("stop", "-t", "0", "bottle-\(sample.name)-firewall")
                try await fixture.until("the bottle says what is wrong: \(loss.reason)") {
                    try reason(sample, fixture) == loss.reason
                }
                try await Task.sleep(for: .seconds(3))
                let meanwhile = try await fixture.snapshot()
                #expect(meanwhile.containers.mapValues(\.id) == before.containers.mapValues(\.id))
                #expect(meanwhile.networks == before.networks)
                #expect(meanwhile.volumes == before.volumes)
                let found = try await fixture.run(["sh", "-ec", loss.find], in: fixture.state)
                try #require(found.status == 0, "\(found)")
                try await fixture.until("healed once it is back") {
                    let diff = try await fixture.bottle("diff", sample.name, "-o", "json")
                    guard diff.status == 0 else { return false }
                    return try reason(sample, fixture).isEmpty
                }
            }
            let after = try await fixture.snapshot()
            #expect(before.changed(in: after) == ["bottle-\(sample.name)-firewall"])
            #expect(after.networks == before.networks)
        }
    }

    @Test(
        "does nothing it can't remember while its state folder is read-only, and heals after",
        .needsOwnEngine
    )
    func readOnly() async throws {
        try await BottleFixture.run { fixture in
            let sample = Self.sample(fixture)
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            try await fixture.underController(through: "unshare --mount --propagation private") { log in
                let lock = "\(fixture.state)/locks/.controller.lock"
                let mount = """
                    process=$(cat '\(lock)')
                    in_its_world() { nsenter --mount=/proc/$process/ns/mnt "$@"; }
                    in_its_world mount --bind '\(fixture.state)' '\(fixture.state)'
                    in_its_world mount -o remount,ro,bind '\(fixture.state)'
                    """
                let mounted = try await fixture.run(["sh", "-ec", mount])
                try #require(mounted.status == 0, "\(mounted)")
                try await fixture.docker("rm", "-f", "bottle-\(sample.name)-firewall")
                try await fixture.until("it says so") { try log().contains("Read-only file system") }
                try await Task.sleep(for: .seconds(2))
                let meanwhile = try await fixture.snapshot()
                #expect(before.changed(in: meanwhile) == ["bottle-\(sample.name)-firewall"])
                #expect(meanwhile.containers["bottle-\(sample.name)-firewall"] == nil)

                let unmount = "nsenter --mount=/proc/$(cat '\(lock)')/ns/mnt umount '\(fixture.state)'"
                try #require(try await fixture.run(["sh", "-ec", unmount]).status == 0)
                try await fixture.until("healed once it can write") {
                    try await fixture.bottle("diff", sample.name, "-o", "json").status == 0
                }
            }
            let after = try await fixture.snapshot()
            #expect(before.changed(in: after) == ["bottle-\(sample.name)-firewall"])
            #expect(after.networks == before.networks)
        }
    }

    @Test("touches nothing of another state folder's bottle of the same name, not even to delete it")
    func twoStateFolders() async throws {
        try await BottleFixture.run { fixture in
            let sample = Self.sample(fixture)
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            let other = ["BOTTLE_STATE_DIR": "\(fixture.folder)/other"]
            // Makes the folder and its repository; commits of others then put the bottle there.
            try await fixture.applied(SampleBottle.alone(fixture.name()), environment: other)
            func commit(_ change: String) async throws {
                let line = "\(change); git -c user.name=o -c user.email=o@bt.test commit -q -a -m edit"
                let run = try await fixture.run(["sh", "-ec", line], in: "\(fixture.folder)/other/desired")
                try #require(run.status == 0, "\(run)")
            }
            try await fixture.underController { _ in
                try await fixture.underController(environment: other) { log in
                    let file = "bottles/\(sample.name).yaml"
                    try await commit("cp '\(fixture.state)/desired/\(file)' \(file); git add \(file)")
                    try await fixture.until("it is refused") {
                        try log().contains("name-taken") || log().contains("is taken by")
                    }
                    #expect(try await fixture.snapshot() == before)
                    // Neither is taken for an orphan.
                    try await commit("git rm -q \(file)")
                    try await Task.sleep(for: .seconds(3))
                    #expect(try await fixture.snapshot() == before)
                }
                #expect(try await fixture.bottle("diff", sample.name, "-o", "json").status == 0)
            }
        }
    }
}
