import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals
import ReconcilerTime

/// Proposals for people.
enum ProposalView {
    /// The most characters of each of an agent's texts.
    private static let textLimit = 8000

    /// One row a proposal.
    static func table(_ items: [ProposalItem]) -> String {
        guard !items.isEmpty else { return "nobody asks for anything" }
        var table = Table("ID", "BOTTLE", "STATE", "SINCE", "WHAT", "WHY")
        table.rows = items.map { item in
            let what = item.changes.first ?? item.problems.first ?? "nothing that is not in force"
            let more = item.changes.count > 1 ? " and \(item.changes.count - 1) more" : ""
            return [
                String(item.id.prefix(12)), item.bottle, item.state, item.at, VisibleText.line(what + more, limit: 60),
                VisibleText.line(item.justification, limit: 60),
            ]
        }
        return table.text
    }

    /// One proposal whole: who asks, why, what changes, what that gives, and what led to it.
    static func whole(_ review: ProposalReview, refusals: [RefusalItem], style: Style) -> String {
        let item = ProposalItem(review)
        var lines = [
            "Proposal:   \(item.id)", "Bottle:     \(item.bottle)", "Tool:       \(item.tool)",
            "Asked:      \(item.at)", "State:      \(item.state)", "Candidate:  \(item.candidateHash)",
            "", "Why, in the agent's words:",
        ]
        lines += quoted(item.justification)
        switch review.verdict {
        case .changes:
            lines += ["", "What changes:"] + item.changes.map { "  \(VisibleText.line($0, limit: 300))" }
            lines += ["", difference(review, style)]
        case .dockerfile(let text):
            let present = review.dockerfile?.text ?? ""
            lines += ["", "The Dockerfile it asks for, beside the one in force:"]
            lines += [difference(from: present.lines, to: text.lines, style)]
        case .inForce: lines += ["", "All of it is in force already."]
        case .refused(let reasons):
            lines += ["", "It can't be approved as it is:"] + reasons.map { "  \(VisibleText.line($0, limit: 300))" }
        }
        if !item.authority.isEmpty { lines += ["", AuthorityText.of(item.authority, style: style)] }
        if !refusals.isEmpty {
            lines += ["", "Refused before, of the same hosts:"]
            lines += refusals.prefix(20).map { group in
                "  \(VisibleText.line(group.host, limit: 80))  \(group.rule)  \(group.count) times"
            }
        }
        if let words = item.words { lines += ["", "Answer:"] + quoted(words) }
        return lines.joined(separator: "\n")
    }

    /// What an approval changes, as a diff of the routes and hosts.
    static func difference(_ review: ProposalReview, _ style: Style) -> String {
        func lines(_ manifest: BottleManifest) -> [String] {
            let routes = manifest.routes.filter { $0.grant == nil }.map(\.unlimited).sorted { $0.host < $1.host }
            let hosts = manifest.egress.allowlist.sorted().map { "  - \($0)\n" }.joined()
            return (EntryListReader.text(of: routes) + "allowlist:\n" + hosts).split(separator: "\n").map(String.init)
        }
        return difference(from: lines(review.before), to: lines(review.after), style)
    }

    /// All lines of `new`, whole, and what of `old` is not in it: nothing that is approved is left out.
    private static func difference(from old: [String], to new: [String], _ style: Style) -> String {
        func shown(_ line: String) -> String { VisibleText.line(line, limit: .max) }
        let (removed, inserted) = changes(from: old, to: new)
        var text: [String] = []
        var (from, to) = (0, 0)
        while from < old.count || to < new.count {
            if removed.contains(from) {
                text.append(style.red("- \(shown(old[from]))"))
                from += 1
            } else if inserted.contains(to) {
                text.append(style.green("+ \(shown(new[to]))"))
                to += 1
            } else {
                text.append("  \(shown(new[to]))")
                from += 1
                to += 1
            }
        }
        return text.joined(separator: "\n")
    }

    /// How many lines are compared: that takes their number's square in time and in room.
    private static let lineLimit = 2000

    /// Which lines went and came; all of them where they are too many to be compared.
    private static func changes(from old: [String], to new: [String]) -> (removed: Set<Int>, inserted: Set<Int>) {
        guard old.count + new.count <= lineLimit else { return (Set(old.indices), Set(new.indices)) }
        var (removed, inserted): (Set<Int>, Set<Int>) = ([], [])
        // Byte by byte: to Swift's `==` other texts are the same, too.
        for change in new.map({ Array($0.utf8) }).difference(from: old.map { Array($0.utf8) }) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        return (removed, inserted)
    }

    private static func quoted(_ text: String) -> [String] {
        let lines = text.prefix(textLimit).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
            "  | \(VisibleText.line(String($0), limit: 400))"
        }
        return text.count > textLimit ? lines + ["  | … and \(text.count - textLimit) characters more"] : lines
    }
}

extension String {
    /// As a builder counts them.
    fileprivate var lines: [String] {
        var lines = utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(Substring($0)) }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}
