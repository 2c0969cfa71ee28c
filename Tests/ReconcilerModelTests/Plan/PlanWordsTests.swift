import FoundationEssentials
import ReconcilerModel
import Testing

@Suite("The words of a plan")
struct PlanWordsTests {
    private var page: String {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let bytes = FileManager.default.contents(atPath: "/\(root)/docs/plan.md") ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("each have their line in the operators' page", arguments: Reason.allCases.map(\.rawValue))
    func reasons(word: String) { #expect(page.contains("`\(word)`")) }

    @Test("verbs too", arguments: Verb.allCases.map(\.rawValue))
    func verbs(word: String) { #expect(page.contains("`\(word)`")) }
}
